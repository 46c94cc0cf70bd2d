"""Recurring packs: every paid invoice is one grant a pack, valid for a year, however the news of it comes."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError
from billing_app.services.common import audit
from billing_app.services.purchases import recurring_changes
from billing_app.services.subscriptions import recurring_packs
from tests.support.crashes import leases_run_out, survives
from tests.support.recurring import START, Renewing
from tests.support.shop import FAILING_BANK_DEBIT
from tests.support.subscriber import START as START_OF_PLAN
from tests.support.subscriber import a_subscriber


@pytest.fixture
def renewing(database: Database) -> Renewing:
    """A shop on a test clock."""
    return Renewing(database)


def test_a_monthly_pack_is_one_grant_a_month_each_valid_a_year(renewing: Renewing) -> None:
    session_id = renewing.shop.buy("mau-10k-monthly")
    assert renewing.shop.come_back(session_id).state == "paid"
    renewing.news()
    renewing.advance(days=31, hours=2)
    renewing.news()
    first, second = renewing.shop.grants()
    assert (first.source, first.paid_cents, first.quantity, first.reason) == (
        "recurring", 1_200, 10_000, "10,000 MAU pack",
    )  # fmt: skip
    assert first.effective_at == START
    assert first.expires_at == START.replace(year=2027)
    assert second.effective_at == START + timedelta(days=31, hours=1)
    assert first.payment_id.startswith("pi_")
    assert first.payment_id != second.payment_id
    pack = renewing.packs()["mau-10k-monthly"]
    assert (pack.state, pack.count, pack.next_count, pack.renews_at) == ("active", 1, 1, START + timedelta(days=59))
    assert [message.kind for message in renewing.told()] == ["purchase.paid", "recurring_pack.renewed"]
    renewing.clean()


@pytest.mark.parametrize("newest_first", [False, True])
def test_webhooks_alone_bring_it_in_any_order_and_once(renewing: Renewing, newest_first: bool) -> None:
    session_id = renewing.shop.buy("mau-10k-monthly", "sms-100", storage_100gb_monthly=2)
    renewing.news(newest_first=newest_first)
    assert renewing.shop.come_back(session_id).state == "paid"
    status = renewing.shop.come_back(session_id)
    assert {grant.pack: grant.source for grant in status.grants} == {
        "mau-10k-monthly": "recurring", "storage-100gb-monthly": "recurring", "sms-100": "purchase",
    }  # fmt: skip
    assert status.total_cents == 1_200 + 2 * 900 + 650
    renewing.advance(days=31, hours=2)
    renewing.news(newest_first=newest_first)
    assert renewing.granted() == {"mau-10k-monthly": 2, "storage-100gb-monthly": 2, "sms-100": 1}
    assert renewing.packs()["storage-100gb-monthly"].count == 2
    renewing.clean()


def change(renewing: Renewing, pack: str, count: int) -> None:
    """What the page and the API do."""
    recurring_changes.change(renewing.shop.enter, renewing.shop.payments, renewing.packs()[pack].id, count)


def bought(renewing: Renewing, *packs: str) -> None:
    """Packs that were bought and heard of."""
    renewing.shop.buy(*packs)
    renewing.news()


def a_month_later(renewing: Renewing) -> None:
    """The next renewal is over."""
    renewing.advance(days=31, hours=2)
    renewing.news()


def test_a_quantity_counts_from_the_next_renewal_without_proration(renewing: Renewing) -> None:
    bought(renewing, "mau-10k-monthly")
    change(renewing, "mau-10k-monthly", 3)
    with renewing.shop.enter() as buyer:
        (entry,) = audit.entries(buyer.session, buyer.organization.pk, 50, action="recurring_pack.changed")
    assert (entry.subject, entry.before, entry.after) == ("mau-10k-monthly", {"count": 1}, {"count": 3})
    renewing.news()
    pack = renewing.packs()["mau-10k-monthly"]
    assert (pack.count, pack.next_count) == (1, 3)
    assert renewing.granted() == {"mau-10k-monthly": 1}
    a_month_later(renewing)
    assert [(grant.quantity, grant.paid_cents) for grant in renewing.shop.grants()] == [
        (10_000, 1_200), (30_000, 3_600),
    ]  # fmt: skip
    assert renewing.packs()["mau-10k-monthly"].count == 3


def test_one_of_several_ends_and_the_others_go_on(renewing: Renewing) -> None:
    bought(renewing, "mau-10k-monthly", "sms-500-monthly")
    change(renewing, "mau-10k-monthly", 0)
    assert renewing.packs()["mau-10k-monthly"].state == "active"
    a_month_later(renewing)
    assert renewing.granted() == {"mau-10k-monthly": 1, "sms-500-monthly": 2}
    assert {pack: row.state for pack, row in renewing.packs().items()} == {
        "mau-10k-monthly": "ended", "sms-500-monthly": "active",
    }  # fmt: skip
    assert [m.kind for m in renewing.told("recurring_pack.")] == ["recurring_pack.ended", "recurring_pack.renewed"]
    with pytest.raises(ConflictError, match="has ended"):
        change(renewing, "mau-10k-monthly", 1)


def test_what_was_cancelled_goes_on_after_all(renewing: Renewing) -> None:
    bought(renewing, "mau-10k-monthly", "sms-500-monthly")
    for pack in ("mau-10k-monthly", "sms-500-monthly"):
        change(renewing, pack, 0)
    renewing.news()
    assert [row.next_count for row in renewing.packs().values()] == [0, 0]
    change(renewing, "mau-10k-monthly", 1)
    renewing.news()
    a_month_later(renewing)
    assert renewing.granted() == {"mau-10k-monthly": 2, "sms-500-monthly": 1}


def test_the_last_one_ends_with_its_period_and_its_grants_stay(renewing: Renewing) -> None:
    bought(renewing, "mau-10k-monthly")
    change(renewing, "mau-10k-monthly", 0)
    a_month_later(renewing)
    assert renewing.granted() == {"mau-10k-monthly": 1}
    assert renewing.packs()["mau-10k-monthly"].state == "ended"
    assert renewing.shop.balance("mau") == 10_000
    renewing.clean()


def test_a_renewal_that_fails_brings_nothing_until_it_is_paid(renewing: Renewing) -> None:
    bought(renewing, "mau-10k-monthly")
    renewing.use_card("pm_card_chargeCustomerFail")
    a_month_later(renewing)
    pack = renewing.packs()["mau-10k-monthly"]
    assert (pack.state, pack.failure) == ("past_due", "Your card was declined.")
    assert renewing.granted() == {"mau-10k-monthly": 1}
    assert renewing.told("recurring_pack.payment_failed")
    renewing.use_card("pm_card_visa")
    renewing.advance(days=3, hours=1)
    renewing.news()
    first, second = renewing.shop.grants()
    assert second.effective_at > first.effective_at + timedelta(days=33)
    assert renewing.packs()["mau-10k-monthly"].state == "active"
    assert len(renewing.told("recurring_pack.renewed")) == 1
    renewing.clean()


def test_when_nobody_pays_at_all_it_ends(renewing: Renewing) -> None:
    bought(renewing, "mau-10k-monthly")
    renewing.use_card("pm_card_chargeCustomerFail")
    a_month_later(renewing)
    renewing.advance(days=20)
    renewing.news()
    assert renewing.packs()["mau-10k-monthly"].state == "ended"
    assert renewing.granted() == {"mau-10k-monthly": 1}


def test_a_coupon_for_everything_makes_a_free_grant_and_a_trial_none(renewing: Renewing) -> None:
    bought(renewing, "mau-10k-monthly")
    v1 = renewing.shop.stripe
    (made,) = v1.subscriptions.list({"customer": renewing.customer_id}).data
    price, metadata = made["items"].data[0].price.id, made.metadata.to_dict()
    coupon = v1.coupons.create({"percent_off": 100, "duration": "once"}).id
    common: Any = {"customer": renewing.customer_id, "items": [{"price": price}], "metadata": metadata}
    renewing.use_card("pm_card_visa")
    v1.subscriptions.create({**common, "discounts": [{"coupon": coupon}]})
    v1.subscriptions.create({**common, "trial_period_days": 7})
    renewing.news()
    assert sorted(grant.paid_cents for grant in renewing.shop.grants()) == [0, 1_200]
    renewing.advance(days=7, hours=2)
    renewing.news()
    assert sorted(grant.paid_cents for grant in renewing.shop.grants()) == [0, 1_200, 1_200]


def test_renewals_that_stripe_never_told_of_are_found(renewing: Renewing) -> None:
    bought(renewing, "mau-10k-monthly")
    renewing.advance(days=31, hours=4)
    assert recurring_changes.sweep(renewing.shop.database.writing, renewing.shop.payments, renewing.shop.clock) == 1
    assert renewing.granted() == {"mau-10k-monthly": 2}
    renewing.news()
    assert renewing.granted() == {"mau-10k-monthly": 2}
    assert recurring_changes.sweep(renewing.shop.database.writing, renewing.shop.payments, renewing.shop.clock) == 0


def test_a_change_that_stripe_was_not_told_of_is_told(renewing: Renewing) -> None:
    bought(renewing, "mau-10k-monthly")
    with renewing.shop.enter() as buyer:
        pack_id = renewing.packs()["mau-10k-monthly"].id
        recurring_changes.decide(buyer, pack_id, 2)
    renewing.now += timedelta(minutes=2)
    recurring_changes.sweep(renewing.shop.database.writing, renewing.shop.payments, renewing.shop.clock)
    (made,) = renewing.shop.stripe.subscriptions.list({"customer": renewing.customer_id}).data
    assert made["items"].data[0].quantity == 2
    assert renewing.packs()["mau-10k-monthly"].stripe_revision == 1


def test_beside_a_plan_neither_touches_the_other(database: Database) -> None:
    subscriber = a_subscriber(database)
    plan = subscriber.subscribe("essential")
    subscriber.come_back(subscriber.buy("mau-10k-monthly"))
    subscriber.hear_all()
    packs = next(each for each in subscriber.stripe.subscriptions.list({}).data if each.id != plan)
    bad = subscriber.stripe.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": subscriber.customer}).id
    subscriber.stripe.subscriptions.update(packs.id, {"default_payment_method": bad})
    subscriber.wait(START_OF_PLAN + timedelta(days=32))
    subscriber.hear_all()
    with subscriber.enter() as buyer:
        (row,) = recurring_packs.listed(buyer.session, buyer.organization)
    assert (row.state, row.subscription_id) == ("past_due", packs.id)
    assert subscriber.plan() == "essential"
    assert subscriber.past_due_since() is None
    current = subscriber.row()
    assert current is not None
    assert (current.id, current.status) == (plan, "active")
    assert [grant.source for grant in subscriber.grants()] == ["recurring"]
    recurring_changes.change(subscriber.enter, subscriber.payments, row.id, 0)
    subscriber.hear_all()
    assert subscriber.plan() == "essential"


@pytest.mark.both_databases
def test_a_crash_between_any_two_writes_of_the_return_grants_once(renewing: Renewing) -> None:
    write, done = 0, False
    while not done:
        write += 1
        session_id = renewing.shop.buy("mau-10k-monthly", "sms-100")
        done = survives(renewing.shop.database, write, partial(renewing.shop.come_back, session_id))
        leases_run_out(renewing.shop.database)
        renewing.news()
        assert renewing.shop.come_back(session_id).state == "paid"
        assert renewing.granted() == {"mau-10k-monthly": write, "sms-100": write}, f"a crash before write {write}"
    assert write > 5
    renewing.clean()


def test_a_bank_debit_that_fails_brings_nothing(renewing: Renewing) -> None:
    started = renewing.shop.start("mau-10k-monthly")
    renewing.shop.pay(started.session_id, FAILING_BANK_DEBIT)
    status = renewing.shop.come_back(started.session_id)
    assert (status.state, status.processing) == ("open", True)
    renewing.advance(minutes=10)
    renewing.news()
    assert (renewing.shop.come_back(started.session_id).state, renewing.shop.grants()) == ("failed", [])
