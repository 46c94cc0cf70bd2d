"""What somebody deleted, archived or changed at Stripe, and nobody told us: it is made anew on the spot, once."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from sqlmodel import select

from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError
from billing_app.domain.purchases.subscriptions import BillingInterval
from billing_app.gateways.invoices import NewInvoice
from billing_app.gateways.payments import NewCheckout, NewCustomer
from billing_app.gateways.reversals import NewRefund
from billing_app.services.common import organizations
from billing_app.services.payments import stripe_catalogue as at_stripe
from billing_app.services.plans import changes, orders
from billing_app.services.purchases import saved_cards
from billing_app.services.purchases.status import PurchaseStatus
from billing_app.services.stripe import reconciliation
from billing_app.services.stripe.findings import Sync
from billing_app.store.purchases import customers as customer_store
from billing_app.store.tables.access import AuditEntry
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.stripe import ReconciliationFinding
from tests.gateways.test_stripe_payments import an_offer
from tests.support.patience import PATIENCE_SECONDS
from tests.support.shop import PUBLIC_URL, Shop, a_shop


@pytest.fixture
def shop(database: Database) -> Shop:
    """Has bought a pack, so that everything of it is at Stripe."""
    made = a_shop(database)
    buy(made)
    return made


def buy(shop: Shop) -> PurchaseStatus:
    """A pack, to the end."""
    status = shop.come_back(shop.buy("mau-10k"))
    assert status.state == "paid"
    return status


def price_id(shop: Shop) -> str:
    return shop.stripe.prices.list({"lookup_keys": ["pack:mau-10k"], "active": True}).data[0].id


def customer_of(shop: Shop) -> str:
    with shop.database.reading() as session:
        return organizations.by_address(session, "acme").stripe_customer_id or ""


# --- prices and products


def archive_price(shop: Shop) -> None:
    shop.stripe.prices.update(price_id(shop), {"active": False})


def archive_product(shop: Shop) -> None:
    shop.stripe.products.update("pack_mau-10k", {"active": False})


def archive_both(shop: Shop) -> None:
    archive_price(shop)
    archive_product(shop)


def change_metadata(shop: Shop) -> None:
    shop.stripe.prices.update(price_id(shop), {"metadata": {"quantity": "99"}})


def take_the_key_away(shop: Shop) -> None:
    shop.stripe.prices.update(price_id(shop), {"lookup_key": f"elsewhere-{time.monotonic_ns()}"})


def give_the_key_to_another(shop: Shop, **other: Any) -> str:
    product = shop.stripe.products.create({"name": "Theirs"}).id
    said: Any = {
        "product": product, "unit_amount": 1, "currency": "eur", "lookup_key": "pack:mau-10k",
        "transfer_lookup_key": True, **other,
    }  # fmt: skip
    return shop.stripe.prices.create(said).id


@pytest.mark.parametrize(
    "spoil", [archive_price, archive_product, archive_both, change_metadata, take_the_key_away, give_the_key_to_another]
)
@pytest.mark.parametrize("times", [1, 3])
def test_whatever_became_of_a_price_the_pack_is_sold_at_its_own(
    shop: Shop, spoil: Callable[[Shop], Any], times: int
) -> None:
    for _ in range(times):
        spoil(shop)
        (grant,) = buy(shop).grants
        assert (grant.quantity, grant.paid_cents, grant.currency) == (10_000, 1_400, "usd")
    sold = shop.stripe.prices.list({"lookup_keys": ["pack:mau-10k"], "active": True, "expand": ["data.product"]}).data
    assert [(price.unit_amount, price.currency, price.product.active) for price in sold] == [(1_400, "usd", True)]  # type: ignore[union-attr]


def test_a_price_of_somebody_elses_loses_our_key_and_stays_on_sale(shop: Shop) -> None:
    theirs = give_the_key_to_another(shop)
    buy(shop)
    found = shop.stripe.prices.retrieve(theirs)
    assert (found.active, found.lookup_key) == (True, None)


@pytest.mark.both_databases
def test_many_who_find_an_archived_price_make_one(shop: Shop) -> None:
    archive_price(shop)
    started: list[str] = []
    threads = [Thread(target=lambda: started.append(shop.start("mau-10k").session_id)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert len(started) == 4
    prices = shop.stripe.prices.list({"product": "pack_mau-10k", "limit": 100}).data
    assert sorted(price.active for price in prices) == [False, True]


def test_a_push_mends_an_archived_price(shop: Shop) -> None:
    archive_price(shop)
    offers = [an_offer()]
    for _ in range(2):
        at_stripe.push(shop.payments, at_stripe.plan(shop.payments, offers))
    assert shop.payments.prices(["pack:mau-10k"])["pack:mau-10k"].says(offers[0])


# --- customers


def test_a_customer_that_was_deleted_unheard_of_is_replaced_by_the_next_purchase(shop: Shop) -> None:
    old = customer_of(shop)
    shop.stripe.customers.delete(old)
    buy(shop)
    new = customer_of(shop)
    assert new not in ("", old)
    assert len(shop.grants()) == 2
    with shop.database.reading() as session:
        found = organizations.by_address(session, "acme")
        assert [row.customer_id for row in customer_store.former(session, found)] == [old]
        said = session.exec(select(AuditEntry).where(AuditEntry.action == "customer.deleted")).all()
        assert [entry.subject for entry in said] == [old]
    # Stripe's event may come all the same.
    shop.hear("customer.deleted", old)
    assert customer_of(shop) == new


@pytest.mark.parametrize(
    "use",
    [
        lambda shop: shop.start("mau-10k-monthly"),
        lambda shop: orders.start(shop.enter, shop.payments, "pro", BillingInterval.MONTH, PUBLIC_URL),
        lambda shop: saved_cards.begin(shop.enter, shop.payments, PUBLIC_URL, "mau"),
        lambda shop: changes.portal(shop.enter, shop.payments, PUBLIC_URL),
    ],
    ids=["monthly", "plan", "card", "portal"],
)
def test_so_does_everything_else_that_needs_a_customer(shop: Shop, use: Callable[[Shop], Any]) -> None:
    old = customer_of(shop)
    shop.stripe.customers.delete(old)
    use(shop)
    assert customer_of(shop) not in ("", old)
    assert [each.id for each in changes.invoices(shop.enter, shop.payments)] == []


@pytest.mark.both_databases
def test_many_who_find_the_customer_gone_make_one(shop: Shop) -> None:
    old = customer_of(shop)
    shop.stripe.customers.delete(old)
    started: list[str] = []
    threads = [Thread(target=lambda: started.append(shop.start("mau-10k").session_id)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert len(started) == 4
    assert len(shop.stripe.customers.list().data) == 1


def test_who_died_after_making_the_new_customer_goes_on_with_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.stripe.customers.delete(customer_of(shop))

    class DiedError(Exception):
        pass

    def die(*_: Any) -> str:
        raise DiedError

    with monkeypatch.context() as patch:
        patch.setattr(customer_store, "adopt", die)
        with pytest.raises(DiedError):
            shop.start("mau-10k", key="again")
    assert customer_of(shop) == ""
    started = shop.start("mau-10k", key="again")
    assert shop.pay(started.session_id)["decline"] is None
    assert shop.come_back(started.session_id).state == "paid"
    assert [found.id for found in shop.stripe.customers.list().data] == [customer_of(shop)]


def test_what_went_with_a_customer_is_followed_and_told_to_operators(shop: Shop) -> None:
    monthly = shop.come_back(shop.buy("mau-10k-monthly"))
    plan = orders.start(shop.enter, shop.payments, "pro", BillingInterval.MONTH, PUBLIC_URL)
    assert shop.pay(plan.session_id)["decline"] is None
    assert (monthly.state, shop.come_back(plan.session_id).state) == ("paid", "paid")
    old = customer_of(shop)
    shop.stripe.customers.delete(old)
    buy(shop)
    with shop.database.reading() as session:
        owner = organizations.by_address(session, "acme").pk
        (former,) = customer_store.former(session, session.get_one(Organization, owner))
        assert "subscription of its plan" in former.had
        assert "1 monthly pack" in former.had
    # A refund of what the old customer paid is still ours.
    paid = next(grant for grant in shop.grants() if grant.source == "purchase")
    refund = shop.stripe.refunds.create({"payment_intent": paid.payment_id})
    shop.hear("refund.created", refund.id)
    assert shop.balance("mau") > 0
    with shop.database.reading() as session:
        from billing_app.store.purchases import recurring, subscriptions

        current = subscriptions.current(session, owner)
        assert current is not None
        assert current.status == "canceled"
        assert {row.state for row in recurring.of_organization(session, owner)} == {"ended"}
    for told in (1, 0):
        run = reconciliation.run(Sync(shop.database.writing, shop.payments, shop.clock, shop.clock()), "test", "demand")
        with shop.database.reading() as session:
            query = select(ReconciliationFinding).where(ReconciliationFinding.run_id == run)
            codes = [finding.code for finding in session.exec(query)]
        assert codes.count("customer_deleted") == told


# --- whatever else is made under a fixed key


def test_sessions(shop: Shop) -> None:
    wanted = NewCheckout(
        "one", customer_of(shop), ((price_id(shop), 1),), "https://a/{CHECKOUT_SESSION_ID}", "https://b", "r", {}
    )
    first = shop.payments.create_checkout(wanted)
    assert shop.payments.create_checkout(wanted) == first
    shop.stripe.checkout.sessions.expire(first.id)
    second = shop.payments.create_checkout(wanted)
    assert second.id != first.id
    assert second.url.startswith("http")
    assert shop.payments.create_checkout(wanted) == second
    shop.pay(second.id)
    assert shop.payments.create_checkout(wanted).url == f"https://a/{second.id}"


def test_invoices_and_their_lines(shop: Shop) -> None:
    customer = customer_of(shop)
    method = shop.stripe.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    wanted = NewInvoice("one", customer, "usd", method, "Top-up", {})
    first = shop.payments.create_invoice(wanted)
    assert shop.payments.create_invoice(wanted) == first
    for _ in range(2):
        shop.payments.add_invoice_line("line", first, customer, price_id(shop), 2)
    assert [line.count for line in shop.payments.invoice(first).lines] == [2]
    shop.payments.finalize_invoice("open", first)
    shop.payments.void_invoice("void", first)
    second = shop.payments.create_invoice(wanted)
    assert second != first
    shop.stripe.invoices.delete(second)
    assert shop.payments.create_invoice(wanted) not in (first, second)


def test_a_refund_that_failed_since_is_told_as_it_is(shop: Shop) -> None:
    payment = shop.grants()[0].payment_id
    wanted = NewRefund("one", payment, 500, {})
    first = shop.payments.create_refund(wanted)
    shop.control("POST", f"/refunds/{first.id}/fail")
    again = shop.payments.create_refund(wanted)
    assert (again.id, again.status) == (first.id, "failed")


def test_what_is_deleted_again_and_again_is_said_to_be(shop: Shop) -> None:
    wanted = NewCustomer("one", "Acme", {})
    for _ in range(20):
        shop.stripe.customers.delete(shop.payments.create_customer(wanted))
    with pytest.raises(ConflictError) as refused:
        shop.payments.create_customer(wanted)
    assert refused.value.code == "payments_conflict"
