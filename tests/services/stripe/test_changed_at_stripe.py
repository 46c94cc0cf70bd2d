"""What somebody changes in Stripe's own dashboard: what is ours stays ours; operators are told what is not known."""

from __future__ import annotations

import random
from typing import Any

import pytest

from billing_app.db import Database
from billing_app.gateways.retries import patiently
from billing_app.services.common import audit
from billing_app.services.common import organizations as orgs
from billing_app.services.common.context import Context
from billing_app.services.operators import account_issues, read_customer
from billing_app.services.operators import organizations as operators
from billing_app.services.operators.views import AccountIssue
from billing_app.services.plans import orders, read
from billing_app.services.purchases import read_recurring
from billing_app.services.reversals import reversals
from billing_app.services.stripe import reconciliation
from billing_app.services.stripe.findings import Sync
from billing_app.settings import Settings
from billing_app.store.notifications import operator_mails as mails
from billing_app.store.purchases import customers
from billing_app.store.purchases import subscriptions as subscription_store
from billing_app.store.stripe import reconciliation as store
from billing_app.ui.kit.formats import Formats
from billing_app.ui.purchases.renewals_text import renewals_screen
from tests.support.builders import a_user
from tests.support.shop import DECLINED, PAYS, PUBLIC_URL
from tests.support.subscriber import BAD_CARD, MONTH, Subscriber, a_subscriber, days

STRANGE_CENTS = 3_333

GIVEN_UP = [("void_invoice", "An invoice was voided"), ("mark_uncollectible", "An invoice was marked uncollectible")]


def without_trials(document: dict[str, Any]) -> None:
    for plan in document["plans"]:
        plan["trial_days"] = 0


@pytest.fixture
def acme(database: Database) -> Subscriber:
    """A subscriber without trials, and an operator who can be told."""
    subscriber = a_subscriber(database)
    subscriber.change_catalogue(without_trials)
    with database.writing() as session:
        a_user(session, "op@example.org", operator=True)
    return subscriber


def a_strange_price(acme: Subscriber, product: str = "") -> str:
    product = product or acme.stripe.products.create({"name": "Made by hand"}).id
    made = acme.stripe.prices.create(
        {"product": product, "unit_amount": STRANGE_CENTS, "currency": "usd", "recurring": {"interval": "month"}}
    )
    return made.id


def replace_price(acme: Subscriber, subscription: str) -> str:
    """Somebody gives the subscription a price of their own, without metadata or lookup key."""
    price, item = a_strange_price(acme), acme.stripe.subscriptions.retrieve(subscription)["items"].data[0].id
    acme.stripe.subscriptions.update(subscription, {"items": [{"id": item, "price": price}]})
    return price


def add_subscription(acme: Subscriber, price: str, metadata: dict[str, str] | None = None) -> str:
    """Somebody makes a subscription in the dashboard."""
    acme.use_card("pm_card_visa")
    wanted: dict[str, Any] = {"customer": acme.customer, "items": [{"price": price}], "metadata": metadata or {}}
    return acme.stripe.subscriptions.create(wanted).id  # ty: ignore[invalid-argument-type]


def forget_metadata(acme: Subscriber, subscription: str) -> None:
    kept = acme.stripe.subscriptions.retrieve(subscription).to_dict()["metadata"]
    acme.stripe.subscriptions.update(subscription, {"metadata": dict.fromkeys(kept, "")})


def sync(acme: Subscriber) -> dict[str, list[str]]:
    """A comparison to its end: the objects that need a person, by code."""
    payments = patiently(acme.payments, between=0, waits=(0.01, 0.01))
    found = Sync(acme.database.writing, payments, acme.clock, acme.now - days(365))
    run_id = reconciliation.run(found, "host:1:test", "demand")
    said: dict[str, list[str]] = {}
    with acme.database.reading() as session:
        for each in store.findings(session, run_id, 100):
            if not each.repaired:
                said.setdefault(each.code, []).append(each.object_id)
    return said


def trouble_of(acme: Subscriber) -> list[AccountIssue]:
    with acme.database.reading() as session:
        owner = orgs.by_address(session, acme.address).pk
        return [each.kind for each in account_issues.of(session, {owner}, acme.now).get(owner, ())]


def said(acme: Subscriber) -> tuple[str, str] | None:
    """The name and e-mail that we have of the customer."""
    with acme.database.reading() as session:
        row = customers.said_of(session, orgs.by_address(session, acme.address).pk)
        return None if row is None else (row.name, row.email)


def noted(acme: Subscriber) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What the audit log has of changes of the customer."""
    with acme.database.reading() as session:
        owner = orgs.by_address(session, acme.address).pk
        found = audit.entries(session, owner, 50, action="customer.changed")
        return [(dict(each.before), dict(each.after)) for each in found]


def mailed(acme: Subscriber) -> list[str]:
    with acme.database.reading() as session:
        return sorted(mail.subject for mail, _ in mails.due(session, acme.now + days(1), acme.now - days(1), 50))


def findings(acme: Subscriber) -> list[str]:
    """A comparison to its end: everything that it says, repaired or not."""
    found = Sync(acme.database.writing, patiently(acme.payments, between=0), acme.clock, acme.now - days(365))
    run_id = reconciliation.run(found, "host:1:test", "demand")
    with acme.database.reading() as session:
        return [each.detail for each in store.findings(session, run_id, 100)]


@pytest.fixture
def without_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sync is left to what it finds by itself: Stripe lists events for 30 days only."""
    stages = {name: stage for name, stage in reconciliation.STAGES.items() if name != "events"}
    monkeypatch.setattr(reconciliation, "STAGES", stages)


class TestAPriceThatNobodyKnows:
    def test_the_plan_stays_and_ends_with_its_subscription(self, acme: Subscriber) -> None:
        subscription = acme.subscribe("pro")
        replace_price(acme, subscription)
        acme.hear_all()
        assert (acme.plan(), trouble_of(acme)) == ("pro", [AccountIssue.UNKNOWN_PRICE])
        assert sync(acme) == {"unknown_price": [subscription]}
        assert mailed(acme) == ["A subscription is billed at an unknown price"]
        acme.stripe.subscriptions.cancel(subscription)
        acme.hear_all()
        assert (acme.plan(), trouble_of(acme), sync(acme)) == ("free", [], {})

    def test_what_no_event_told_is_repaired_by_the_sync(self, acme: Subscriber) -> None:
        subscription = acme.subscribe("pro")
        replace_price(acme, subscription)
        forget_metadata(acme, subscription)
        acme.stripe.subscriptions.cancel(subscription)
        assert sync(acme) == {}
        assert acme.plan() == "free"

    def test_somebody_decides_by_hand(self, acme: Subscriber) -> None:
        subscription = acme.subscribe("pro")
        replace_price(acme, subscription)
        acme.hear_all()
        with acme.database.writing() as session:
            found = orgs.by_address(session, acme.address)
            operators.set_plan(Context(session, found, acme.now, "op"), "essential", reason="As agreed")
        acme.hear_all()
        assert (acme.plan(), sync(acme), trouble_of(acme)) == ("essential", {}, [])
        acme.wait(acme.now + days(40))
        acme.hear_all()
        assert (acme.plan(), sync(acme)) == ("essential", {})

    def test_somebody_names_the_price_in_the_catalogue(self, acme: Subscriber) -> None:
        price = replace_price(acme, acme.subscribe("pro"))
        acme.change_catalogue(lambda document: document["plans"][1].update(stripePlanId=price))
        acme.hear_all()
        assert (acme.plan(), sync(acme)) == ("essential", {})

    def test_what_is_put_beside_the_plan_does_not_hide_it(self, acme: Subscriber) -> None:
        subscription = acme.subscribe("pro")
        acme.stripe.subscriptions.update(subscription, {"items": [{"price": a_strange_price(acme)}]})
        acme.hear_all()
        row = acme.row()
        assert row is not None
        assert (acme.plan(), row.price_known, row.price_cents) == ("pro", True, 9_900)
        acme.change("essential")
        assert row.price_cents != STRANGE_CENTS


class TestEverySubscriptionThatIsNotHeld:
    def test_two_that_were_paid_in_the_same_second(self, acme: Subscriber) -> None:
        first = acme.subscribe("pro")
        kept = acme.stripe.subscriptions.retrieve(first).to_dict()
        made = add_subscription(acme, kept["items"]["data"][0]["price"]["id"], kept["metadata"])
        acme.hear_all()
        assert sync(acme) == {"second_subscription": [made]}
        assert (trouble_of(acme), mailed(acme)) == (
            [AccountIssue.SECOND_SUBSCRIPTION], ["An organization has two subscriptions"],
        )  # fmt: skip
        acme.stripe.subscriptions.cancel(made)
        acme.hear_all()
        assert (sync(acme), trouble_of(acme), acme.plan()) == ({}, [], "pro")

    def test_one_of_nobodys_that_was_made_by_hand(self, acme: Subscriber) -> None:
        made = add_subscription(acme, a_strange_price(acme))
        acme.hear_all()
        assert sync(acme) == {"second_subscription": [made]}
        assert acme.plan() == "free"

    def test_one_that_is_paused_still_counts(self, acme: Subscriber) -> None:
        acme.subscribe("pro")
        made = add_subscription(acme, a_strange_price(acme))
        acme.stripe.subscriptions.pause(made, {"type": "subscription"})
        assert sync(acme) == {"second_subscription": [made]}


class TestPacksAtStripe:
    def test_a_pack_whose_price_was_replaced_is_not_forgotten(self, acme: Subscriber) -> None:
        monthly = "mau-10k-monthly"
        acme.buy(monthly)
        acme.hear_all()
        (kept,) = acme.stripe.subscriptions.list({"customer": acme.customer}).data
        price = replace_price(acme, kept.id)
        forget_metadata(acme, kept.id)
        acme.hear_all()
        assert sync(acme) == {"unknown_price": [kept.id]}
        acme.wait(acme.now + days(32))
        acme.hear_all()
        found = sync(acme)["unknown_price"]
        assert kept.id in found
        assert any(each.startswith("in_") for each in found), "what was paid at it brought nothing, and that is said"
        assert price
        acme.stripe.subscriptions.cancel(kept.id)
        acme.hear_all()
        assert all(each.startswith("in_") for each in sync(acme)["unknown_price"])

    def test_a_pack_whose_price_lost_its_metadata_still_brings_what_was_bought(self, acme: Subscriber) -> None:
        monthly = "mau-10k-monthly"
        acme.buy(monthly)
        acme.hear_all()
        (kept,) = acme.stripe.subscriptions.list({"customer": acme.customer}).data
        price = kept["items"].data[0].price
        acme.stripe.prices.update(price.id, {"metadata": dict.fromkeys(price.metadata.to_dict(), "")})
        forget_metadata(acme, kept.id)
        before = acme.balance("mau")
        acme.wait(acme.now + days(32))
        acme.hear_all()
        assert (acme.balance("mau"), sync(acme)) == (2 * before, {})

    def test_a_payment_whose_price_lost_its_metadata_brings_what_was_ordered(self, acme: Subscriber) -> None:
        started = acme.start("mau-10k")
        for price in acme.stripe.prices.list({"lookup_keys": ["pack:mau-10k"]}).data:
            acme.stripe.prices.update(price.id, {"metadata": dict.fromkeys(price.metadata.to_dict(), "")})
        acme.pay(started.session_id, PAYS)
        acme.come_back(started.session_id)
        assert acme.balance("mau") == 10_000


class TestACustomerThatIsGone:
    def test_a_refund_of_what_it_paid_is_still_ours(self, acme: Subscriber) -> None:
        acme.buy("mau-10k")
        acme.hear_all()
        (grant,) = acme.grants()
        acme.stripe.customers.delete(acme.customer)
        acme.hear_all()
        refund = acme.stripe.refunds.create({"payment_intent": grant.payment_id})
        reading = reversals.read(acme.payments, grant.payment_id)
        assert reading is not None
        with acme.database.writing() as session:
            assert reversals.settle(session, reading, acme.now).changed
        assert (refund.status, acme.balance("mau")) == ("succeeded", 0)

    def test_its_subscription_ends_though_the_organization_has_no_customer(self, acme: Subscriber) -> None:
        subscription = acme.subscribe("pro", MONTH)
        acme.stripe.customers.delete(acme.customer)
        with acme.database.writing() as session:
            orgs.by_address(session, acme.address).stripe_customer_id = None
        assert sync(acme) == {}
        with acme.database.reading() as session:
            owner = orgs.by_address(session, acme.address).pk
            row = subscription_store.subscription(session, owner, subscription)
        assert row is not None
        assert (row.status, acme.plan()) == ("canceled", "free")


class TestTheNameOnItsInvoices:
    def test_what_somebody_changes_is_mirrored_shown_and_noted(self, acme: Subscriber) -> None:
        assert (sync(acme), said(acme)) == ({}, ("Acme", ""))
        acme.stripe.customers.update(acme.customer, {"name": "Acme Holding", "email": "bills@acme.example"})
        acme.hear_all()
        acme.hear_all(twice=True)
        assert said(acme) == ("Acme Holding", "bills@acme.example")
        assert noted(acme) == [({"name": "Acme", "email": ""}, {"name": "Acme Holding", "email": "bills@acme.example"})]
        with acme.database.reading() as session:
            view = read_customer.customer(session, acme.address, "", None, acme.now, selling=True)
            plan = read.plan_view(Context(session, orgs.by_address(session, acme.address), acme.now), Settings())
        assert (view.stripe_name, view.stripe_email) == (plan.stripe_name, plan.stripe_email) == said(acme)

    def test_what_no_event_told_is_found_by_the_sync(self, acme: Subscriber, without_events: None) -> None:
        sync(acme)
        acme.stripe.customers.update(acme.customer, {"email": "bills@acme.example"})
        assert (sync(acme), said(acme)) == ({}, ("Acme", "bills@acme.example"))
        assert noted(acme) == [({"email": ""}, {"email": "bills@acme.example"})]

    def test_an_old_message_does_not_bring_an_old_name_back(self, acme: Subscriber) -> None:
        sync(acme)
        for name in ("One", "Two", "Three"):
            acme.stripe.customers.update(acme.customer, {"name": name})
        acme.hear_all(random.Random(7), twice=True)
        assert (said(acme), len(noted(acme))) == (("Three", ""), 1)

    def test_another_change_of_the_customer_is_no_news(self, acme: Subscriber) -> None:
        sync(acme)
        acme.stripe.customers.update(acme.customer, {"phone": "1", "metadata": {"their": "own"}})
        acme.hear_all()
        assert noted(acme) == []

    def test_a_customer_that_is_gone_by_then_is_forgotten(self, acme: Subscriber) -> None:
        sync(acme)
        acme.stripe.customers.update(acme.customer, {"name": "Nobody"})
        acme.stripe.customers.delete(acme.customer)
        acme.hear_all()
        assert said(acme) is None

    def test_somebody_elses_customer_is_not_ours(self, acme: Subscriber) -> None:
        other = acme.stripe.customers.create({"name": "Other"}).id
        acme.stripe.customers.update(other, {"name": "Another"})
        acme.hear_all()
        assert (sync(acme), said(acme)) == ({}, ("Acme", ""))


class TestMoneyThatNobodyCollects:
    def test_a_pause_of_collection_is_mirrored_told_once_and_changes_nothing_else(self, acme: Subscriber) -> None:
        subscription = acme.subscribe("pro")
        acme.hear_all()
        acme.stripe.subscriptions.update(subscription, {"pause_collection": {"behavior": "void"}})
        acme.hear_all(twice=True)
        row = acme.row()
        assert row is not None
        assert (row.status, row.collection, acme.plan(), sync(acme)) == ("active", "void", "pro", {})
        assert (mailed(acme), trouble_of(acme)) == (["A subscription is not collected"], [AccountIssue.NOT_COLLECTED])
        acme.wait(acme.now + days(33))
        acme.hear_all()
        assert mailed(acme) == [], "each invoice that it voids is no news"
        assert trouble_of(acme) == [AccountIssue.NOT_COLLECTED]
        acme.stripe.subscriptions.update(subscription, {"pause_collection": ""})
        acme.wait(acme.now + days(31))
        acme.hear_all()
        assert (trouble_of(acme), acme.plan()) == ([], "pro")

    def test_what_no_event_told_is_a_finding_and_a_mail(self, acme: Subscriber, without_events: None) -> None:
        subscription = acme.subscribe("pro")
        acme.hear_all()
        acme.stripe.subscriptions.update(subscription, {"pause_collection": {"behavior": "keep_as_draft"}})
        details = findings(acme)
        assert [each for each in details if "collects nothing until somebody resumes it" in each]
        assert (findings(acme), mailed(acme)) == ([], ["A subscription is not collected"])

    @pytest.mark.parametrize(("way", "title"), GIVEN_UP)
    def test_a_renewal_that_is_given_up(self, acme: Subscriber, way: str, title: str) -> None:
        acme.subscribe("pro")
        acme.use_card(BAD_CARD)
        acme.wait(acme.now + days(32))
        acme.hear_all()
        assert acme.past_due_since() is not None
        (owed,) = acme.stripe.invoices.list({"customer": acme.customer, "status": "open"}).data
        getattr(acme.stripe.invoices, way)(owed.id)
        acme.hear_all(twice=True)
        assert (mailed(acme), trouble_of(acme)) == ([title], [AccountIssue.GIVEN_UP])
        assert (acme.past_due_since(), acme.plan(), sync(acme)) == (None, "pro", {})

    def test_an_invoice_of_something_else_is_not_ours(self, acme: Subscriber) -> None:
        acme.subscribe("pro")
        acme.hear_all()
        acme.stripe.invoice_items.create({"customer": acme.customer, "amount": 500, "currency": "usd"})
        made = acme.stripe.invoices.create({"customer": acme.customer, "pending_invoice_items_behavior": "include"})
        acme.stripe.invoices.finalize_invoice(made.id or "", {"auto_advance": False})
        acme.stripe.invoices.void_invoice(made.id or "")
        acme.hear_all()
        assert mailed(acme) == []

    def test_a_page_that_nobody_pays_is_no_news(self, acme: Subscriber) -> None:
        started = orders.start(acme.enter, acme.payments, "pro", MONTH, PUBLIC_URL)
        acme.pay(started.session_id, DECLINED)
        acme.wait(acme.now + days(2))
        acme.hear_all()
        assert (mailed(acme), trouble_of(acme)) == ([], [])


class TestADisputeOfWhatAPlanCost:
    def test_it_is_told_and_its_loss_stays_visible_while_the_plan_goes_on(self, acme: Subscriber) -> None:
        subscription = acme.subscribe("pro")
        (payment,) = [each.id for each in acme.stripe.payment_intents.list({"customer": acme.customer}).data]
        found = acme.control("POST", "/disputes", payment_intent=payment)
        acme.hear_all()
        assert trouble_of(acme) == [AccountIssue.DISPUTED]
        acme.control("POST", f"/disputes/{found['id']}/close", outcome="lost")
        acme.hear_all(twice=True)
        assert mailed(acme) == ["A payment for a plan is disputed", "A payment for a plan was disputed and is lost"]
        assert (acme.plan(), trouble_of(acme)) == ("pro", [AccountIssue.PLAN_LOST])
        acme.stripe.subscriptions.cancel(subscription)
        acme.hear_all()
        assert (acme.plan(), trouble_of(acme)) == ("free", [])

    def test_one_of_credits_is_none_of_a_plan(self, acme: Subscriber) -> None:
        acme.subscribe("pro")
        acme.buy("mau-10k")
        acme.hear_all()
        found = acme.control("POST", "/disputes", payment_intent=acme.grants()[0].payment_id)
        acme.control("POST", f"/disputes/{found['id']}/close", outcome="lost")
        acme.hear_all()
        assert (mailed(acme), trouble_of(acme)) == ([], [])


PACK = "mau-10k-monthly"


class TestMonthlyPacks:
    """What stops the money of packs that renew is mirrored, shown and told as it is of plans."""

    @pytest.fixture
    def packs(self, acme: Subscriber) -> Subscriber:
        acme.use_card("pm_card_visa")
        acme.buy(PACK)
        acme.hear_all()
        assert (trouble_of(acme), shown(acme)) == ([], ("", "", False))
        return acme

    def test_a_paused_collection(self, packs: Subscriber) -> None:
        resumes = packs.now + days(100)
        pause: Any = {"behavior": "void", "resumes_at": int(resumes.timestamp())}
        packs.stripe.subscriptions.update(of_packs(packs), {"pause_collection": pause})
        packs.hear_all(twice=True)
        assert (mailed(packs), trouble_of(packs)) == (["Monthly packs are not collected"], [AccountIssue.NOT_COLLECTED])
        note = "Nothing is charged for it until 18 Jun, and it brings no credits meanwhile."
        assert shown(packs) == ("Not charged", note, False)
        packs.wait(packs.now + days(32))
        packs.hear_all()
        assert (len(packs.grants()), mailed(packs), sync(packs)) == (1, [], {})
        packs.stripe.subscriptions.update(of_packs(packs), {"pause_collection": ""})
        packs.wait(packs.now + days(32))
        packs.hear_all()
        assert (len(packs.grants()), trouble_of(packs)) == (2, [])

    def test_what_no_event_told_is_a_finding_and_a_mail(self, packs: Subscriber, without_events: None) -> None:
        packs.stripe.subscriptions.update(of_packs(packs), {"pause_collection": {"behavior": "keep_as_draft"}})
        assert [each for each in findings(packs) if "collects nothing until somebody resumes it" in each]
        assert (findings(packs), mailed(packs)) == ([], ["Monthly packs are not collected"])

    @pytest.mark.parametrize(("way", "title"), GIVEN_UP)
    def test_a_renewal_that_is_given_up(self, packs: Subscriber, way: str, title: str) -> None:
        packs.use_card(BAD_CARD)
        packs.wait(packs.now + days(32))
        packs.hear_all()
        (owed,) = packs.stripe.invoices.list({"customer": packs.customer, "status": "open"}).data
        getattr(packs.stripe.invoices, way)(owed.id)
        packs.hear_all(twice=True)
        assert (mailed(packs), trouble_of(packs)) == ([title], [AccountIssue.GIVEN_UP])
        assert shown(packs)[1].endswith("no credits came of it.")
        assert (len(packs.grants()), sync(packs)) == (1, {})

    def test_a_dispute_and_its_loss_while_it_goes_on(self, packs: Subscriber) -> None:
        found = packs.control("POST", "/disputes", payment_intent=packs.grants()[0].payment_id)
        packs.hear_all()
        packs.control("POST", f"/disputes/{found['id']}/close", outcome="lost")
        packs.hear_all(twice=True)
        assert mailed(packs) == [
            "A payment for monthly packs is disputed", "A payment for monthly packs was disputed and is lost",
        ]  # fmt: skip
        assert (trouble_of(packs), shown(packs)[2], packs.balance("mau")) == ([AccountIssue.PACK_LOST], True, 0)
        packs.stripe.subscriptions.cancel(of_packs(packs))
        packs.hear_all()
        assert trouble_of(packs) == []


def of_packs(acme: Subscriber) -> str:
    return acme.stripe.subscriptions.list({"customer": acme.customer}).data[0].id


def shown(acme: Subscriber) -> tuple[str, str, bool]:
    """What the customer's page says of the pack where it is no usual renewal: when, why, and whether money was lost."""
    with acme.database.reading() as session:
        organization = orgs.by_address(session, acme.address)
        view = read_recurring.renewals(Context(session, organization, acme.now), "mau")
        row = renewals_screen(view, Formats()).rows[0]
    return ("" if row.when.startswith("Renews") else row.when, row.note, view.packs[0].lost)
