"""Subscription schedules: what a subscription becomes at the end of its running period, decided beforehand.

A phase ends where a period ends; other ends are refused. A schedule owns its subscription's end until it is released.
"""

from typing import Any

import stripe

from fake_stripe import errors
from fake_stripe.account import Account
from fake_stripe.billing import subscriptions
from fake_stripe.billing.subscriptions import SUBSCRIPTION
from fake_stripe.contract.shapes import annotations_of, build
from fake_stripe.resource import Resource
from fake_stripe.storage.objects import Body

SCHEDULE = Resource(stripe.SubscriptionSchedule, "sub_sched")
_PHASE = stripe.SubscriptionSchedule.Phase
_ITEM_HIDDEN = frozenset(annotations_of(_PHASE.Item)) - {"discounts", "metadata", "plan", "price", "quantity"}


def begin(account: Account, subscription: Body) -> Body:
    """A schedule whose only phase is what the subscription is now. Raises StripeError if it has one or has ended."""
    if subscription["schedule"]:
        raise errors.invalid(
            "from_subscription", "You cannot migrate a subscription that is already attached to a schedule."
        )
    if subscription["status"] in (*subscriptions.ENDED, "incomplete", "paused"):
        raise errors.invalid("from_subscription", f"A subscription that is {subscription['status']} has no schedule.")
    start, end = subscriptions.period_of(subscription)
    now = account.now(subscription["test_clock"])
    items = [phase_item(item["price"], item["quantity"]) for item in subscription["items"]["data"]]
    schedule = SCHEDULE.new(
        account,
        subscription["test_clock"],
        billing_mode={**subscription["billing_mode"], "updated_at": now},
        current_phase={"start_date": start, "end_date": end},
        customer=subscription["customer"],
        default_settings=build(
            stripe.SubscriptionSchedule.DefaultSettings,
            billing_cycle_anchor="automatic",
            collection_method="charge_automatically",
            invoice_settings=_invoice_settings(stripe.SubscriptionSchedule.DefaultSettings.InvoiceSettings),
        ),
        end_behavior="release",
        metadata={},
        phases=[phase(subscription, items, start, end)],
        status="active",
        subscription=subscription["id"],
        test_clock=subscription["test_clock"],
    )
    account.add(schedule, "subscription_schedule.created")
    account.change(subscription, "customer.subscription.updated", schedule=schedule["id"])
    return schedule


def _invoice_settings(shape: type) -> Body:
    return build(shape, issuer={"type": "self", "account": None})


def phase_item(price: Body, quantity: int) -> Body:
    """One item of a phase."""
    return build(_PHASE.Item, _ITEM_HIDDEN, metadata={}, plan=price["id"], price=price["id"], quantity=quantity)


def phase(subscription: Body, items: list[Body], start: int, end: int, **values: Any) -> Body:
    """A phase in the subscription's currency; a trial that runs ends with the phase that it is in."""
    in_trial = subscription["status"] == "trialing" and end == subscription["trial_end"]
    return build(
        _PHASE,
        **{
            "currency": subscription["currency"],
            "items": items,
            "metadata": {},
            "proration_behavior": "create_prorations",
            "start_date": start,
            "end_date": end,
            "trial_end": end if in_trial else None,
            **values,
        },
    )


def at_boundary(account: Account, subscription: Body, boundary: int) -> None:
    """A period is over: the next phase begins, or the schedule is done and lets go, or ends the subscription."""
    schedule = account.find(subscription["schedule"], SCHEDULE.kind)
    if schedule is None or schedule["current_phase"]["end_date"] > boundary:
        return
    coming = [each for each in schedule["phases"] if each["start_date"] >= boundary]
    if coming:
        _enter(account, subscription, coming[0], boundary)
        dates = {"start_date": boundary, "end_date": coming[0]["end_date"]}
        account.change(schedule, "subscription_schedule.updated", current_phase=dates)
    elif schedule["end_behavior"] == "cancel":
        _finish(account, schedule, "completed", completed_at=boundary)
        subscriptions.end(account, subscription, "cancellation_requested")
    else:
        release(account, schedule, boundary)
        subscription["schedule"] = None


def _enter(account: Account, subscription: Body, entered: Body, boundary: int) -> None:
    before = subscription["items"]["data"]
    items = []
    for place, wanted in enumerate(entered["items"]):
        price = account.get(wanted["price"], "price")
        item = subscriptions.new_item(account, subscription["id"], price, wanted["quantity"], {}, boundary)
        kept = {name: before[place][name] for name in ("id", "created", "metadata")} if place < len(before) else {}
        items.append({**item, **kept})
    if subscriptions.interval_of(items) != subscriptions.interval_of(before):
        subscription["billing_cycle_anchor"] = boundary
    subscription["items"] = subscriptions.item_list(subscription["id"], items)
    account.save(subscription)


def release(account: Account, schedule: Body, now: int) -> Body:
    """The subscription goes on as it is, without a schedule."""
    subscription = account.find(schedule["subscription"], SUBSCRIPTION.kind)
    _finish(account, schedule, "released", released_at=now, released_subscription=schedule["subscription"])
    if subscription is not None:
        account.change(subscription, "customer.subscription.updated", schedule=None)
    return schedule


def cancel_with(account: Account, subscription: Body) -> None:
    """The subscription ended: nothing is left to schedule."""
    schedule = account.find(subscription["schedule"], SCHEDULE.kind)
    if schedule is not None and schedule["status"] == "active":
        _finish(account, schedule, "canceled", canceled_at=account.now(subscription["test_clock"]))


def _finish(account: Account, schedule: Body, status: str, **values: Any) -> None:
    schedule.update(status=status, current_phase=None, **values)
    if status == "released":
        schedule["subscription"] = None
    account.save(schedule)
    account.emit(f"subscription_schedule.{status}", schedule)


def refuse_own_end(subscription: Body) -> None:
    """Raises StripeError while a schedule decides how the subscription ends."""
    if subscription["schedule"]:
        raise errors.StripeError(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating "
            "any cancelation behavior directly is not allowed. Please update the schedule instead."
        )


subscriptions.ON_END.append(cancel_with)
