"""Promotion codes on the payment page of packs: what a line costs after them is what its grant was paid."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from billing_app.db import Database
from billing_app.domain.common.errors import BillingError
from billing_app.services.reversals import refundable
from billing_app.services.stripe import reconciliation
from billing_app.services.stripe.findings import Sync
from billing_app.store.tables.stripe import ReconciliationFinding
from tests.support.shop import Shop, a_shop


@pytest.fixture
def shop(database: Database) -> Shop:
    """A shop with an account of its own at Stripe."""
    return a_shop(database)


def code(shop: Shop, **off: Any) -> str:
    """A promotion code that takes this off, once."""
    coupon = shop.stripe.coupons.create({"duration": "once", **off}).id
    said: Any = {"promotion": {"type": "coupon", "coupon": coupon}}
    return shop.stripe.promotion_codes.create(said).code


def buy(shop: Shop, promotion_code: str, **counts: int) -> str:
    started = shop.start(key=None, **counts)
    assert shop.pay(started.session_id, promotion_code=promotion_code.lower())["decline"] is None
    return started.session_id


def paid(shop: Shop) -> dict[str, int]:
    return {grant.pack or "": grant.paid_cents for grant in shop.grants()}


@pytest.mark.parametrize(
    ("off", "cents"),
    [
        ({"percent_off": 25}, {"mau-10k": 2_100, "emails-1k": 187}),
        ({"percent_off": 33.3}, {"mau-10k": 1_867, "emails-1k": 167}),
        ({"amount_off": 1, "currency": "usd"}, {"mau-10k": 2_799, "emails-1k": 250}),
        ({"amount_off": 1_000, "currency": "usd"}, {"mau-10k": 1_882, "emails-1k": 168}),
    ],
)
def test_what_a_line_cost_after_a_code_is_what_its_grant_was_paid(
    shop: Shop, off: dict[str, Any], cents: dict[str, int]
) -> None:
    session_id = buy(shop, code(shop, **off), mau_10k=2, emails_1k=1)
    status = shop.come_back(session_id)
    assert paid(shop) == cents
    assert (status.state, status.total_cents) == ("paid", sum(cents.values()))
    # A refund of a part is spread over the lines in whole cents, and takes as much of the credits.
    payment = shop.grants()[0].payment_id
    refund = shop.stripe.refunds.create({"payment_intent": payment, "amount": sum(cents.values()) // 2})
    shop.hear("refund.created", refund.id)
    taken = 20_000 - shop.balance("mau")
    assert abs(taken - 10_000) <= 20
    rest = shop.stripe.refunds.create({"payment_intent": payment})
    shop.hear("refund.created", rest.id)
    assert (shop.balance("mau"), shop.balance("emails")) == (0, 0)
    assert findings(shop) == []


@pytest.mark.parametrize("heard", ["return", "webhook", "sync"])
def test_a_code_for_everything_makes_a_free_grant(shop: Shop, heard: str) -> None:
    session_id = buy(shop, code(shop, percent_off=100), mau_10k=1, emails_1k=2)
    if heard == "return":
        status = shop.come_back(session_id)
        assert (status.state, status.total_cents, status.failure) == ("paid", 0, "")
    elif heard == "webhook":
        assert shop.hear("checkout.session.completed", session_id).failed == 0
    else:
        assert findings(shop) == []  # it went through the inbox, as an event that was missed
    assert paid(shop) == {"mau-10k": 0, "emails-1k": 0}
    assert (shop.balance("mau"), shop.balance("emails")) == (10_000, 2_000)
    assert shop.stripe.payment_intents.list().data == []
    with shop.enter() as buyer, pytest.raises(BillingError):
        refundable.preview(buyer.session, shop.grants()[0].id, None, buyer.now)
    shop.come_back(session_id)
    assert len(shop.grants()) == 2
    assert findings(shop) == []


def test_a_code_for_one_product_leaves_the_other_line_whole(shop: Shop) -> None:
    shop.buy("mau-10k", "emails-1k")  # so that the products are there
    word = code(shop, percent_off=100, applies_to={"products": ["pack_mau-10k"]})
    shop.come_back(buy(shop, word, mau_10k=1, emails_1k=1))
    assert paid(shop) == {"mau-10k": 0, "emails-1k": 250}
    payment = next(grant.payment_id for grant in shop.grants() if grant.paid_cents)
    refund = shop.stripe.refunds.create({"payment_intent": payment})
    shop.hear("refund.created", refund.id)
    assert (shop.balance("mau"), shop.balance("emails")) == (10_000, 0)


def test_a_code_works_for_packs_that_renew(shop: Shop) -> None:
    shop.come_back(buy(shop, code(shop, percent_off=50), mau_10k_monthly=1, emails_1k=2))
    full = shop.stripe.prices.list({"lookup_keys": ["pack:mau-10k-monthly"]}).data[0].unit_amount or 0
    assert paid(shop) == {"mau-10k-monthly": full // 2, "emails-1k": 250}


def test_a_code_that_is_not_good_is_refused_and_the_page_stays_payable(shop: Shop) -> None:
    started = shop.start("mau-10k")
    with pytest.raises(AssertionError, match="not valid"):
        shop.pay(started.session_id, promotion_code="NOBODY")
    shop.pay(started.session_id)
    assert shop.come_back(started.session_id).total_cents == 1_400


def findings(shop: Shop) -> list[str]:
    """What a comparison with Stripe finds."""
    since = shop.clock().replace(year=2025)
    run = reconciliation.run(Sync(shop.database.writing, shop.payments, shop.clock, since), "test", "demand")
    with shop.database.reading() as session:
        query = select(ReconciliationFinding.code).where(ReconciliationFinding.run_id == run)
        return [found for found in session.exec(query) if found != "event_missed"]
