"""Subscription schedules: a change that waits for the end of the period."""

from typing import Any

import pytest
import stripe

from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.answers import check
from tests.fake_stripe.test_subscriptions import DAY, Subscriber, monthly, period


def scheduled(account: TestAccount, subscription: Any, price: Any, **more: Any) -> Any:
    """The other price from the end of the running period on, for one month."""
    made = check(account.v1.subscription_schedules.create({"from_subscription": subscription.id}))
    running = made.phases[0]
    item = subscription["items"].data[0]
    phases = [
        {
            "items": [{"price": item.price.id, "quantity": item.quantity}],
            "start_date": running.start_date,
            "end_date": running.end_date,
        },
        {
            "items": [{"price": price.id, "quantity": 1}],
            "duration": {"interval": "month", "interval_count": 1},
            "proration_behavior": "none",
        },
    ]
    return check(account.v1.subscription_schedules.update(made.id, {"phases": phases, **more}))


def test_another_price_from_the_next_period_on(account: TestAccount) -> None:
    ada = Subscriber(account)
    dear, cheap = monthly(account, 9900), monthly(account, 2900)
    subscription = ada.subscribe(dear)
    schedule = scheduled(account, subscription, cheap)
    assert ada.subscription(subscription.id).schedule == schedule.id
    assert ada.subscription(subscription.id)["items"].data[0].price.id == dear.id
    shown = account.v1.invoices.create_preview({"subscription": subscription.id})
    assert (shown.total, [line.pricing.price_details.price for line in shown.lines.data]) == (2900, [cheap.id])
    assert ada.subscription(subscription.id)["items"].data[0].price.id == dear.id
    ada.advance(28 * DAY + 7200)
    renewed = ada.subscription(subscription.id)
    assert (renewed["items"].data[0].price.id, renewed.latest_invoice.amount_paid) == (cheap.id, 2900)
    assert renewed["items"].data[0].id == subscription["items"].data[0].id
    assert period(renewed) == (28, 59)
    assert len(ada.invoices()) == 2
    ada.advance(60 * DAY)
    released = account.v1.subscription_schedules.retrieve(schedule.id)
    assert (released.status, released.released_subscription, released.subscription) == (
        "released",
        subscription.id,
        None,
    )
    after = ada.subscription(subscription.id)
    assert (after.schedule, after["items"].data[0].price.id, after.latest_invoice.amount_paid) == (None, cheap.id, 2900)
    assert "subscription_schedule.released" in account.event_types()


def test_a_released_schedule_changes_nothing(account: TestAccount) -> None:
    ada = Subscriber(account)
    subscription = ada.subscribe(monthly(account, 9900))
    schedule = scheduled(account, subscription, monthly(account, 2900))
    check(account.v1.subscription_schedules.release(schedule.id))
    ada.advance(28 * DAY + 7200)
    assert ada.subscription(subscription.id).latest_invoice.amount_paid == 9900
    with pytest.raises(stripe.InvalidRequestError, match="released"):
        account.v1.subscription_schedules.release(schedule.id)


def test_a_schedule_may_end_the_subscription(account: TestAccount) -> None:
    ada = Subscriber(account)
    subscription = ada.subscribe(monthly(account))
    schedule = scheduled(account, subscription, monthly(account, 900), end_behavior="cancel")
    ada.advance(60 * DAY)
    assert ada.subscription(subscription.id).status == "canceled"
    assert account.v1.subscription_schedules.retrieve(schedule.id).status == "completed"


def test_a_subscription_that_ends_takes_its_schedule_with_it(account: TestAccount) -> None:
    ada = Subscriber(account)
    subscription = ada.subscribe(monthly(account))
    schedule = scheduled(account, subscription, monthly(account, 900))
    account.v1.subscriptions.cancel(subscription.id)
    assert account.v1.subscription_schedules.retrieve(schedule.id).status == "canceled"


def test_from_a_month_to_a_year(account: TestAccount) -> None:
    ada = Subscriber(account)
    subscription = ada.subscribe(monthly(account))
    yearly = account.price(29000, recurring={"interval": "year"})
    scheduled(account, subscription, yearly)
    ada.advance(28 * DAY + 7200)
    assert period(ada.subscription(subscription.id)) == (28, 28 + 365)
    assert ada.invoices()[0].amount_paid == 29000


@pytest.mark.parametrize("wanted", [{"cancel_at_period_end": True}, {"cancel_at": "min_period_end"}])
def test_while_it_is_scheduled_its_end_is_the_schedules(account: TestAccount, wanted: dict[str, Any]) -> None:
    ada = Subscriber(account)
    subscription = ada.subscribe(monthly(account))
    scheduled(account, subscription, monthly(account, 900))
    with pytest.raises(stripe.InvalidRequestError, match="managed by the subscription schedule"):
        account.v1.subscriptions.update(subscription.id, wanted)


def test_only_one_schedule_and_only_what_can_be_done(account: TestAccount) -> None:
    ada = Subscriber(account)
    subscription = ada.subscribe(monthly(account))
    schedule = account.v1.subscription_schedules.create({"from_subscription": subscription.id})
    with pytest.raises(stripe.InvalidRequestError, match="already attached"):
        account.v1.subscription_schedules.create({"from_subscription": subscription.id})
    phase = {"items": [{"price": monthly(account).id}], "end_date": schedule.phases[0].end_date}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        account.v1.subscription_schedules.update(schedule.id, {"phases": [phase]})
    assert refused.value.code == "sandbox_unsupported"
