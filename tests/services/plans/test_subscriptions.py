"""Plans, whole: over HTTP against the fake Stripe, with months that pass when a test says so."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from billing_app.db import Database
from billing_app.domain.common.errors import BillingError
from billing_app.domain.purchases.baskets import OrderState
from billing_app.services.common.context import Context
from billing_app.services.common.organizations import by_address
from billing_app.services.plans import changes, orders
from billing_app.services.usage import reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.store.tables.subscriptions import PlanPreview, Subscription
from tests.support.patience import PATIENCE_SECONDS
from tests.support.shop import DECLINED, PUBLIC_URL
from tests.support.subscriber import BAD_CARD, MONTH, START, YEAR, Subscriber, a_subscriber, days

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SETTLED = 2 * HOUR
"""After a renewal its invoice is a draft for an hour."""

FREE_MAU, ESSENTIAL_MAU, PRO_MAU = 1_000, 10_000, 25_000


def without_trials(document: dict[str, Any]) -> None:
    for plan in document["plans"]:
        plan["trial_days"] = 0


@pytest.fixture
def trying(database: Database) -> Subscriber:
    return a_subscriber(database)


@pytest.fixture
def acme(database: Database) -> Subscriber:
    subscriber = a_subscriber(database)
    subscriber.change_catalogue(without_trials)
    return subscriber


def row_of(subscriber: Subscriber) -> Subscription:
    row = subscriber.row()
    assert row is not None
    return row


def with_custom_sold(document: dict[str, Any]) -> None:
    document["plans"][-1]["prices"].update(month=29_900)


def expect_expired(subscriber: Subscriber, plan: str, at: datetime) -> None:
    with pytest.raises(BillingError) as refused:
        changes.change(subscriber.enter, subscriber.payments, plan, MONTH, at)
    assert refused.value.code == "preview_expired"


class TestBeginning:
    def test_a_first_month_is_a_part_and_then_renewal_and_reset_are_one_instant(self, acme: Subscriber) -> None:
        acme.subscribe("essential")
        row = row_of(acme)
        assert (row.status, row.plan, row.interval, row.period_end) == ("active", "essential", "month", APRIL)
        rest = (APRIL - START) / (APRIL - datetime(2026, 3, 1, tzinfo=UTC))
        assert acme.charged() == [round(2900 * rest)]
        assert (acme.plan(), acme.allowance("mau")) == ("essential", ESSENTIAL_MAU)
        acme.wait(APRIL + SETTLED)
        acme.hear_all()
        row = row_of(acme)
        assert (row.period_start, row.period_end, acme.charged()[-1]) == (APRIL, MAY, 2900)
        assert acme.differences() == []

    def test_a_trial_gives_the_plan_at_once_and_bills_when_it_ends(self, trying: Subscriber) -> None:
        trying.subscribe("essential")
        row = row_of(trying)
        assert (row.status, row.trial_end, trying.plan(), trying.charged()) == (
            "trialing", START + days(14), "essential", [0],
        )  # fmt: skip
        assert trying.allowance("mau") == ESSENTIAL_MAU
        trying.wait(START + days(14) + SETTLED)
        trying.hear_all()
        assert (row_of(trying).status, trying.charged()[-1], trying.plan()) == ("active", 2900, "essential")

    def test_a_year_is_paid_at_once_and_metered_monthly(self, acme: Subscriber) -> None:
        acme.subscribe("essential", YEAR)
        row = row_of(acme)
        assert (row.interval, row.period_end, acme.charged()) == (
            "year", START.replace(year=2027), [29000],
        )  # fmt: skip
        for month in (APRIL, MAY):
            assert acme.allowance("mau", month + HOUR) == ESSENTIAL_MAU

    def test_who_comes_first_with_the_news_makes_no_difference(self, acme: Subscriber) -> None:
        started = orders.start(acme.enter, acme.payments, "pro", MONTH, PUBLIC_URL)
        acme.pay(started.session_id)
        acme.hear_all(random.Random(3), twice=True)
        assert (acme.plan(), acme.order(started.order_id).state) == ("pro", OrderState.PAID)
        assert acme.come_back(started.session_id).state is OrderState.PAID
        assert acme.told() == ["purchase.paid"]

    def test_a_declined_card_begins_nothing_and_the_next_one_does(self, acme: Subscriber) -> None:
        started = orders.start(acme.enter, acme.payments, "pro", MONTH, PUBLIC_URL)
        assert acme.pay(started.session_id, DECLINED)["decline"]
        acme.hear_all()
        assert (acme.plan(), acme.row()) == ("free", None)
        assert acme.pay(started.session_id)["decline"] is None
        acme.hear_all()
        assert acme.plan() == "pro"

    def test_of_two_pages_only_the_last_can_be_paid(self, acme: Subscriber) -> None:
        first = orders.start(acme.enter, acme.payments, "essential", MONTH, PUBLIC_URL)
        orders.start(acme.enter, acme.payments, "pro", MONTH, PUBLIC_URL)
        assert acme.stripe.checkout.sessions.retrieve(first.session_id).status == "expired"

    def test_a_repeated_request_is_one_order(self, acme: Subscriber) -> None:
        again = [
            orders.start(acme.enter, acme.payments, "pro", MONTH, PUBLIC_URL, key="once").session_id for _ in range(2)
        ]
        assert again[0] == again[1]

    def test_there_is_one_subscription_and_a_trial_only_once(self, trying: Subscriber) -> None:
        trying.subscribe("essential")
        with pytest.raises(BillingError, match="already") as refused:
            orders.start(trying.enter, trying.payments, "pro", MONTH, PUBLIC_URL)
        assert refused.value.code == "already_subscribed"
        trying.stripe.subscriptions.cancel(row_of(trying).id)
        trying.hear_all()
        trying.subscribe("pro")
        assert (row_of(trying).status, trying.plan()) == ("active", "pro")

    @pytest.mark.parametrize(("plan", "code"), [("free", "plan_not_for_sale"), ("nope", "plan_not_found")])
    def test_what_is_not_sold_cannot_be_subscribed_to(self, acme: Subscriber, plan: str, code: str) -> None:
        with pytest.raises(BillingError) as refused:
            orders.start(acme.enter, acme.payments, plan, MONTH, PUBLIC_URL)
        assert refused.value.code == code

    def test_a_plan_may_name_a_product_of_its_own_at_stripe(self, acme: Subscriber) -> None:
        product = acme.stripe.products.create({"name": "Ours since 2019"}).id
        price = acme.stripe.prices.create(
            {"product": product, "unit_amount": 4200, "currency": "usd", "recurring": {"interval": "month"}}
        )
        acme.change_catalogue(lambda document: document["plans"][2].update(stripePlanId=product))
        acme.subscribe("pro")
        assert (row_of(acme).price_id, acme.plan()) == (price.id, "pro")

    def test_nearly_at_the_turn_no_part_is_sold(self, acme: Subscriber) -> None:
        acme.wait(APRIL - timedelta(minutes=20))
        acme.subscribe("essential")
        assert acme.charged() == [2900]
        assert row_of(acme).period_start == APRIL - timedelta(minutes=20)


class TestChanging:
    def test_an_upgrade_costs_what_the_preview_said(self, acme: Subscriber) -> None:
        acme.subscribe("essential")
        acme.wait(START + days(9))
        seen = acme.change("pro")
        assert (seen.when, seen.due_cents, sum(line.amount_cents for line in seen.lines)) == (
            "now", acme.charged()[-1], seen.due_cents,
        )  # fmt: skip
        assert any(line.amount_cents < 0 for line in seen.lines)
        assert (acme.plan(), acme.allowance("mau"), row_of(acme).period_end) == ("pro", PRO_MAU, APRIL)
        paid = len(acme.charged())
        acme.hear_all()
        assert (len(acme.charged()), acme.differences()) == (paid, [])

    def test_an_accepted_preview_is_charged_once(self, acme: Subscriber) -> None:
        acme.subscribe("essential")
        acme.wait(START + days(3))
        seen = acme.preview("pro")
        acme.wait(acme.now + timedelta(minutes=30))
        changes.change(acme.enter, acme.payments, "pro", MONTH, seen.at)
        assert acme.charged()[-1] == seen.due_cents
        changes.change(acme.enter, acme.payments, "pro", MONTH, seen.at)  # sent twice, it is one change
        assert (acme.plan(), len(acme.charged())) == ("pro", 2)

    def test_a_price_seen_long_ago_is_looked_at_again(self, acme: Subscriber) -> None:
        acme.subscribe("essential")
        seen = acme.preview("pro")
        acme.wait(acme.now + 2 * HOUR)
        with pytest.raises(BillingError) as refused:
            changes.change(acme.enter, acme.payments, "pro", MONTH, seen.at)
        assert refused.value.code == "preview_expired"

    def test_whoever_changed_it_meanwhile_nobody_pays_what_they_did_not_see(self, acme: Subscriber) -> None:
        acme.change_catalogue(with_custom_sold)
        acme.subscribe("essential")
        acme.wait(START + days(5))
        seen = acme.preview("custom")
        acme.change("pro")
        charged = acme.charged()
        expect_expired(acme, "custom", seen.at)
        assert (acme.charged(), acme.plan()) == (charged, "pro")
        again = acme.change("custom")
        assert (acme.charged()[-1], acme.plan()) == (again.due_cents, "custom")
        assert again.due_cents < seen.due_cents

    @pytest.mark.parametrize("meanwhile", ["cancelled", "scheduled", "dashboard", "coupon", "repriced"])
    def test_a_preview_holds_as_long_as_what_it_was_made_of(self, acme: Subscriber, meanwhile: str) -> None:
        acme.change_catalogue(with_custom_sold)
        acme.subscribe("pro")
        acme.wait(START + days(5))
        seen = acme.preview("custom")
        acme.preview("essential")
        subscription = acme.stripe.subscriptions.retrieve(row_of(acme).id)
        match meanwhile:
            case "cancelled":
                acme.act(changes.cancel)
            case "scheduled":
                acme.change("essential")
            case "dashboard":
                item, price = subscription["items"].data[0].id, acme.payments.prices(["plan:essential:month"])
                if not price:
                    acme.preview("essential")
                    price = acme.payments.prices(["plan:essential:month"])
                acme.stripe.subscriptions.update(
                    subscription.id,
                    {"items": [{"id": item, "price": price["plan:essential:month"].id}], "proration_behavior": "none"},
                )
            case "coupon":
                coupon = acme.stripe.coupons.create({"percent_off": 50, "duration": "forever"}).id
                acme.stripe.subscriptions.update(subscription.id, {"discounts": [{"coupon": coupon}]})
            case "repriced":
                acme.change_catalogue(lambda document: document["plans"][-1]["prices"].update(month=44_400))
        charged = acme.charged()
        expect_expired(acme, "custom", seen.at)
        assert (acme.charged(), row_of(acme).plan in ("pro", "essential")) == (charged, True)
        assert acme.change("custom").due_cents == acme.charged()[-1]

    def test_a_price_that_nobody_looked_at_is_not_charged(self, acme: Subscriber) -> None:
        acme.change_catalogue(with_custom_sold)
        acme.subscribe("essential")
        acme.preview("pro")
        expect_expired(acme, "custom", acme.now)
        expect_expired(acme, "pro", acme.now - timedelta(minutes=5))
        assert acme.plan() == "essential"

    @pytest.mark.both_databases
    def test_whatever_waited_for_the_lease_is_decided_by_what_it_finds_then(
        self, acme: Subscriber, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two admins accept what they saw at the same moment: the second one waits, and finds the other's plan."""
        acme.change_catalogue(with_custom_sold)
        acme.subscribe("essential")
        acme.wait(START + days(5))
        seen, other = acme.preview("custom"), acme.preview("pro")
        first = threading.Event()
        changed = acme.payments.change_price

        def slowly(*arguments: Any) -> Any:
            first.set()
            time.sleep(0.5)
            return changed(*arguments)

        with monkeypatch.context() as patched, ThreadPoolExecutor(1) as pool:
            patched.setattr(acme.payments, "change_price", slowly)
            begun = pool.submit(changes.change, acme.enter, acme.payments, "pro", MONTH, other.at)
            assert first.wait(PATIENCE_SECONDS)
            expect_expired(acme, "custom", seen.at)
            begun.result(PATIENCE_SECONDS)
        assert (acme.charged()[1:], acme.plan()) == ([other.due_cents], "pro")

    @pytest.mark.parametrize("late", ["pause", "cancel", "change"])
    def test_what_happened_at_stripe_unheard_of_decides(self, acme: Subscriber, late: str) -> None:
        subscription = acme.subscribe("essential")
        seen = acme.preview("pro")
        acme.stripe.subscriptions.cancel(subscription)
        deeds: dict[str, Callable[[], object]] = {
            "pause": lambda: acme.act(changes.pause),
            "cancel": lambda: acme.act(changes.cancel),
            "change": lambda: changes.change(acme.enter, acme.payments, "pro", MONTH, seen.at),
        }
        with pytest.raises(BillingError) as refused:
            deeds[late]()
        assert (refused.value.code, acme.plan(), row_of(acme).status) == ("not_subscribed", "free", "canceled")

    def test_previews_do_not_pile_up(self, acme: Subscriber, monkeypatch: pytest.MonkeyPatch) -> None:
        acme.subscribe("essential")
        monkeypatch.setattr(changes, "MAX_PREVIEWS", 3)
        for _ in range(5):
            acme.now += timedelta(seconds=1)
            acme.preview("pro")
        with acme.database.reading() as session:
            assert len(session.exec(select(PlanPreview)).all()) == 3
        acme.now += HOUR * 2
        acme.preview("pro")
        with acme.database.reading() as session:
            assert len(session.exec(select(PlanPreview)).all()) == 1

    def test_a_declined_upgrade_changes_nothing(self, acme: Subscriber) -> None:
        acme.subscribe("essential")
        acme.use_card(BAD_CARD)
        with pytest.raises(BillingError) as refused:
            acme.change("pro")
        acme.hear_all()
        assert (refused.value.code, acme.plan(), row_of(acme).status) == ("payments_refused", "essential", "active")
        assert acme.past_due_since() is None

    def test_a_smaller_plan_waits_for_the_end_of_the_period(self, acme: Subscriber) -> None:
        acme.subscribe("pro")
        seen = acme.change("essential")
        row = row_of(acme)
        assert (seen.when, seen.due_cents, seen.counts_at) == ("period_end", 0, APRIL)
        assert (row.plan, row.scheduled_plan, row.scheduled_at, acme.plan()) == ("pro", "essential", APRIL, "pro")
        acme.wait(APRIL + days(3))
        acme.hear_all()
        assert (row_of(acme).plan, row_of(acme).scheduled_plan, acme.charged()[-1]) == ("essential", "", 2900)
        assert (acme.plan(), acme.plan(APRIL), acme.plan(APRIL - HOUR)) == ("essential", "essential", "pro")
        assert (acme.allowance("mau"), acme.allowance("mau", APRIL - HOUR)) == (ESSENTIAL_MAU, PRO_MAU)
        assert acme.differences() == []

    def test_a_downgrade_can_be_taken_back(self, acme: Subscriber) -> None:
        acme.subscribe("pro")
        acme.change("essential")
        acme.act(changes.keep_plan)
        assert row_of(acme).scheduled_plan == ""
        acme.wait(APRIL + SETTLED)
        acme.hear_all()
        assert (acme.plan(), acme.charged()[-1]) == ("pro", 9900)

    def test_a_downgrade_taken_back_by_choosing_the_running_plan_is_shown_to_cost_nothing(
        self, acme: Subscriber
    ) -> None:
        acme.subscribe("pro")
        acme.change("essential")
        charged = acme.charged()
        seen = acme.change("pro")
        assert (seen.when, seen.due_cents, seen.total_cents, seen.lines, seen.billed_at) == ("now", 0, 0, (), APRIL)
        assert (row_of(acme).scheduled_plan, acme.charged()) == ("", charged)

    @pytest.mark.parametrize("news", ["none", "before the change"])
    def test_what_stripe_has_changed_already_is_not_shown_as_due_again(self, acme: Subscriber, news: str) -> None:
        """We were killed, or lost the answer, after Stripe had changed the plan and before we wrote that down."""
        acme.subscribe("essential")
        acme.hear_all()
        acme.preview("pro")
        acme.wait(START + days(9))
        found, at = acme.payments.subscription(row_of(acme).id), acme.now
        (price,) = acme.payments.prices(["plan:pro:month"]).values()
        acme.payments.change_price("lost", found, price.id, at)
        charged = acme.charged()
        assert (row_of(acme).plan, len(charged)) == ("essential", 2)
        seen = acme.preview("pro")
        assert (seen.due_cents, seen.lines, seen.billed_at) == (0, (), APRIL)
        if news != "none":
            acme.hear_all()
        changes.change(acme.enter, acme.payments, "pro", MONTH, seen.at)
        assert (row_of(acme).plan, acme.plan(), acme.charged()) == ("pro", "pro", charged)

    def test_from_month_to_year_at_once_and_back_when_the_year_is_over(self, acme: Subscriber) -> None:
        acme.subscribe("essential")
        acme.wait(START + days(5))
        seen = acme.change("essential", YEAR)
        row = row_of(acme)
        assert (seen.when, row.interval, acme.charged()[-1]) == ("now", "year", seen.due_cents)
        assert seen.due_cents < 29000
        assert row.period_end == acme.now.replace(year=2027)
        back = acme.change("essential", MONTH)
        assert (back.when, back.counts_at) == ("period_end", row.period_end)
        acme.wait(row.period_end + SETTLED)
        acme.hear_all()
        assert (row_of(acme).interval, acme.plan(), acme.charged()[-1]) == ("month", "essential", 2900)

    def test_in_a_trial_every_change_is_free_and_at_once(self, trying: Subscriber) -> None:
        trying.subscribe("pro")
        seen = trying.change("essential")
        assert (seen.when, seen.due_cents, trying.plan(), row_of(trying).status) == (
            "now", 0, "essential", "trialing",
        )  # fmt: skip
        assert trying.allowance("mau") == PRO_MAU  # what was held in the period counts for the whole of it

    def test_a_change_made_at_stripe_counts_too(self, acme: Subscriber) -> None:
        acme.subscribe("essential")
        pro = acme.payments.prices(["plan:pro:month"])
        price = pro["plan:pro:month"].id if pro else acme.stripe.prices.create(
            {"product_data": {"name": "Pro"}, "unit_amount": 9900, "currency": "usd",
             "recurring": {"interval": "month"}, "metadata": {"plan": "pro"}}
        ).id  # fmt: skip
        found = acme.payments.subscription(row_of(acme).id)
        acme.stripe.subscriptions.update(found.id, {"items": [{"id": found.item.id, "price": price}]})
        acme.hear_all()
        assert acme.plan() == "pro"


class TestEnding:
    def test_cancelled_it_lasts_until_the_end_of_what_is_paid(self, acme: Subscriber) -> None:
        acme.subscribe("pro")
        acme.act(changes.cancel)
        row = row_of(acme)
        assert (row.cancel_at_period_end, row.cancel_at, acme.plan()) == (True, APRIL, "pro")
        acme.wait(APRIL + days(2))
        assert acme.plan() == "pro"  # nobody has told us yet
        acme.hear_all()
        assert (row_of(acme).status, acme.plan(), acme.plan(APRIL), acme.plan(APRIL - HOUR)) == (
            "canceled", "free", "free", "pro",
        )  # fmt: skip
        assert (acme.allowance("mau"), acme.differences()) == (FREE_MAU, [])

    def test_a_cancellation_can_be_taken_back(self, acme: Subscriber) -> None:
        acme.subscribe("pro")
        acme.act(changes.cancel)
        acme.act(changes.uncancel)
        acme.wait(APRIL + SETTLED)
        acme.hear_all()
        assert (row_of(acme).status, row_of(acme).cancel_at, acme.plan()) == ("active", None, "pro")

    def test_paused_it_is_not_billed_and_gives_nothing_until_it_is_resumed(self, acme: Subscriber) -> None:
        acme.subscribe("pro")
        acme.wait(START + days(4))
        acme.act(changes.pause)
        assert (row_of(acme).status, row_of(acme).paused, acme.plan()) == ("paused", True, "free")
        acme.wait(MAY + days(1))
        acme.hear_all()
        assert (len(acme.charged()), acme.plan(), acme.allowance("mau")) == (1, "free", FREE_MAU)
        acme.act(changes.resume)
        assert (row_of(acme).status, row_of(acme).paused, acme.plan()) == ("active", False, "pro")
        assert acme.allowance("mau") == PRO_MAU
        acme.hear_all()
        assert (acme.plan(), acme.differences()) == ("pro", [])

    def test_after_the_end_another_subscription_may_begin(self, acme: Subscriber) -> None:
        first = acme.subscribe("essential")
        acme.stripe.subscriptions.cancel(first)
        acme.hear_all()
        assert acme.plan() == "free"
        assert acme.subscribe("pro") != first
        assert acme.plan() == "pro"

    def test_only_the_current_subscription_moves_the_plan(self, acme: Subscriber) -> None:
        first = acme.subscribe("pro")
        acme.use_card("pm_card_visa")
        found = acme.payments.subscription(first)
        second = acme.stripe.subscriptions.create(
            {"customer": acme.customer, "items": [{"price": found.item.price.id}]}
        ).id
        acme.hear_all()
        acme.stripe.subscriptions.cancel(second)
        acme.hear_all()
        assert (row_of(acme).id, acme.plan()) == (first, "pro")

    def test_of_two_the_other_takes_over_when_the_first_ends(self, acme: Subscriber) -> None:
        first = acme.subscribe("pro")
        acme.use_card("pm_card_visa")
        found = acme.payments.subscription(first)
        second = acme.stripe.subscriptions.create(
            {"customer": acme.customer, "items": [{"price": found.item.price.id}]}
        ).id
        acme.hear_all()
        acme.stripe.subscriptions.cancel(first)
        acme.hear_all()
        assert (row_of(acme).id, acme.plan()) == (second, "pro")

    def test_a_deleted_product_takes_nothing_away(self, acme: Subscriber) -> None:
        acme.subscribe("pro")
        acme.stripe.products.update("plan_pro", {"active": False})
        acme.hear_all()
        acme.wait(APRIL + SETTLED)
        acme.hear_all()
        assert (acme.plan(), acme.charged()[-1]) == ("pro", 9900)

    def test_without_a_subscription_there_is_nothing_to_change(self, acme: Subscriber) -> None:
        deeds = (changes.cancel, changes.uncancel, changes.pause, changes.resume)
        for deed in deeds:
            with pytest.raises(BillingError) as refused:
                acme.act(deed)
            assert refused.value.code == "not_subscribed"


class TestPastDue:
    def declined(self, acme: Subscriber, until: datetime) -> None:
        acme.subscribe("pro")
        acme.use_card(BAD_CARD)
        acme.wait(until)
        acme.hear_all()

    def test_the_plan_stays_for_the_grace_and_then_the_default_limits_hold(self, acme: Subscriber) -> None:
        self.declined(acme, APRIL + SETTLED)
        failed = APRIL + HOUR
        assert (row_of(acme).status, acme.past_due_since(), row_of(acme).past_due_at) == ("past_due", failed, failed)
        tick = timedelta(seconds=1)
        assert [acme.plan(at) for at in (APRIL, failed + days(7) - tick, failed + days(7))] == ["pro", "pro", "free"]
        # The period began with the plan, so what it includes stays (rule 7); the next one begins while it is owed.
        acme.wait(APRIL + days(20))
        assert acme.allowance("mau") == PRO_MAU

    def test_later_attempts_do_not_prolong_the_grace(self, acme: Subscriber) -> None:
        self.declined(acme, APRIL + days(4))
        acme.wait(APRIL + days(9))
        acme.hear_all(random.Random(1))
        assert (acme.past_due_since(), acme.plan()) == (APRIL + HOUR, "free")

    def test_a_period_that_begins_unpaid_has_the_default_allowance_until_it_is_paid(self, acme: Subscriber) -> None:
        acme.control("PUT", "/settings", after_final_failure="past_due")
        self.declined(acme, APRIL + SETTLED)
        acme.wait(MAY + days(3))
        assert (acme.plan(), acme.allowance("mau")) == ("free", FREE_MAU)  # known by the date alone
        acme.hear_all()
        with acme.database.writing() as session:
            events = [ReportedEvent("emails", 900, at=acme.now - HOUR)]
            reporting.report(Context(session, by_address(session, "acme"), acme.now), events)
        assert acme.differences() == []
        acme.pay_open_invoice()
        acme.hear_all()
        assert (row_of(acme).status, acme.past_due_since(), acme.plan()) == ("active", None, "pro")
        assert acme.allowance("mau") == PRO_MAU
        assert (acme.allowance("mau", MAY + HOUR), acme.differences()) == (FREE_MAU, [])

    def test_paid_within_the_grace_nothing_was_ever_lost(self, acme: Subscriber) -> None:
        self.declined(acme, APRIL + days(1))
        acme.pay_open_invoice()
        acme.hear_all(random.Random(5), twice=True)
        assert (row_of(acme).status, acme.past_due_since()) == ("active", None)
        assert [acme.plan(APRIL + days(day)) for day in (0, 5, 9, 20)] == ["pro"] * 4

    @pytest.mark.parametrize(("final", "status"), [("cancel", "canceled"), ("unpaid", "unpaid")])
    def test_when_patience_runs_out_the_default_plan_is_held(self, acme: Subscriber, final: str, status: str) -> None:
        acme.control("PUT", "/settings", after_final_failure=final)
        self.declined(acme, APRIL + days(20))
        assert (row_of(acme).status, acme.plan()) == (status, "free")
        assert acme.differences() == []

    def test_unpaid_and_then_paid_it_is_held_again(self, acme: Subscriber) -> None:
        acme.control("PUT", "/settings", after_final_failure="unpaid")
        self.declined(acme, APRIL + days(20))
        acme.pay_open_invoice()
        acme.hear_all()
        assert (row_of(acme).status, acme.plan(), acme.past_due_since()) == ("active", "pro", None)

    def test_the_grace_is_the_catalogues(self, acme: Subscriber) -> None:
        acme.change_catalogue(lambda document: document.update(grace_days=2))
        self.declined(acme, APRIL + SETTLED)
        assert (acme.plan(APRIL + days(2)), acme.plan(APRIL + days(2) + HOUR)) == ("pro", "free")

    def test_who_owes_changes_nothing_before_paying(self, acme: Subscriber) -> None:
        self.declined(acme, APRIL + SETTLED)
        for deed in (lambda: acme.change("essential"), lambda: acme.act(changes.pause)):
            with pytest.raises(BillingError) as refused:
                deed()
            assert refused.value.code == "past_due"

    def test_a_declined_pack_never_touches_the_plan(self, acme: Subscriber) -> None:
        acme.subscribe("pro")
        started = acme.start("mau-1k")
        assert acme.pay(started.session_id, DECLINED)["decline"]
        acme.hear_all()
        assert (row_of(acme).status, acme.plan(), acme.past_due_since()) == ("active", "pro", None)

    @pytest.mark.parametrize("seed", range(3))
    def test_in_whatever_order_events_come_the_end_is_the_same(self, acme: Subscriber, seed: int) -> None:
        self.declined(acme, START + days(1))
        acme.wait(APRIL + days(2))
        acme.pay_open_invoice()
        acme.wait(MAY + SETTLED)
        acme.hear_all(random.Random(seed), twice=True)
        row = row_of(acme)
        assert (row.status, row.period_start, acme.plan(), acme.past_due_since()) == ("active", MAY, "pro", None)
        assert acme.differences() == []


class TestPages:
    def test_the_portal_leads_back_to_our_own_host(self, acme: Subscriber) -> None:
        acme.subscribe("pro")
        url = changes.portal(acme.enter, acme.payments, PUBLIC_URL)
        session = acme.stripe.billing_portal.sessions.create({"customer": acme.customer})
        assert url.rsplit("/", 1)[0] == session.url.rsplit("/", 1)[0]

    def test_invoices_are_listed_newest_first(self, acme: Subscriber) -> None:
        acme.subscribe("pro")
        acme.wait(APRIL + SETTLED)
        found = changes.invoices(acme.enter, acme.payments)
        assert [each.total_cents for each in found] == [9900, acme.charged()[0]]
        assert all(each.number and each.hosted_url.startswith("http") for each in found)


class TestAskedTwice:
    """A double click, or a retry after an answer that got lost, is one change."""

    def test_the_same_change_of_plan_is_charged_once(self, acme: Subscriber) -> None:
        acme.subscribe("essential")
        seen = acme.change("pro")
        charged = acme.charged()
        for _ in range(2):
            changes.change(acme.enter, acme.payments, "pro", MONTH, seen.at)
        assert (acme.charged(), acme.plan()) == (charged, "pro")

    def test_cancelling_and_pausing_twice_is_once(self, acme: Subscriber) -> None:
        acme.subscribe("pro")
        acme.act(changes.cancel)
        acme.act(changes.cancel)
        assert row_of(acme).cancel_at_period_end
        acme.act(changes.uncancel)
        acme.act(changes.pause)
        acme.act(changes.pause)
        assert acme.plan() == "free"


class TestPausingInATrial:
    def test_a_trial_is_not_paused(self, trying: Subscriber) -> None:
        trying.subscribe("essential")
        with pytest.raises(BillingError) as refused:
            trying.act(changes.pause)
        assert (refused.value.code, row_of(trying).status) == ("in_trial", "trialing")

    def test_one_that_was_paused_at_stripe_goes_on_without_a_charge(self, trying: Subscriber) -> None:
        subscription = trying.subscribe("essential")
        trying.stripe.subscriptions.pause(subscription, {"type": "subscription"})
        trying.hear_all()
        trying.act(changes.resume)
        row = row_of(trying)
        assert (row.status, row.trial_end, trying.charged()) == ("trialing", START + days(14), [0])


@pytest.mark.parametrize("give_up", ["void_invoice", "mark_uncollectible"])
def test_what_is_given_up_is_owed_no_more(acme: Subscriber, give_up: str) -> None:
    acme.subscribe("essential")
    acme.use_card(BAD_CARD)
    acme.wait(APRIL + SETTLED)
    acme.hear_all()
    assert (row_of(acme).status, acme.past_due_since() is not None) == ("past_due", True)
    getattr(acme.stripe.invoices, give_up)(row_of(acme).latest_invoice_id)
    acme.hear_all()
    assert (row_of(acme).status, acme.past_due_since(), acme.plan()) == ("active", None, "essential")
