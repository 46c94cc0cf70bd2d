"""Whatever waited, for a lock or for Stripe, is decided by what it finds then: nobody acts on what is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlmodel import select

from billing_app.db import Database
from billing_app.domain.common.errors import BillingError
from billing_app.domain.purchases.baskets import OrderState
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.notifications import webhook_endpoints
from billing_app.services.organizations import children
from billing_app.services.payments import customer_leases
from billing_app.services.plans import stripe_endings
from billing_app.services.purchases import endings, recurring_changes
from billing_app.services.purchases.top_ups import Wanted
from billing_app.store.tables.purchases import Order
from tests.support.builders import NOON, an_organization, the_catalogue
from tests.support.patience import PATIENCE_SECONDS
from tests.support.recurring import Renewing
from tests.support.subscriber import Subscriber, a_subscriber, days
from tests.support.top_ups import WANTED, Topping


def meanwhile(patched: pytest.MonkeyPatch, payments: Any, call: str, deed: Callable[[], object]) -> None:
    """Just before Stripe is asked this for the first time, somebody else does something."""
    asked, waiting = getattr(payments, call), [deed]

    def after(*arguments: Any, **more: Any) -> Any:
        while waiting:
            waiting.pop()()
        return asked(*arguments, **more)

    patched.setattr(payments, call, after)


def decide(shop: Any, now: Any, *, at_period_end: bool) -> None:
    with shop.database.writing() as session:
        endings.decide(
            Context(session, organizations.by_address(session, "acme"), now, "ada"), at_period_end=at_period_end
        )


class TestPacks:
    def test_a_payment_that_was_begun_as_the_organization_ended_has_no_page(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acme = a_subscriber(database)
        with monkeypatch.context() as patched:
            meanwhile(patched, acme.payments, "create_checkout", lambda: decide(acme, acme.now, at_period_end=True))
            with pytest.raises(BillingError) as refused:
                acme.start("mau-10k")
        assert refused.value.code == "order_closed"
        with acme.database.reading() as session:
            (order,) = session.exec(select(Order)).all()
        assert order.state == OrderState.EXPIRED
        assert [each.status for each in acme.stripe.checkout.sessions.list({}).data] == ["expired"]

    @pytest.mark.both_databases
    def test_of_two_changes_the_last_that_was_decided_stands(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        renewing = Renewing(database)
        renewing.shop.buy("mau-10k-monthly")
        renewing.news()
        pack, shop = renewing.packs()["mau-10k-monthly"].id, renewing.shop
        decided, told = threading.Event(), shop.payments.change_packs

        def slowly(*arguments: Any) -> Any:
            """The first one has read what to tell; now the other decides, and would be quicker."""
            if not decided.is_set():
                decided.set()
                threading.Event().wait(0.7)
            return told(*arguments)

        with monkeypatch.context() as patched, ThreadPoolExecutor(1) as pool:
            patched.setattr(shop.payments, "change_packs", slowly)
            first = pool.submit(recurring_changes.change, shop.enter, shop.payments, pack, 2)
            assert decided.wait(PATIENCE_SECONDS)
            recurring_changes.change(shop.enter, shop.payments, pack, 5)
            first.result(PATIENCE_SECONDS)
        (item,) = shop.stripe.subscriptions.list({"customer": renewing.customer_id}).data[0]["items"].data
        assert (item.quantity, renewing.packs()["mau-10k-monthly"].next_count) == (5, 5)


class TestEnding:
    @pytest.fixture
    def acme(self, database: Database) -> Subscriber:
        subscriber = a_subscriber(database)
        subscriber.subscribe("pro")
        return subscriber

    def test_what_was_taken_back_meanwhile_is_not_ended(
        self, acme: Subscriber, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def takes_back() -> None:
            with acme.database.writing() as session:
                endings.withdraw(Context(session, organizations.by_address(session, "acme"), acme.now, "ada"))

        decide(acme, acme.now, at_period_end=False)
        with acme.database.writing() as session:
            owner = organizations.by_address(session, "acme").pk
            row = endings.store.ending(session, owner)
            assert row is not None
            row.done_at = None  # as it is until Stripe has been told, at a period's end
            session.add(row)
        with monkeypatch.context() as patched:
            meanwhile(patched, acme.payments, "subscription", takes_back)
            stripe_endings.notify_stripe_at_once(acme.database.writing, acme.payments, owner, acme.clock)
        stripe_endings.sweep(acme.database.writing, acme.payments, acme.clock)
        assert [each.status for each in acme.stripe.subscriptions.list({"customer": acme.customer}).data] == [
            "trialing"
        ]

    def test_what_has_ended_at_stripe_meanwhile_is_written_down(self, acme: Subscriber) -> None:
        decide(acme, acme.now, at_period_end=True)
        acme.stripe.subscriptions.cancel(acme.stripe.subscriptions.list({"customer": acme.customer}).data[0].id)
        with acme.database.writing() as session:
            owner = organizations.by_address(session, "acme").pk
        assert stripe_endings.notify_stripe_at_once(acme.database.writing, acme.payments, owner, acme.clock) == ""
        row = acme.row()
        assert row is not None
        assert (row.status, acme.plan()) == ("canceled", "free")


class TestTopUps:
    @pytest.mark.parametrize("changed", ["off", "smaller cap", "ended"])
    def test_what_nobody_wants_any_more_is_not_charged(
        self, database: Database, monkeypatch: pytest.MonkeyPatch, changed: str
    ) -> None:
        topping = Topping(database)
        deeds: dict[str, Callable[[], object]] = {
            "off": lambda: topping.put(Wanted(False, 100, "emails-1k", 2, 1_200)),
            "smaller cap": lambda: topping.put(Wanted(True, 100, "emails-1k", 1, 260, consent=True)),
            "ended": lambda: decide(topping.shop, topping.now, at_period_end=True),
        }
        with monkeypatch.context() as patched:
            meanwhile(patched, topping.shop.payments, "finalize_invoice", deeds[changed])
            topping.use(1_150)
            topping.sweep()
        (attempt,) = topping.attempts()
        assert (topping.charges(), attempt.state) == ([], "failed")
        assert [each.status for each in topping.shop.stripe.invoices.list({}).data] == ["void"]
        if changed == "off":
            assert attempt.failure == "It was turned off before the card was charged."
            topping.put(WANTED)
            topping.sweep()
            assert topping.bought() == [2_000]


class TestParts:
    def test_a_part_that_was_moved_away_meanwhile_is_nobodys_here(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The admin of a middle one decides about a part that the one above gives to another at that moment."""
        the_catalogue(database)
        with database.writing() as session:
            top = an_organization(session, "top")
            grants.change_plan(Context(session, top, NOON), "custom")
            for name, parent in [("east", top), ("west", top)]:
                children.create(Context(session, parent, NOON, "tests"), name=name, address=name)
            east = organizations.by_address(session, "east")
            children.create(Context(session, east, NOON, "tests"), name="leaf", address="leaf")
        for deed in ("off", "move"):
            with database.writing() as session:
                east, leaf = organizations.by_address(session, "east"), organizations.by_address(session, "leaf")
                known = children.require_child
                with monkeypatch.context() as patched:
                    # It passed the first look, at the door; by its turn it is somebody else's.
                    patched.setattr(
                        children, "find", lambda session, _, address: organizations.by_address(session, address)
                    )
                    children.move(Context(session, organizations.by_address(session, "top"), NOON, "t"), leaf, "west")
                    assert children.require_child is known
                    with pytest.raises(BillingError) as refused:
                        if deed == "off":
                            children.set_active(Context(session, east, NOON, "tests"), leaf, False)
                        else:
                            children.move(Context(session, east, NOON, "tests"), leaf, "east")
                    session.rollback()
            assert refused.value.code == "suborganization_not_found"


@pytest.mark.both_databases
def test_two_who_change_a_webhooks_secret_at_once_both_hold_one_that_signs(database: Database) -> None:
    with database.writing() as session:
        made = webhook_endpoints.create(
            Context(session, an_organization(session), NOON, "tests"), "https://example.com"
        )
    endpoint, begin, url = made.id, Barrier(2), database.url.render_as_string(hide_password=False)

    def rotate(_: int) -> str:
        own = Database(url)
        try:
            with own.writing() as session:
                organization = organizations.by_address(session, "acme")
                webhook_endpoints.one(session, organization, endpoint)
                if not own.sqlite:
                    begin.wait(PATIENCE_SECONDS)
                return webhook_endpoints.rotate(Context(session, organization, NOON, "tests"), endpoint).secret
        finally:
            own.close()

    with ThreadPoolExecutor(2) as pool:
        shown = set(pool.map(rotate, range(2)))
    with database.reading() as session:
        row = webhook_endpoints.one(session, organizations.by_address(session, "acme"), endpoint)
        assert set(webhook_endpoints.secrets_of(row, NOON)) == shown


def test_a_return_page_waits_for_the_event_that_is_worked_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = a_subscriber(database)
    started = acme.orders_plan("pro")
    acme.pay(started)
    monkeypatch.setattr(customer_leases, "TRIES", 1)
    with customer_leases.held(acme.enter):
        said = acme.come_back(started)
        assert (said.state, said.processing, acme.row()) == (OrderState.OPEN, True, None)
    assert acme.come_back(started).state is OrderState.PAID
    assert acme.row() is not None


def test_a_lease_that_was_lost_is_noticed_before_anything_is_done(database: Database) -> None:
    acme = a_subscriber(database)
    with customer_leases.held(acme.enter) as renew:
        acme.now += days(1)  # we were suspended for a day, and another one is at it
        with customer_leases.held(acme.enter), pytest.raises(BillingError) as refused, acme.enter() as visit:
            renew(visit)
    assert refused.value.code == "lease_taken"
