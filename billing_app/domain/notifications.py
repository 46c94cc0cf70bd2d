"""Every kind of event that an organization can be told of: what it says, and who is told unless it chooses otherwise.

The one registry: choices, pages, the API, mails and docs/notifications.md all read it. A kind that somebody writes into
the outbox and that is not here is delivered to nobody, and a test fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Topic(StrEnum):
    """What kinds belong together."""

    USAGE = "usage"
    CREDITS = "credits"
    PAYMENTS = "payments"
    PLAN = "plan"
    LIMITS = "limits"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. `example` is a payload with every field that it may have, `fields` says what they mean.

    `mailed` kinds are told by mail to admins and to those with the role billing unless an organization chooses
    otherwise: what stops something, or costs money if nobody acts.
    """

    id: str
    topic: Topic
    title: str
    description: str
    example: Mapping[str, Any]
    fields: Mapping[str, str] = field(default_factory=dict)
    mailed: bool = False


METRIC = {"metric": "id of the metric"}
FIGURES = {
    "used": "used in the running period, in base units",
    "allowance": "what the plan includes per period; null is unlimited",
    "left": "credits that can be spent",
}
ENDING = {
    "grant": "id of the grant",
    "quantity": "credits, in base units",
    "expires_at": "when they end, RFC 3339",
}
MONEY = {"total_cents": "in the smallest unit of the currency", "currency": "ISO 4217, lower case"}
ORDER = {"order": "id of the order", "checkout": "id of the payment page at Stripe", **MONEY}
RENEWAL = {
    "subscription": "id of the subscription at Stripe",
    "invoice": "id of the invoice at Stripe",
    **MONEY,
    "failure": "a sentence for the payer, or empty",
    "pay_url": "where it can be paid, or empty",
}
TOP_UP = {"attempt": "id of the attempt", **METRIC, "pack": "id of the pack", **MONEY}

_ending = {"metric": "mau", "grant": "019ac1", "quantity": 12_000, "expires_at": "2026-12-01T09:00:00+00:00"}
_figures = {"used": 20_250, "allowance": 20_000, "left": 24_750}
_order = {"order": "or_1", "checkout": "cs_1", "total_cents": 4_900, "currency": "usd"}
_bought = {
    "grant": "019ac1", "metric": "mau", "quantity": 50_000, "pack": "mau-50k", "paid_cents": 4_900,
    "expires_at": "2027-11-22T09:00:00+00:00",
}  # fmt: skip
_renewal = {"subscription": "sub_1", "invoice": "in_1", "total_cents": 1_200, "currency": "usd"}
_top_up = {"attempt": "tu_1", "metric": "mau", "pack": "mau-10k", "total_cents": 1_400, "currency": "usd"}

SUBSCRIPTION = {
    "subscription": "id of the subscription at Stripe",
    "plan": "id of the plan",
    "status": "Stripe's word for how it is now",
    "before": "and for how it was",
    "period_end": "end of the paid period, RFC 3339",
    "current": "whether it is the one that decides the organization's plan",
}


def _subscription(status: str, before: str) -> dict[str, Any]:
    return {
        "subscription": "sub_1", "plan": "pro", "status": status, "before": before,
        "period_end": "2026-12-22T09:00:00+00:00", "current": True,
    }  # fmt: skip


KINDS: tuple[Kind, ...] = (
    Kind(
        "metric.blocked", Topic.USAGE, "Something is blocked",
        "A metric has neither allowance nor credits left, so what needs it stops.",
        {"metric": "mau", "used": 45_000, "allowance": 20_000, "left": 0}, METRIC | FIGURES, mailed=True,
    ),
    Kind(
        "metric.unblocked", Topic.USAGE, "It works again",
        "A blocked metric has allowance or credits again.",
        {"metric": "mau", "used": 0, "allowance": 20_000, "left": 50_000}, METRIC | FIGURES, mailed=True,
    ),
    Kind(
        "plan.usage", Topic.USAGE, "The plan is being used up",
        "At 50, 70, 90 and 100 % of what the plan includes, once each per period.",
        {"metric": "mau", "percent": 70, "used": 14_000, "allowance": 20_000, "left": 50_000},
        METRIC | {"percent": "50, 70, 90 or 100"} | FIGURES,
    ),
    Kind(
        "credits.used", Topic.CREDITS, "Credits are being used up",
        "At 50, 75, 90 and 100 % of the credits there were after the latest grant.",
        {"metric": "mau", "percent": 50, **_figures}, METRIC | {"percent": "50, 75, 90 or 100"} | FIGURES, mailed=True,
    ),
    Kind(
        "credits.expiring", Topic.CREDITS, "Credits end soon",
        "30, 7 and 1 days before credits end that are still unused.",
        {**_ending, "days": 7}, METRIC | ENDING | {"days": "30, 7 or 1"}, mailed=True,
    ),
    Kind(
        "credits.expired", Topic.CREDITS, "Credits have ended",
        "Credits reached their end unused.", _ending, METRIC | ENDING,
    ),
    Kind(
        "purchase.paid", Topic.PAYMENTS, "A purchase is paid",
        "Its credits are there.", {**_order, "grants": [_bought]}, ORDER | {"grants": "what it brought"},
    ),
    Kind(
        "purchase.failed", Topic.PAYMENTS, "A payment failed",
        "A purchase was not paid, and brought nothing.",
        {**_order, "failure": "Your card was declined."}, ORDER | {"failure": "a sentence for the payer"}, mailed=True,
    ),
    Kind(
        "purchase.expired", Topic.PAYMENTS, "A payment was given up",
        "Nobody paid before the payment page closed.",
        {**_order, "failure": ""}, ORDER | {"failure": "a sentence for the payer, or empty"},
    ),
    Kind(
        "recurring_pack.renewed", Topic.PAYMENTS, "Monthly packs are paid",
        "Packs that renew every month were paid again. Their credits are there.",
        {**_renewal, "failure": "", "pay_url": "", "grants": [_bought]}, RENEWAL | {"grants": "what it brought"},
    ),
    Kind(
        "recurring_pack.payment_failed", Topic.PAYMENTS, "Monthly packs were not paid",
        "The card was declined or asks for its owner. Credits that are there stay; new ones come when it is paid.",
        {**_renewal, "failure": "Your card was declined.", "pay_url": "https://invoice.stripe.com/i/1", "grants": []},
        RENEWAL | {"grants": "what it brought"}, mailed=True,
    ),
    Kind(
        "recurring_pack.ended", Topic.PAYMENTS, "A monthly pack has ended",
        "It renews no more. Its credits stay until their own end.",
        {"metric": "mau", "recurring_pack": "rp_1", "pack": "mau-10k-monthly"},
        METRIC | {"recurring_pack": "id of the recurring pack", "pack": "id of the pack"},
    ),
    Kind(
        "top_up.paid", Topic.PAYMENTS, "Auto top-up bought credits",
        "Credits ran low, and the saved card was charged.",
        {**_top_up, "invoice": "in_1", "grants": [_bought]},
        TOP_UP | {"invoice": "id of the invoice at Stripe", "grants": "what it brought"},
    ),
    Kind(
        "top_up.failed", Topic.PAYMENTS, "Auto top-up could not pay",
        "The card was declined or asks for its owner. It tries again a day later.",
        {**_top_up, "failure": "Your card was declined.", "resting_until": "2026-11-23T09:00:00+00:00"},
        TOP_UP | {"failure": "a sentence for the payer", "resting_until": "when it tries again, RFC 3339"}, mailed=True,
    ),
    Kind(
        "top_up.off", Topic.PAYMENTS, "Auto top-up is off",
        "It failed three times in a row, or its pack is not sold any more.",
        {"metric": "mau", "failure": "Your card was declined."}, METRIC | {"failure": "why"}, mailed=True,
    ),
    Kind(
        "top_up.capped", Topic.PAYMENTS, "Auto top-up reached its monthly cap",
        "It buys nothing more before the next calendar month.",
        {"metric": "mau", "cap_cents": 20_000, "currency": "usd", "until": "2026-12-01T00:00:00+00:00"},
        METRIC | {"cap_cents": "the cap", "currency": "ISO 4217, lower case", "until": "when it goes on, RFC 3339"},
        mailed=True,
    ),
    Kind(
        "subscription.trialing", Topic.PLAN, "A trial has begun",
        "The plan is in force, and is paid for when the trial ends.",
        _subscription("trialing", "incomplete"), SUBSCRIPTION,
    ),
    Kind(
        "subscription.active", Topic.PLAN, "The plan is paid",
        "The plan is in force: it began, was renewed or was paid after all.",
        _subscription("active", "past_due"), SUBSCRIPTION,
    ),
    Kind(
        "subscription.past_due", Topic.PLAN, "The plan could not be paid",
        "The card was not charged. The plan stays for some days; then the default plan holds until it is paid.",
        _subscription("past_due", "active"), SUBSCRIPTION, mailed=True,
    ),
    Kind(
        "subscription.unpaid", Topic.PLAN, "The plan was not paid in the end",
        "Every try to charge the card failed, so the default plan holds.",
        _subscription("unpaid", "past_due"), SUBSCRIPTION, mailed=True,
    ),
    Kind(
        "subscription.paused", Topic.PLAN, "The plan is paused",
        "Nothing is charged, and the default plan holds, until it is resumed.",
        _subscription("paused", "active"), SUBSCRIPTION,
    ),
    Kind(
        "subscription.canceled", Topic.PLAN, "The plan has ended",
        "The subscription is over, and the default plan holds. Bought credits stay.",
        _subscription("canceled", "active"), SUBSCRIPTION, mailed=True,
    ),
    Kind(
        "webhook.disabled", Topic.DELIVERY, "A webhook endpoint was switched off",
        "Nothing reached it for three days, or it answered that it is gone.",
        {"endpoint": "019ac2", "url": "https://example.com/hooks", "reason": "It answered 410 Gone."},
        {"endpoint": "id of the endpoint", "url": "where it is", "reason": "a sentence"}, mailed=True,
    ),
)  # fmt: skip
"""In the order in which people are shown them."""

TEST = "test"
"""The kind of a message that somebody sends to see whether it arrives. Nobody chooses it: it goes where it is sent."""


def kind(kind_id: str) -> Kind | None:
    """The kind of this id."""
    return next((each for each in KINDS if each.id == kind_id), None)


def one(kind_id: str) -> Kind:
    """The same, for an id that is known to be one."""
    return next(each for each in KINDS if each.id == kind_id)


def kind_ids() -> tuple[str, ...]:
    """Every id, in the order in which they are shown."""
    return tuple(each.id for each in KINDS)
