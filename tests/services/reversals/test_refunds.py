"""Refunds that operators make on our pages: shown before, made once, and finished after any crash."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.errors import InvalidError
from billing_app.gateways.stripe.payments import connected
from billing_app.services.common import organizations
from billing_app.services.common.context import Context, OperatorContext
from billing_app.services.credits import grants
from billing_app.services.reversals import refundable, refunds
from billing_app.services.reversals.views import RefundAnswer, RefundPreviewAnswer
from tests.support.crashes import killed
from tests.support.refunds import account, buy, clawed_back, differences, dispute, plan, use
from tests.support.shop import Shop, a_shop


@pytest.fixture
def shop(database: Database) -> Shop:
    """A shop with the plan that includes no SMS."""
    made = a_shop(database)
    plan(made)
    return made


def make(shop: Shop, cents: int | None, key: str = "k1", reason: str = "Bought by mistake") -> RefundAnswer:
    """Gives back of the shop's first grant."""
    return refunds.make(lambda: enter(shop.database), shop.payments, shop.grants()[0].id, cents, reason, key)


@contextmanager
def enter(database: Database) -> Generator[OperatorContext]:
    """An operator comes in."""
    with database.writing() as session:
        yield OperatorContext(session, clock.now(), "user:oda")


def preview(shop: Shop, cents: int | None) -> RefundPreviewAnswer:
    """What a refund of the first grant would do."""
    with shop.database.reading() as session:
        return refundable.preview(session, shop.grants()[0].id, cents, clock.now())


def test_what_it_will_do_is_shown_and_then_done(shop: Shop) -> None:
    buy(shop, "sms-100", "mau-100")
    sms = next(grant for grant in shop.grants() if grant.metric == "sms")
    use(shop, "sms", 80)
    with shop.database.reading() as session:
        shown = refundable.preview(session, sms.id, 325, clock.now())
    assert (shown.amount_cents, shown.taken_back, shown.debt, shown.refundable_cents) == (325, 20, 30, 650)
    made = refunds.make(lambda: enter(shop.database), shop.payments, sms.id, 325, "Bought by mistake", "k1")
    assert (made.state, made.actor) == ("done", "user:oda")
    assert (account(shop, "sms").left, account(shop, "sms").debt) == (0, 30)
    assert clawed_back(shop)["mau-100"] == 0
    assert shop.stripe.refunds.retrieve(made.refund_id).amount == 325
    shop.hear("refund.created", made.refund_id)
    assert account(shop, "sms").debt == 30
    assert differences(shop) == []


def test_the_same_key_is_the_same_refund(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    assert make(shop, 100) == make(shop, 100)
    with pytest.raises(InvalidError, match="another refund"):
        make(shop, 200)
    assert make(shop, 100, key="k2").refund_id != make(shop, 100).refund_id
    assert len(shop.stripe.refunds.list({"payment_intent": payment}).data) == 2


def test_all_that_is_left_and_never_more(shop: Shop) -> None:
    buy(shop, "sms-100")
    make(shop, 600)
    with pytest.raises(InvalidError, match="between 1 and 50"):
        preview(shop, 51)
    assert make(shop, None, key="k2").amount_cents == 50
    with pytest.raises(InvalidError, match="has been given back"):
        make(shop, None, key="k3")
    assert shop.balance("sms") == 0


def test_a_reason_is_required(shop: Shop) -> None:
    buy(shop, "sms-100")
    with pytest.raises(InvalidError, match="Say why"):
        make(shop, 100, reason="  ")


def test_what_was_not_paid_is_not_given_back(shop: Shop) -> None:
    with shop.database.writing() as session:
        acme = organizations.by_address(session, "acme")
        grants.grant(
            Context(session, acme, clock.now()),
            grants.NewGrant("sms", 5, source="operator", source_key="gift", reason="Hello"),
        )
    with pytest.raises(InvalidError, match="Void it"):
        preview(shop, None)


def test_what_stripe_refuses_is_said_and_changes_nothing(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    shop.control("POST", f"/disputes/{dispute(shop, payment)}/close", outcome="lost")
    with pytest.raises(InvalidError, match="charged back"):
        make(shop, 100)
    with pytest.raises(InvalidError, match="charged back"):
        make(shop, 100)
    assert preview(shop, None).refundable_cents == 650  # nothing was heard of the dispute yet


def test_a_failing_answer_is_finished_by_the_sweep(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    shop.control("POST", "/faults", kind="api_error", count=3, status=500, when="after", method="POST", path="refunds")
    with pytest.raises(Exception, match="cannot be reached"):
        make(shop, 100)
    assert shop.balance("sms") == 100
    shop.control("DELETE", "/faults")
    later = lambda: clock.now() + timedelta(minutes=2)  # noqa: E731
    assert refunds.sweep(shop.database.writing, shop.payments, later) == 1
    assert refunds.sweep(shop.database.writing, shop.payments, later) == 0
    assert [each.amount for each in shop.stripe.refunds.list({"payment_intent": payment}).data] == [100]
    assert shop.balance("sms") == 85


def _make(database: Database, key: str, url: str, grant_id: str) -> None:
    refunds.make(lambda: enter(database), connected(key, url), grant_id, 325, "By mistake", "k1")


def test_killed_before_any_write_it_is_one_refund(shop: Shop, database_url: str) -> None:
    payment = buy(shop, "sms-100")
    grant_id = shop.grants()[0].id
    later = lambda: clock.now() + timedelta(minutes=2)  # noqa: E731
    for write in (2, 3, 5, 9, 14, 20):
        killed(database_url, write, _make, shop.key, shop.url, grant_id)
        refunds.sweep(shop.database.writing, shop.payments, later)
    _make(shop.database, shop.key, shop.url, grant_id)
    assert [each.amount for each in shop.stripe.refunds.list({"payment_intent": payment}).data] == [325]
    assert shop.balance("sms") == 50
    assert differences(shop) == []
