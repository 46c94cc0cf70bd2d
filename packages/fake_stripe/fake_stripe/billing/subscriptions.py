"""Subscriptions: how one begins, what state its payments put it in, and how it ends."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import stripe

from fake_stripe import errors, ids
from fake_stripe.account import Account
from fake_stripe.billing import discounts, invoices, lines, periods
from fake_stripe.billing.lines import Draft
from fake_stripe.contract.shapes import annotations_of, build
from fake_stripe.payments import baskets
from fake_stripe.resource import Resource
from fake_stripe.storage.objects import Body

SUBSCRIPTION = Resource(stripe.Subscription, "sub", frozenset({"deleted", "presentment_details"}))
ITEM = Resource(stripe.SubscriptionItem, "si", frozenset({"deleted"}), 14)
ENDED = ("canceled", "incomplete_expired")
# A first payment may be made good for this long; then the subscription never was.
INCOMPLETE_SECONDS = 23 * 3600
TRIAL_NOTICE_SECONDS = 3 * 24 * 3600
# What else ends with a subscription; filled by the modules that own it.
ON_END: list[Callable[[Account, Body], None]] = []
_PLAN_FIELDS = frozenset(annotations_of(stripe.Plan))


@dataclass(frozen=True)
class Order:
    """What a subscription begins with. Times in seconds since 1970; `anchor` is a future start of the cycle."""

    customer: Body
    items: list[tuple[Body, int, dict[str, str]]]
    metadata: dict[str, str] = field(default_factory=dict)
    trial_end: int | None = None
    anchor: int | None = None
    prorate: bool = True
    coupon: tuple[Body, Body | None] | None = None
    method: str | None = None
    extra: list[tuple[Body, int]] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)


def interval_of(items: list[Body]) -> tuple[str, int]:
    """The rhythm that all items share. Raises StripeError if they differ."""
    rhythms = {(item["price"]["recurring"]["interval"], item["price"]["recurring"]["interval_count"]) for item in items}
    if len(rhythms) != 1:
        raise errors.invalid("items", "The fake Stripe bills all items of a subscription in one interval.")
    return rhythms.pop()


def new_item(
    account: Account, subscription: str, price: Body, quantity: int, metadata: dict[str, str], now: int
) -> Body:
    """An item whose period is still to be set."""
    if price["type"] != "recurring":
        raise errors.invalid("items", f"The price {price['id']} is not recurring.")
    recurring = price["recurring"]
    plan = {
        **{name: value for name, value in price.items() if name in _PLAN_FIELDS and name != "object"},
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "usage_type": recurring["usage_type"],
    }
    return ITEM.new(
        account,
        created=now,
        current_period_start=now,
        current_period_end=now,
        metadata=metadata,
        plan=build(stripe.Plan, frozenset({"deleted", "tiers"}), **plan),
        price=price,
        quantity=quantity,
        subscription=subscription,
    )


def make(account: Account, order: Order) -> Body:
    """Keep a new subscription with its first period set; its first invoice is another step."""
    clock = order.customer["test_clock"]
    now = account.now(clock)
    identifier = ids.make("sub")
    items = [new_item(account, identifier, price, quantity, meta, now) for price, quantity, meta in order.items]
    interval, count = interval_of(items)
    trialing = order.trial_end is not None and order.trial_end > now
    anchor = order.anchor or (order.trial_end if trialing else None) or now
    end = (order.trial_end if trialing else None) or periods.next_boundary(anchor, now, interval, count)
    subscription = SUBSCRIPTION.new(
        account,
        clock,
        id=identifier,
        billing_cycle_anchor=anchor,
        billing_mode={"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": now},
        cancellation_details={"comment": None, "feedback": None, "feedback_option": None, "reason": None},
        collection_method="charge_automatically",
        currency=items[0]["price"]["currency"],
        customer=order.customer["id"],
        default_payment_method=order.method,
        invoice_settings=build(stripe.Subscription.InvoiceSettings, issuer={"type": "self", "account": None}),
        items={},
        metadata=order.metadata,
        start_date=now,
        status="trialing" if trialing else "incomplete",
        test_clock=clock,
        trial_start=now if trialing else None,
        trial_end=order.trial_end if trialing else None,
        trial_settings={"end_behavior": {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}},
        _prorate_start=order.prorate,
    )
    subscription.update(order.values)
    subscription["items"] = item_list(identifier, items)
    set_period(subscription, now, end)
    if order.coupon:
        discounts.attach(account, subscription, *order.coupon, now)
    account.add(subscription, "customer.subscription.created")
    plan_ahead(account, subscription)
    return subscription


def item_list(identifier: str, items: list[Body]) -> Body:
    """Items as the list inside their subscription."""
    url = f"/v1/subscription_items?subscription={identifier}"
    return {"object": "list", "data": items, "has_more": False, "total_count": len(items), "url": url}


def set_period(subscription: Body, start: int, end: int) -> None:
    """All items run in one period."""
    for item in subscription["items"]["data"]:
        item.update(current_period_start=start, current_period_end=end)


def period_of(subscription: Body) -> tuple[int, int]:
    """Start and end of the running period."""
    first = subscription["items"]["data"][0]
    return first["current_period_start"], first["current_period_end"]


def plan_ahead(account: Account, subscription: Body) -> None:
    """Put what time will bring into the queue."""
    clock = subscription["test_clock"]
    account.unschedule(subscription)
    if subscription["status"] in ENDED:
        return
    now, (_, end) = account.now(clock), period_of(subscription)
    if subscription["status"] == "incomplete":
        account.schedule(subscription["created"] + INCOMPLETE_SECONDS, "expire_incomplete", subscription, clock)
    if subscription["status"] != "paused":
        account.schedule(end, "renew_subscription", subscription, clock)
    if subscription["cancel_at"]:
        account.schedule(subscription["cancel_at"], "cancel_subscription", subscription, clock)
    if subscription["status"] == "trialing" and not subscription.get("_trial_notice"):
        notice = max(now, subscription["trial_end"] - TRIAL_NOTICE_SECONDS)
        account.schedule(notice, "tell_trial_will_end", subscription, clock)
    resumes_at = (subscription["pause_collection"] or {}).get("resumes_at")
    if resumes_at:
        account.schedule(resumes_at, "resume_collection", subscription, clock)


def first_drafts(account: Account, subscription: Body, extra: list[tuple[Body, int]]) -> list[Draft]:
    """The lines of the first invoice: free in a trial, a part up to a later anchor, else a whole period."""
    start, end = period_of(subscription)
    interval, count = interval_of(subscription["items"]["data"])
    once = [_once(account, price, quantity, start) for price, quantity in extra]
    found = [lines.whole(account, item, start, end) for item in subscription["items"]["data"]]
    if subscription["status"] == "trialing":
        return [_changed(draft, 0, f"Trial period for {draft.description}") for draft in found] + once
    whole_start = periods.previous_boundary(subscription["billing_cycle_anchor"], end, interval, count)
    if whole_start >= start:
        return found + once
    if not subscription["_prorate_start"]:
        return once
    parts = [lines.portion(draft.amount, end - start, end - whole_start) for draft in found]
    return [
        _changed(d, part, f"{d.description}, first part", True) for d, part in zip(found, parts, strict=True)
    ] + once


def _changed(draft: Draft, amount: int, description: str, proration: bool = False) -> Draft:
    return replace(draft, amount=amount, description=description, proration=proration)


def _once(account: Account, price: Body, quantity: int, now: int) -> Draft:
    product = account.get(price["product"], "product")
    amount = baskets.amount_of(price, quantity)
    return Draft(price, quantity, amount, lines.describe(price, quantity, product), now, now, {})


def first_invoice(account: Account, subscription: Body, extra: list[tuple[Body, int]]) -> Body | None:
    """Make and open the first invoice; None if there is nothing to say."""
    drafts = first_drafts(account, subscription, extra)
    if not drafts:
        return activate(account, subscription)
    return issue(account, subscription, drafts, "subscription_create")


def issue(
    account: Account, subscription: Body, drafts: list[Draft], reason: str, open_now: bool = True, **values: Any
) -> Body:
    """An invoice of a subscription, opened at once unless told otherwise."""
    customer = account.get(subscription["customer"], "customer")
    coupon, discount = discounts.coupon_of(account, subscription, account.now(subscription["test_clock"]))
    invoice = invoices.make(
        account,
        customer,
        drafts,
        reason,
        currency=subscription["currency"],
        subscription=subscription,
        coupon=coupon,
        discount=discount,
        **values,
    )
    if any(draft.amount for draft in drafts):
        discounts.use_up(account, subscription)
    account.change(subscription, None, latest_invoice=invoice["id"])
    return invoices.finalize(account, invoice) if open_now else invoice


def activate(account: Account, subscription: Body) -> None:
    """Paid, or nothing to pay."""
    if subscription["status"] in ("incomplete", "past_due", "unpaid"):
        account.change(subscription, "customer.subscription.updated", status="active")
        plan_ahead(account, subscription)


def method_of(account: Account, subscription: Body) -> Body | None:
    """What pays for it: its own method, else the customer's default."""
    customer = account.get(subscription["customer"], "customer")
    chosen = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    return account.find(chosen, "payment_method")


def end(account: Account, subscription: Body, reason: str, status: str = "canceled") -> Body:
    """For good, now. Open invoices are not collected any more."""
    now = account.now(subscription["test_clock"])
    details = {
        **subscription["cancellation_details"],
        "reason": subscription["cancellation_details"]["reason"] or reason,
    }
    subscription.update(
        status=status, ended_at=now, canceled_at=subscription["canceled_at"] or now, cancellation_details=details
    )
    account.save(subscription)
    account.unschedule(subscription)
    for follow in ON_END:
        follow(account, subscription)
    for invoice in account.all("invoice", _subscription=subscription["id"], status="open"):
        account.unschedule(invoice)
        account.change(invoice, "invoice.updated", auto_advance=False, next_payment_attempt=None)
    event = "customer.subscription.updated" if status == "incomplete_expired" else "customer.subscription.deleted"
    account.emit(event, subscription)
    return subscription
