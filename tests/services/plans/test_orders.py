"""Of a plan's payment pages one can be paid, however many are begun and however close together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy.exc import IntegrityError

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.errors import BillingError
from billing_app.domain.purchases.baskets import OrderState
from billing_app.gateways.payments import OpenCheckout
from billing_app.gateways.subscriptions import NewSubscription
from billing_app.services.plans import orders
from billing_app.store.tables.purchases import Order
from tests.support.shop import BANK_DEBIT, PUBLIC_URL, Shop, a_shop
from tests.support.subscriber import MONTH

AT_ONCE = 4


@pytest.fixture
def shop(database: Database) -> Shop:
    """A shop that lives in our own time, so that its pages end as Stripe's do."""
    return a_shop(database)


def begin(shop: Shop, plan: str) -> str:
    """Begins a plan; the session's id, or why not."""
    try:
        return orders.start(shop.enter, shop.payments, plan, MONTH, PUBLIC_URL).session_id
    except BillingError as refusal:
        return refusal.code


def open_pages(shop: Shop) -> list[str]:
    """The pages that can be paid at Stripe."""
    return [each.id for each in shop.stripe.checkout.sessions.list({"status": "open", "limit": 100}).data]


def subscriptions(shop: Shop) -> int:
    """Subscriptions at Stripe."""
    return len(shop.stripe.subscriptions.list({"status": "all", "limit": 100}).data)


@pytest.mark.both_databases
@pytest.mark.parametrize("plans", [("pro", "pro", "pro", "pro"), ("essential", "pro", "essential", "pro")])
def test_of_pages_begun_at_one_moment_one_can_be_paid(shop: Shop, plans: tuple[str, ...]) -> None:
    together = Barrier(AT_ONCE)

    def client(plan: str) -> str:
        together.wait()
        return begin(shop, plan)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = list(pool.map(client, plans))
    pages = open_pages(shop)
    assert len(pages) == 1
    assert [each for each in said if each in pages] == pages, "whoever was given the page can pay on it"
    for session_id in {each for each in said if each.startswith("cs_")} - set(pages):
        assert shop.stripe.checkout.sessions.retrieve(session_id).status == "expired"
    assert shop.pay(pages[0])["decline"] is None
    assert (shop.come_back(pages[0]).state, subscriptions(shop)) == (OrderState.PAID, 1)


def test_a_page_that_was_paid_before_it_could_be_closed_decides(shop: Shop) -> None:
    first = begin(shop, "essential")
    assert shop.pay(first)["decline"] is None
    assert begin(shop, "pro") == "already_subscribed"
    assert (open_pages(shop), subscriptions(shop)) == ([], 1)


def test_a_payment_that_takes_days_is_waited_for(shop: Shop) -> None:
    first = begin(shop, "essential")
    assert shop.pay(first, BANK_DEBIT)["decline"] is None
    assert begin(shop, "pro") in ("payment_on_its_way", "already_subscribed")
    assert (open_pages(shop), subscriptions(shop)) == ([], 1)


def test_an_order_that_a_crash_left_without_a_page_stands_in_nobodys_way(shop: Shop) -> None:
    with shop.enter() as visit:
        orders._open(replace(visit, actor="ada"), "essential", MONTH, "once")
    second = begin(shop, "pro")
    assert open_pages(shop) == [second]
    with pytest.raises(BillingError) as refused:
        orders.start(shop.enter, shop.payments, "essential", MONTH, PUBLIC_URL, key="once")
    assert refused.value.code == "order_closed"


def test_a_page_that_comes_after_another_was_begun_is_closed_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was slower than the next one is told so, and nobody can pay on what was made for them."""
    made = shop.payments.create_subscription_checkout

    def slowly(wanted: NewSubscription) -> OpenCheckout:
        monkeypatch.setattr(shop.payments, "create_subscription_checkout", made)
        begin(shop, "pro")
        return made(wanted)

    monkeypatch.setattr(shop.payments, "create_subscription_checkout", slowly)
    assert begin(shop, "essential") == "order_closed"
    assert len(open_pages(shop)) == 1


def test_the_database_itself_holds_one_open_plan_order(shop: Shop) -> None:
    begin(shop, "pro")
    with pytest.raises(IntegrityError), shop.enter() as visit:
        visit.session.add(
            Order(
                organization_id=visit.organization.pk,
                id="or_second",
                kind="plan",
                items="[]",
                total_cents=1,
                currency="usd",
                created_at=clock.now(),
            )
        )
        visit.session.flush()
