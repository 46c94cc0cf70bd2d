"""Subscriptions over their whole life, on test clocks."""

from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.answers import check
from tests.fake_stripe.process import fake_stripe
from tests.support.patience import eventually

DAY = 24 * 3600
HOUR = 3600
# 31 January 2026, noon: a day that most months lack.
START = 1_769_860_800


class Subscriber:
    """A customer on a clock of their own, with a card on file."""

    def __init__(self, account: TestAccount, number: str | None = "pm_card_visa", start: int = START) -> None:
        self.account = account
        self.v1 = account.v1
        self.clock = check(account.v1.test_helpers.test_clocks.create({"frozen_time": start}))
        self.customer = account.customer(test_clock=self.clock.id)
        if number:
            self.use(number)

    def use(self, method: str) -> None:
        """Make this the default card."""
        attached = check(self.v1.payment_methods.attach(method, {"customer": self.customer.id}))
        settings = {"invoice_settings": {"default_payment_method": attached.id}}
        self.v1.customers.update(self.customer.id, settings)

    def subscribe(self, *prices: Any, **more: Any) -> Any:
        """A subscription to these prices."""
        items = [{"price": price.id} for price in prices]
        return check(self.v1.subscriptions.create({"customer": self.customer.id, "items": items, **more}))

    def advance(self, to: int) -> None:
        """Move the clock to this many seconds after the start."""
        self.account.control("POST", f"/clocks/{self.clock.id}/advance", to=START + to)

    def subscription(self, identifier: str) -> Any:
        """As it is now."""
        return check(self.v1.subscriptions.retrieve(identifier, {"expand": ["latest_invoice.payments"]}))

    def invoices(self) -> list[Any]:
        """All of them, newest first."""
        return check(self.v1.invoices.list({"customer": self.customer.id})).data


@pytest.fixture
def subscriber(account: TestAccount) -> Subscriber:
    """Ada, with a good card."""
    return Subscriber(account)


def monthly(account: TestAccount, amount: int = 2900, **more: Any) -> Any:
    """A price per month."""
    return account.price(amount, name="Pro", recurring={"interval": "month"}, **more)


def period(subscription: Any) -> tuple[int, int]:
    """The running period, in days after the start."""
    item = subscription["items"].data[0]
    return (item.current_period_start - START) // DAY, (item.current_period_end - START) // DAY


def test_the_first_invoice_is_paid_at_once(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account), metadata={"organization": "acme"})
    assert subscription.status == "active"
    subscription = subscriber.subscription(subscription.id)
    invoice = subscription.latest_invoice
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 2900, "subscription_create")
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert invoice.parent.subscription_details.metadata.to_dict() == {"organization": "acme"}
    line = invoice.lines.data[0]
    assert not line.parent.subscription_item_details.proration
    assert line.parent.subscription_item_details.subscription_item == subscription["items"].data[0].id
    payment = check(account.v1.invoice_payments.list({"invoice": invoice.id})).data[0]
    assert (payment.status, payment.amount_paid) == ("paid", 2900)
    intent = payment.payment.payment_intent
    by_intent = {"payment": {"type": "payment_intent", "payment_intent": intent}}
    assert account.v1.invoice_payments.list(by_intent).data[0].invoice == invoice.id
    assert not hasattr(subscription, "current_period_end")
    types = account.event_types()
    for expected in ("customer.subscription.created", "invoice.paid", "invoice_payment.paid"):
        assert expected in types
    assert types.index("customer.subscription.created") < types.index("customer.subscription.updated")


def test_renewals_keep_to_the_anchor_over_short_months(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account))
    assert period(subscription) == (0, 28)
    subscriber.advance(28 * DAY + 2 * HOUR)
    assert period(subscriber.subscription(subscription.id)) == (28, 59)
    assert [invoice.billing_reason for invoice in subscriber.invoices()] == [
        "subscription_cycle",
        "subscription_create",
    ]
    assert all(invoice.status == "paid" for invoice in subscriber.invoices())


def test_a_renewal_invoice_is_a_draft_for_an_hour(account: TestAccount, subscriber: Subscriber) -> None:
    subscriber.subscribe(monthly(account))
    subscriber.advance(28 * DAY + 60)
    assert subscriber.invoices()[0].status == "draft"
    subscriber.advance(28 * DAY + HOUR)
    assert subscriber.invoices()[0].status == "paid"


def test_a_year_passes_in_one_step(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account))
    subscriber.advance(365 * DAY + 2 * HOUR)
    assert len(account.v1.invoices.list({"subscription": subscription.id, "status": "paid", "limit": 50}).data) == 13


def test_the_clock_advances_by_itself_through_the_api(account: TestAccount, subscriber: Subscriber) -> None:
    subscriber.subscribe(monthly(account))
    advancing = check(
        account.v1.test_helpers.test_clocks.advance(subscriber.clock.id, {"frozen_time": START + 30 * DAY})
    )
    assert advancing.status == "advancing"
    eventually(lambda: account.v1.test_helpers.test_clocks.retrieve(subscriber.clock.id).status == "ready")
    assert len(subscriber.invoices()) == 2
    assert account.event_types()[-1] == "test_helpers.test_clock.ready"


def test_a_clock_that_was_killed_on_its_way_arrives_all_the_same(tmp_path: Path) -> None:
    with fake_stripe(tmp_path) as own, TestAccount(own.url, "sk_test_clock_killed") as account:
        subscriber = Subscriber(account)
        subscription = subscriber.subscribe(monthly(account))
        target = {"frozen_time": START + 4 * 365 * DAY + 2 * HOUR}
        account.v1.test_helpers.test_clocks.advance(subscriber.clock.id, target)
        own.restart()
        eventually(lambda: account.v1.test_helpers.test_clocks.retrieve(subscriber.clock.id).status == "ready")
        found = account.v1.invoices.list({"subscription": subscription.id, "status": "paid", "limit": 100}).data
        starts = [invoice.lines.data[0].period.start for invoice in found]
        assert len(starts) == len(set(starts)) == 48


def test_a_trial_is_free_then_paid(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account), trial_period_days=14)
    assert (subscription.status, period(subscription)) == ("trialing", (0, 14))
    first = subscriber.invoices()[0]
    assert (first.status, first.total, first.lines.data[0].amount) == ("paid", 0, 0)
    subscriber.advance(12 * DAY)
    assert "customer.subscription.trial_will_end" in account.event_types()
    subscriber.advance(14 * DAY + 2 * HOUR)
    subscription = subscriber.subscription(subscription.id)
    assert (subscription.status, subscription.latest_invoice.amount_paid) == ("active", 2900)
    assert period(subscription) == (14, 42)


@pytest.mark.parametrize(
    ("behaviour", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")]
)
def test_a_trial_without_a_card_ends_as_it_was_told(account: TestAccount, behaviour: str, status: str) -> None:
    subscriber = Subscriber(account, None)
    settings = {"end_behavior": {"missing_payment_method": behaviour}}
    subscription = subscriber.subscribe(monthly(account), trial_period_days=7, trial_settings=settings)
    subscriber.advance(7 * DAY + 2 * HOUR)
    assert subscriber.subscription(subscription.id).status == status


def test_a_declined_first_payment_is_incomplete_and_expires(account: TestAccount) -> None:
    subscriber = Subscriber(account, "pm_card_chargeCustomerFail")
    subscription = subscriber.subscribe(monthly(account))
    assert subscription.status == "incomplete"
    assert subscriber.invoices()[0].status == "open"
    assert "invoice.payment_failed" in account.event_types()
    subscriber.advance(24 * HOUR)
    assert subscriber.subscription(subscription.id).status == "incomplete_expired"
    assert subscriber.invoices()[0].status == "void"


def test_error_if_incomplete_leaves_nothing_behind(account: TestAccount) -> None:
    subscriber = Subscriber(account, "pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError):
        subscriber.subscribe(monthly(account), payment_behavior="error_if_incomplete")
    assert account.v1.subscriptions.list({"status": "all"}).data == []


def test_a_failed_renewal_is_retried_until_it_is_paid(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account))
    account.control("POST", f"/subscriptions/{subscription.id}/fail-next-renewal", count=2)
    subscriber.advance(28 * DAY + 2 * HOUR)
    late = subscriber.subscription(subscription.id)
    assert late.status == "past_due"
    assert (late.latest_invoice.attempt_count, late.latest_invoice.status) == (1, "open")
    assert late.latest_invoice.next_payment_attempt == START + 28 * DAY + HOUR + 3 * DAY
    subscriber.advance(32 * DAY)
    assert subscriber.invoices()[0].attempt_count == 2
    subscriber.advance(37 * DAY)
    recovered = subscriber.subscription(subscription.id)
    assert (recovered.status, recovered.latest_invoice.status) == ("active", "paid")


@pytest.mark.parametrize(
    ("setting", "status"), [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")]
)
def test_patience_runs_out_as_the_account_is_set(
    account: TestAccount, subscriber: Subscriber, setting: str, status: str
) -> None:
    account.control("PUT", "/settings", after_final_failure=setting)
    subscription = subscriber.subscribe(monthly(account))
    account.control("POST", f"/subscriptions/{subscription.id}/fail-next-renewal", count=20)
    subscriber.advance(45 * DAY)
    assert subscriber.subscription(subscription.id).status == status


def test_a_past_due_invoice_is_paid_by_hand_with_a_new_card(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account))
    subscriber.use("pm_card_chargeCustomerFail")
    account.control("POST", f"/subscriptions/{subscription.id}/fail-next-renewal")
    subscriber.advance(28 * DAY + 2 * HOUR)
    (invoice, *_) = subscriber.invoices()
    with pytest.raises(stripe.CardError):
        account.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_chargeDeclined"})
    assert check(account.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})).status == "paid"
    assert subscriber.subscription(subscription.id).status == "active"


def test_a_renewal_that_needs_the_payer_says_so(account: TestAccount) -> None:
    subscriber = Subscriber(account, "pm_card_authenticationRequired")
    subscription = subscriber.subscribe(monthly(account), trial_period_days=1)
    subscriber.advance(1 * DAY + 2 * HOUR)
    assert subscriber.subscription(subscription.id).status == "past_due"
    assert {"invoice.payment_action_required", "invoice.payment_failed"} <= set(account.event_types())
    intent = account.v1.payment_intents.list().data[0]
    account.control("POST", f"/payment_intents/{intent.id}/authenticate")
    assert subscriber.subscription(subscription.id).status == "active"


def test_an_upgrade_costs_what_the_preview_said(account: TestAccount, subscriber: Subscriber) -> None:
    pro, business = monthly(account), monthly(account, 9900)
    subscription = subscriber.subscribe(pro)
    subscriber.advance(14 * DAY)
    at = START + 14 * DAY
    change = {
        "items": [{"id": subscription["items"].data[0].id, "price": business.id}],
        "proration_behavior": "always_invoice",
        "proration_date": at,
    }
    preview = check(
        account.v1.invoices.create_preview({"subscription": subscription.id, "subscription_details": change})
    )
    assert [line.amount for line in preview.lines.data] == [-1450, 4950]
    assert all(line.parent.subscription_item_details.proration for line in preview.lines.data)
    upgraded = check(account.v1.subscriptions.update(subscription.id, change))
    assert upgraded["items"].data[0].price.id == business.id
    charged = subscriber.invoices()[0]
    assert (charged.billing_reason, charged.status) == ("subscription_update", "paid")
    assert charged.amount_paid == preview.amount_due == 3500
    assert period(upgraded) == (0, 28)


def test_prorations_wait_for_the_next_invoice_by_default(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account, 1000))
    subscriber.advance(14 * DAY)
    item = subscription["items"].data[0].id
    account.v1.subscriptions.update(subscription.id, {"items": [{"id": item, "quantity": 3}]})
    assert [pending.amount for pending in check(account.v1.invoice_items.list({"pending": True})).data] == [1500, -500]
    upcoming = check(account.v1.invoices.create_preview({"subscription": subscription.id}))
    assert upcoming.total == 4000
    subscriber.advance(28 * DAY + 2 * HOUR)
    renewed = subscriber.invoices()[0]
    assert (renewed.total, renewed.status) == (4000, "paid")
    assert account.v1.invoice_items.list({"pending": True}).data == []


def test_a_quantity_can_change_without_proration(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account, 1000))
    subscriber.advance(14 * DAY)
    change = {"items": [{"id": subscription["items"].data[0].id, "quantity": 2}], "proration_behavior": "none"}
    account.v1.subscriptions.update(subscription.id, change)
    subscriber.advance(28 * DAY + 2 * HOUR)
    assert subscriber.invoices()[0].total == 2000


def test_from_monthly_to_yearly_a_new_period_begins_now(account: TestAccount, subscriber: Subscriber) -> None:
    yearly = account.price(29000, recurring={"interval": "year"})
    subscription = subscriber.subscribe(monthly(account, 2800))
    subscriber.advance(14 * DAY)
    item = subscription["items"].data[0].id
    change = {"items": [{"id": item, "price": yearly.id}]}
    preview = account.v1.invoices.create_preview({"subscription": subscription.id, "subscription_details": change})
    changed = check(account.v1.subscriptions.update(subscription.id, change))
    assert period(changed) == (14, 14 + 365)
    assert subscriber.invoices()[0].amount_paid == preview.amount_due == 29000 - 1400


def test_a_downgrade_leaves_credit_for_later(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account, 9900))
    change = {
        "items": [{"id": subscription["items"].data[0].id, "price": monthly(account, 2900).id}],
        "proration_behavior": "always_invoice",
    }
    account.v1.subscriptions.update(subscription.id, change)
    assert subscriber.invoices()[0].total == -7000
    assert check(account.v1.customers.retrieve(subscriber.customer.id)).balance == -7000
    subscriber.advance(28 * DAY + 2 * HOUR)
    renewed = subscriber.invoices()[0]
    assert (renewed.total, renewed.amount_due, renewed.status) == (2900, 0, "paid")
    assert account.v1.customers.retrieve(subscriber.customer.id).balance == -4100


def test_cancelling_at_the_end_can_be_taken_back(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account))
    ending = check(account.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True}))
    assert (ending.status, ending.cancel_at) == ("active", START + 28 * DAY)
    kept = account.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    assert (kept.cancel_at, kept.canceled_at) == (None, None)
    account.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    subscriber.advance(28 * DAY)
    assert subscriber.subscription(subscription.id).status == "canceled"
    assert account.event_types()[-2:] == ["customer.subscription.deleted", "test_helpers.test_clock.ready"]
    assert len(subscriber.invoices()) == 1


def test_cancelling_now(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account, 2800))
    subscriber.advance(14 * DAY)
    ended = check(account.v1.subscriptions.cancel(subscription.id, {"prorate": True, "invoice_now": True}))
    assert (ended.status, ended.ended_at) == ("canceled", START + 14 * DAY)
    assert subscriber.invoices()[0].total == -1400
    assert account.v1.subscriptions.list().data == []
    assert len(account.v1.subscriptions.list({"status": "ended"}).data) == 1
    subscriber.advance(60 * DAY)
    assert len(subscriber.invoices()) == 2


def test_pause_and_resume(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account, 2800))
    subscriber.advance(14 * DAY)
    paused = check(
        account.v1.subscriptions.pause(subscription.id, {"bill_for": {"unused_time_from": {"type": "none"}}})
    )
    assert (paused.status, paused.status_details.paused.subscription.type) == ("paused", "pause_requested")
    subscriber.advance(100 * DAY)
    assert len(subscriber.invoices()) == 1
    resumed = check(account.v1.subscriptions.resume(subscription.id))
    assert (resumed.status, period(resumed)) == ("active", (100, 131))
    assert subscriber.invoices()[0].status == "paid"
    assert {"customer.subscription.paused", "customer.subscription.resumed"} <= set(account.event_types())


def test_a_trial_that_was_paused_goes_on_without_a_charge(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account, 2800), trial_period_days=14)
    account.v1.subscriptions.pause(subscription.id, {"bill_for": {"unused_time_from": {"type": "none"}}})
    subscriber.advance(5 * DAY)
    resumed = check(account.v1.subscriptions.resume(subscription.id, {"billing_cycle_anchor": {"type": "unchanged"}}))
    assert (resumed.status, resumed.trial_end, len(subscriber.invoices())) == ("trialing", START + 14 * DAY, 1)
    subscriber.advance(14 * DAY + 2 * HOUR)
    found = subscriber.subscription(subscription.id)
    assert (found.status, found.latest_invoice.amount_paid) == ("active", 2800)


@pytest.mark.parametrize(("way", "status"), [("void_invoice", "void"), ("mark_uncollectible", "uncollectible")])
def test_what_is_owed_no_more_makes_it_active_again(
    account: TestAccount, subscriber: Subscriber, way: str, status: str
) -> None:
    subscription = subscriber.subscribe(monthly(account))
    account.control("POST", f"/subscriptions/{subscription.id}/fail-next-renewal", count=20)
    subscriber.advance(28 * DAY + 2 * HOUR)
    owed = subscriber.subscription(subscription.id)
    assert (owed.status, owed.latest_invoice.status) == ("past_due", "open")
    check(getattr(account.v1.invoices, way)(owed.latest_invoice.id))
    found = subscriber.subscription(subscription.id)
    assert (found.status, found.latest_invoice.status) == ("active", status)
    assert "customer.subscription.updated" in account.event_types()[-3:]
    subscriber.advance(45 * DAY)
    assert subscriber.subscription(subscription.id).status == "active", "nobody tries to collect it any more"


def test_collection_can_pause_while_periods_go_on(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account))
    pause = {"behavior": "void", "resumes_at": START + 40 * DAY}
    account.v1.subscriptions.update(subscription.id, {"pause_collection": pause})
    subscriber.advance(30 * DAY)
    assert (subscriber.invoices()[0].status, subscriber.subscription(subscription.id).status) == ("void", "active")
    subscriber.advance(60 * DAY)
    assert subscriber.invoices()[0].status == "paid"


def test_a_later_anchor_makes_the_first_part_smaller(account: TestAccount, subscriber: Subscriber) -> None:
    anchor = START + 14 * DAY  # 14 February; the whole month before it began on 14 January
    subscription = subscriber.subscribe(monthly(account, 3100), billing_cycle_anchor=anchor)
    first = subscriber.invoices()[0]
    assert first.amount_paid == 1400
    assert first.lines.data[0].parent.subscription_item_details.proration
    subscriber.advance(14 * DAY + 2 * HOUR)
    assert (subscriber.invoices()[0].amount_paid, period(subscriber.subscription(subscription.id))) == (3100, (14, 42))


def test_a_coupon_for_once_and_one_for_ever(account: TestAccount, subscriber: Subscriber) -> None:
    once = account.v1.coupons.create({"percent_off": 50, "duration": "once"})
    ever = account.v1.coupons.create({"amount_off": 900, "currency": "usd", "duration": "forever"})
    subscriber.subscribe(monthly(account, 2000), discounts=[{"coupon": once.id}])
    subscriber.subscribe(monthly(account, 2900), discounts=[{"coupon": ever.id}])
    subscriber.advance(28 * DAY + 2 * HOUR)
    assert sorted(invoice.amount_paid for invoice in subscriber.invoices()) == [1000, 2000, 2000, 2000]


def test_several_packs_of_one_customer_are_apart(account: TestAccount, subscriber: Subscriber) -> None:
    first, second = subscriber.subscribe(monthly(account)), subscriber.subscribe(monthly(account, 500))
    account.control("POST", f"/subscriptions/{first.id}/fail-next-renewal")
    subscriber.advance(28 * DAY + 2 * HOUR)
    assert subscriber.subscription(first.id).status == "past_due"
    assert subscriber.subscription(second.id).status == "active"


def test_deleting_a_customer_ends_its_subscriptions(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account))
    account.v1.customers.delete(subscriber.customer.id)
    assert account.v1.subscriptions.retrieve(subscription.id).status == "canceled"


def test_items_are_listed_by_themselves(account: TestAccount, subscriber: Subscriber) -> None:
    subscription = subscriber.subscribe(monthly(account), monthly(account, 500))
    items = check(account.v1.subscription_items.list({"subscription": subscription.id})).data
    assert len(items) == 2
    assert check(account.v1.subscription_items.retrieve(items[0].id)).id == items[0].id
