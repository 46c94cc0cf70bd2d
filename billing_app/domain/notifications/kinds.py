"""Every kind of event that an organization can be told of: what it says, and who is told unless it chooses otherwise.

The one registry: choices, pages, the API, mails and docs/notifications.md all read it. A kind that somebody writes into
the outbox and that is not here is delivered to nobody, and a test fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from billing_app.domain.notifications.message_fields import (
    ENDING,
    FIGURES,
    GIVEN,
    METRIC,
    ORDER,
    RENEWAL,
    SUBSCRIPTION,
    TAKEN,
    TOP_UP,
    a_bought,
    a_figures,
    a_given,
    a_renewal,
    a_subscription,
    a_taken,
    a_top_up,
    an_ending,
    an_order,
)


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


KINDS: tuple[Kind, ...] = (
    Kind(
        "metric.blocked", Topic.USAGE, "Something is blocked",
        "A metric has neither allowance nor credits left, so actions that need it are blocked.",
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
        "At 50, 75, 90 and 100 % of the credits available after the latest grant.",
        {"metric": "mau", "percent": 50, **a_figures}, METRIC | {"percent": "50, 75, 90 or 100"} | FIGURES, mailed=True,
    ),
    Kind(
        "credits.expiring", Topic.CREDITS, "Credits end soon",
        "30, 7 and 1 days before unused credits expire.",
        {**an_ending, "days": 7}, METRIC | ENDING | {"days": "30, 7 or 1"}, mailed=True,
    ),
    Kind(
        "credits.expired", Topic.CREDITS, "Credits have ended",
        "Credits expired unused.", an_ending, METRIC | ENDING,
    ),
    Kind(
        "credits.granted", Topic.CREDITS, "Credits were given",
        "An operator granted credits manually.",
        {"metric": "mau", "grant": "019ac1", "quantity": 5_000, "reason": "For your patience",
         "expires_at": "2027-11-22T09:00:00+00:00"},
        METRIC | ENDING | GIVEN,
    ),
    Kind(
        "credits.voided", Topic.CREDITS, "Credits were taken back",
        "An operator voided a grant. What was left of it is gone.",
        {"metric": "mau", "grant": "019ac1", "quantity": 3_000, "reason": "Given by mistake"},
        METRIC | {"grant": "id of the grant"} | GIVEN, mailed=True,
    ),
    Kind(
        "credits.converted", Topic.CREDITS, "Tokens became credits",
        "Somebody converted tokens into credits of a metric.",
        {"metric": "mau", "tokens": 10, "quantity": 1_000, "reason": "Increase MAU limit by 1000", "grants": [a_given]},
        METRIC | {"tokens": "tokens that were burned"} | GIVEN | {"grants": "what it brought"},
    ),
    Kind(
        "gift_card.redeemed", Topic.CREDITS, "A gift card was redeemed",
        "Somebody redeemed a gift card. Its credits are available.",
        {"card": "019ac3", "name": "Launch week", "grants": [a_given]},
        {"card": "id of the gift card", "name": "what it is called", "grants": "what it brought"},
    ),
    Kind(
        "purchase.paid", Topic.PAYMENTS, "A purchase is paid",
        "Its credits are available.", {**an_order, "grants": [a_bought]}, ORDER | {"grants": "what it brought"},
    ),
    Kind(
        "purchase.failed", Topic.PAYMENTS, "A payment failed",
        "A purchase was not paid, so it brought no credits.",
        {**an_order, "failure": "Your card was declined."}, ORDER | {"failure": "a sentence for the payer"},
        mailed=True,
    ),
    Kind(
        "purchase.expired", Topic.PAYMENTS, "A payment was given up",
        "Nobody paid before the payment page closed.",
        {**an_order, "failure": ""}, ORDER | {"failure": "a sentence for the payer, or empty"},
    ),
    Kind(
        "purchase.refunded", Topic.PAYMENTS, "Money was given back",
        "A payment was refunded, wholly or in part. Its share of the credits is taken back.",
        {"refund": "re_1", **a_taken}, {"refund": "id of the refund at Stripe"} | TAKEN,
    ),
    Kind(
        "purchase.refund_failed", Topic.PAYMENTS, "A refund did not arrive",
        "The bank returned the money to us, so the credits are available again.",
        {"refund": "re_1", **a_taken, "grants": [a_bought | {"refunded_cents": 0, "taken_back": 0}]},
        {"refund": "id of the refund at Stripe"} | TAKEN, mailed=True,
    ),
    Kind(
        "dispute.opened", Topic.PAYMENTS, "A payment is disputed",
        "The cardholder disputed a payment. What is left of its credits is on hold until the dispute is decided.",
        {"dispute": "du_1", **a_taken, "grants": [a_bought | {"refunded_cents": 0, "taken_back": 0}]},
        {"dispute": "id of the dispute at Stripe"} | TAKEN, mailed=True,
    ),
    Kind(
        "dispute.won", Topic.PAYMENTS, "A dispute is over, and the payment stands",
        "Credits that were on hold can be used again.",
        {"dispute": "du_1", **a_taken, "grants": [a_bought | {"refunded_cents": 0, "taken_back": 0}]},
        {"dispute": "id of the dispute at Stripe"} | TAKEN,
    ),
    Kind(
        "dispute.lost", Topic.PAYMENTS, "A dispute is lost",
        "The disputed money went back, and its share of the credits is taken back.",
        {"dispute": "du_1", **a_taken}, {"dispute": "id of the dispute at Stripe"} | TAKEN, mailed=True,
    ),
    Kind(
        "recurring_pack.renewed", Topic.PAYMENTS, "Monthly packs are paid",
        "Packs that renew every month were paid again. Their credits are available.",
        {**a_renewal, "failure": "", "pay_url": "", "grants": [a_bought]}, RENEWAL | {"grants": "what it brought"},
    ),
    Kind(
        "recurring_pack.payment_failed", Topic.PAYMENTS, "Monthly packs were not paid",
        "The card was declined or requires authentication. Existing credits stay; new ones arrive once it is paid.",
        {**a_renewal, "failure": "Your card was declined.", "pay_url": "https://invoice.stripe.com/i/1", "grants": []},
        RENEWAL | {"grants": "what it brought"}, mailed=True,
    ),
    Kind(
        "recurring_pack.ended", Topic.PAYMENTS, "A monthly pack has ended",
        "It no longer renews. Its credits stay until they expire.",
        {"metric": "mau", "recurring_pack": "rp_1", "pack": "mau-10k-monthly"},
        METRIC | {"recurring_pack": "id of the recurring pack", "pack": "id of the pack"},
    ),
    Kind(
        "top_up.paid", Topic.PAYMENTS, "Auto top-up bought credits",
        "Credits ran low, and the saved card was charged.",
        {**a_top_up, "invoice": "in_1", "grants": [a_bought]},
        TOP_UP | {"invoice": "id of the invoice at Stripe", "grants": "what it brought"},
    ),
    Kind(
        "top_up.failed", Topic.PAYMENTS, "Auto top-up could not pay",
        "The card was declined or requires authentication. It is retried a day later.",
        {**a_top_up, "failure": "Your card was declined.", "resting_until": "2026-11-23T09:00:00+00:00"},
        TOP_UP | {"failure": "a sentence for the payer", "resting_until": "when it tries again, RFC 3339"}, mailed=True,
    ),
    Kind(
        "top_up.off", Topic.PAYMENTS, "Auto top-up is off",
        "It failed three times in a row, or its pack is no longer sold.",
        {"metric": "mau", "failure": "Your card was declined."}, METRIC | {"failure": "why"}, mailed=True,
    ),
    Kind(
        "top_up.capped", Topic.PAYMENTS, "Auto top-up reached its monthly cap",
        "The next purchase would exceed the cap for this calendar month, so nothing is bought until the next one.",
        {"metric": "mau", "cap_cents": 20_000, "currency": "usd", "until": "2026-12-01T00:00:00+00:00",
         "failure": "It takes 5 packs for $70.00, and $60.00 of the month's $200.00 are left."},
        METRIC | {"cap_cents": "the cap", "currency": "ISO 4217, lower case", "until": "when it resumes, RFC 3339",
                  "failure": "why"},
        mailed=True,
    ),
    Kind(
        "plan.changed", Topic.PLAN, "The plan has changed",
        "Another plan is in force, chosen by a member, by an operator, or by a payment.",
        {"plan": "pro", "before": "essential", "since": "2026-11-22T09:00:00+00:00", "reason": "Upgraded"},
        {
            "plan": "id of the plan; null: that of the parent organization", "before": "the previous plan, likewise",
            "since": "RFC 3339", "reason": "why, or empty",
        },
    ),
    Kind(
        "organization.ending", Topic.PLAN, "The organization ends",
        "Somebody decided to end the organization: at once, or when the paid period is over.",
        {"ends_at": "2026-12-31T00:00:00+00:00", "reason": "We moved on"},
        {"ends_at": "when it ends, RFC 3339", "reason": "why, or empty"}, mailed=True,
    ),
    Kind(
        "subscription.trialing", Topic.PLAN, "A trial has begun",
        "The plan is in force, and is paid for when the trial ends.",
        a_subscription("trialing", "incomplete"), SUBSCRIPTION,
    ),
    Kind(
        "subscription.active", Topic.PLAN, "The plan is paid",
        "The plan is in force: it began, was renewed, or a late payment arrived.",
        a_subscription("active", "past_due"), SUBSCRIPTION,
    ),
    Kind(
        "subscription.past_due", Topic.PLAN, "The plan could not be paid",
        "The card was not charged. The plan stays for a grace period; then the default plan applies until it is paid.",
        a_subscription("past_due", "active"), SUBSCRIPTION, mailed=True,
    ),
    Kind(
        "subscription.unpaid", Topic.PLAN, "The plan was not paid in the end",
        "Every attempt to charge the card failed, so the default plan applies.",
        a_subscription("unpaid", "past_due"), SUBSCRIPTION, mailed=True,
    ),
    Kind(
        "subscription.paused", Topic.PLAN, "The plan is paused",
        "Nothing is charged, and the default plan applies, until it is resumed.",
        a_subscription("paused", "active"), SUBSCRIPTION,
    ),
    Kind(
        "subscription.canceled", Topic.PLAN, "The plan has ended",
        "The subscription has ended, and the default plan applies. Bought credits stay.",
        a_subscription("canceled", "active"), SUBSCRIPTION, mailed=True,
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
