"""Refunds and disputes as Stripe tells them, through to credits and debt; everything goes over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.reversals import reversals
from billing_app.services.stripe import inbox
from billing_app.store.purchases import reversals as store
from tests.support.refunds import (
    a_second_later,
    account,
    buy,
    clawed_back,
    close,
    differences,
    dispute,
    grant_account,
    payment_of,
    plan,
    refund,
    use,
)
from tests.support.shop import Shop, a_shop


@pytest.fixture
def shop(database: Database) -> Shop:
    """A shop with the plan that includes no SMS."""
    made = a_shop(database)
    plan(made)
    return made


def test_a_partial_refund_takes_its_part(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    shop.hear("refund.created", refund(shop, payment, 325))
    assert shop.balance("sms") == 50
    shop.hear("refund.created", refund(shop, payment, 1))
    assert shop.balance("sms") == 50  # floor(100 * 326 / 650) = 50
    shop.hear("refund.created", refund(shop, payment))
    assert shop.balance("sms") == 0
    assert differences(shop) == []


def test_hearing_of_it_again_changes_nothing(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    found = refund(shop, payment, 325)
    for _ in range(3):
        shop.hear("refund.created", found)
        with shop.database.writing() as session:
            inbox.requeue(session, shop.event_id("refund.created", found), shop.clock())
    assert shop.balance("sms") == 50


def test_a_refund_that_fails_gives_back(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    found = refund(shop, payment, 325)
    shop.hear("refund.created", found)
    shop.control("POST", f"/refunds/{found}/fail")
    shop.hear("refund.failed", found)
    assert shop.balance("sms") == 100
    shop.hear("refund.updated", found)
    assert shop.balance("sms") == 100
    assert differences(shop) == []


def test_an_older_reading_takes_nothing_back(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    found = refund(shop, payment, 325)
    older = reversals.read(shop.payments, payment)
    shop.control("POST", f"/refunds/{found}/fail")
    shop.hear("refund.failed", found)
    with shop.database.writing() as session:
        assert older is not None
        assert not reversals.settle(session, older, shop.clock()).changed
    assert shop.balance("sms") == 100


def test_a_spent_grant_becomes_debt_and_the_next_one_settles_it(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    use(shop, "sms", 80)
    shop.hear("refund.created", refund(shop, payment))
    assert (account(shop, "sms").left, account(shop, "sms").debt) == (0, 80)
    a_second_later()  # Stripe's moments have no fractions
    buy(shop, "sms-100")
    assert (account(shop, "sms").left, account(shop, "sms").debt) == (20, 0)
    assert differences(shop) == []


def test_a_dispute_holds_and_a_won_one_gives_back(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    use(shop, "sms", 30)
    found = dispute(shop, payment)
    shop.hear("charge.dispute.created", found)
    (grant,) = shop.grants()
    assert (account(shop, "sms").left, grant_account(shop, grant).held) == (0, 70)
    close(shop, found, "won")
    shop.hear("charge.dispute.closed", found)
    assert account(shop, "sms").left == 70
    shop.hear("charge.dispute.funds_reinstated", found)
    assert account(shop, "sms").left == 70
    assert differences(shop) == []


def test_a_lost_dispute_is_a_refund(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    use(shop, "sms", 30)
    found = dispute(shop, payment, amount=325)
    shop.hear("charge.dispute.created", found)
    assert account(shop, "sms").left == 0
    close(shop, found, "lost")
    shop.hear("charge.dispute.closed", found)
    assert (account(shop, "sms").left, account(shop, "sms").debt) == (20, 0)


def test_a_lost_dispute_that_nobody_had_heard_of_is_lost(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    found = dispute(shop, payment)
    close(shop, found, "lost")
    shop.hear("charge.dispute.closed", found)
    shop.hear("charge.dispute.created", found)
    assert shop.balance("sms") == 0
    (grant,) = shop.grants()
    assert grant_account(shop, grant).clawed_back == 100


def test_an_inquiry_holds_nothing(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    found = dispute(shop, payment, inquiry=True)
    shop.hear("charge.dispute.created", found)
    assert account(shop, "sms").left == 100
    close(shop, found, "won")
    shop.hear("charge.dispute.closed", found)
    assert account(shop, "sms").left == 100
    with shop.database.reading() as session:
        assert store.actions_on(session, organizations.by_address(session, "acme").pk, [shop.grants()[0].id]) == []


def test_a_refund_during_a_dispute_and_the_dispute_lost_take_no_more_than_everything(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    found = dispute(shop, payment)
    shop.hear("charge.dispute.created", found)
    shop.hear("refund.created", refund(shop, payment, 325))
    (grant,) = shop.grants()
    assert (grant_account(shop, grant).held, grant_account(shop, grant).clawed_back) == (50, 50)
    close(shop, found, "lost")
    shop.hear("charge.dispute.closed", found)
    assert (grant_account(shop, grant).clawed_back, account(shop, "sms").debt) == (100, 0)
    assert differences(shop) == []


def test_a_refund_that_fails_after_the_dispute_was_lost_leaves_its_part_to_the_dispute(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    given = refund(shop, payment, 325)
    shop.hear("refund.created", given)
    found = dispute(shop, payment)
    shop.hear("charge.dispute.created", found)
    close(shop, found, "lost")
    shop.hear("charge.dispute.closed", found)
    assert clawed_back(shop) == {"sms-100": 100}
    shop.control("POST", f"/refunds/{given}/fail")
    shop.hear("refund.failed", given)
    assert clawed_back(shop) == {"sms-100": 100}
    assert differences(shop) == []


def test_a_basket_is_refunded_in_proportion_in_whole_cents(shop: Shop) -> None:
    payment = buy(shop, "mau-100", "emails-100", "sms-100")  # $1.00, $1.00, $6.50
    shop.hear("refund.created", refund(shop, payment, 85))
    assert clawed_back(shop) == {"mau-100": 10, "emails-100": 10, "sms-100": 10}
    shop.hear("refund.created", refund(shop, payment, 1))  # 0.118, 0.118 and 0.765 of a cent more
    assert clawed_back(shop) == {"mau-100": 10, "emails-100": 10, "sms-100": 10}
    shop.hear("refund.created", refund(shop, payment))
    assert clawed_back(shop) == {"mau-100": 100, "emails-100": 100, "sms-100": 100}
    assert differences(shop) == []


def test_a_refund_that_names_its_grant_is_of_that_one(shop: Shop) -> None:
    payment = buy(shop, "mau-100", "sms-100")
    named = next(grant for grant in shop.grants() if grant.metric == "mau")
    shop.hear("refund.created", refund(shop, payment, 50, named.id))
    assert clawed_back(shop) == {"mau-100": 50, "sms-100": 0}
    shop.hear("refund.created", refund(shop, payment))
    assert clawed_back(shop) == {"mau-100": 100, "sms-100": 100}


def test_a_dispute_of_a_basket_is_spread_too(shop: Shop) -> None:
    payment = buy(shop, "mau-100", "emails-100")
    found = dispute(shop, payment, amount=101)
    shop.hear("charge.dispute.created", found)
    assert (account(shop, "mau").left, account(shop, "emails").left) == (0, 0)
    close(shop, found, "lost")
    shop.hear("charge.dispute.closed", found)
    # 50.5 cents each: the odd cent goes to the line that comes first
    assert clawed_back(shop) == {"mau-100": 51, "emails-100": 50}


def test_a_refund_that_is_heard_of_first_fulfils_first(shop: Shop) -> None:
    session_id = shop.buy("sms-100")
    shop.hear("refund.created", refund(shop, payment_of(shop, session_id), 325))
    assert (len(shop.grants()), shop.balance("sms")) == (1, 50)
    shop.hear("checkout.session.completed", session_id)
    assert (len(shop.grants()), shop.balance("sms")) == (1, 50)
    assert shop.told() == ["purchase.paid", "purchase.refunded"]


def test_what_happened_while_nobody_listened_counts_when_it_happened(shop: Shop) -> None:
    """Credits that were refunded an hour ago were not there to be used since (fine point 2)."""
    payment = buy(shop, "sms-100")
    found = refund(shop, payment)
    shop.clock = lambda: clock.now() + timedelta(hours=1)
    use(shop, "sms", 30)
    shop.hear("refund.created", found)
    assert (account(shop, "sms").debt, account(shop, "sms").deficit) == (0, 30)


def test_another_products_refund_is_not_ours(shop: Shop) -> None:
    customer = shop.stripe.customers.create({"name": "Somebody else"})
    intent = shop.stripe.payment_intents.create(
        {
            "amount": 1000,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "metadata": {"organization": "acme"},
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    assert shop.hear("refund.created", refund(shop, intent.id)).ignored == 1


def test_the_same_moment_twice_is_once(shop: Shop) -> None:
    """Two workers that read the same write once: the second finds it recorded."""
    payment = buy(shop, "sms-100")
    refund(shop, payment, 325)
    reading = reversals.read(shop.payments, payment)
    assert reading is not None
    for expected in (True, False):
        with shop.database.writing() as session:
            assert reversals.settle(session, reading, shop.clock()).changed is expected
    assert shop.balance("sms") == 50


def test_a_void_grant_is_still_given_back(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    with shop.database.writing() as session:
        grants.void(
            Context(session, organizations.by_address(session, "acme"), shop.clock()),
            shop.grants()[0].id,
            reason="By mistake",
        )
    shop.hear("refund.created", refund(shop, payment))
    assert (shop.balance("sms"), account(shop, "sms").debt) == (0, 0)


def test_a_deleted_customer_takes_nothing_along_and_the_next_purchase_makes_a_new_one(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    with shop.database.reading() as session:
        old = organizations.by_address(session, "acme").stripe_customer_id or ""
    shop.stripe.customers.delete(old)
    shop.hear("customer.deleted", old)
    assert shop.balance("sms") == 100
    shop.hear("refund.created", refund(shop, payment, 325))
    assert shop.balance("sms") == 50
    buy(shop, "sms-100")
    with shop.database.reading() as session:
        new = organizations.by_address(session, "acme").stripe_customer_id
    assert new not in (None, old)
    assert shop.balance("sms") == 150
