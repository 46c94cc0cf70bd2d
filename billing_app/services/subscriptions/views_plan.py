"""What the plan page shows: the plan in force, its subscription, limits against counts, and all plans side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from billing_app.domain.catalogue import Feature, Metric, Plan
from billing_app.domain.common.periods import Period
from billing_app.domain.organizations.limits import LimitUse
from billing_app.domain.purchases.subscriptions import BillingInterval, When
from billing_app.services.common.answers import AS_CHOICE, AS_TEXT, Internal


@dataclass(frozen=True, slots=True)
class SubscriptionAnswer:
    """The current subscription, also one that has ended. `price_cents` per `interval`, before discounts and taxes.

    `period_end` is when it is billed next; `grace_ends_at` until when a plan that is owed for stays. `scheduled_*` is
    what the period's end brings, `cancel_at` when it ends. While Stripe collects nothing, `collection` says what
    becomes of invoices (keep_as_draft, void, mark_uncollectible) and `collection_resumes_at` until when, if that is
    known; `given_up` is "void" or "uncollectible" where the latest invoice is owed no more.
    """

    id: str
    status: str
    plan: str
    plan_name: Internal[str]
    interval: str
    price_cents: int
    currency: str
    started_at: datetime
    period_start: datetime
    period_end: datetime
    trial_end: datetime | None
    cancel_at: datetime | None
    ended_at: datetime | None
    past_due_at: datetime | None
    grace_ends_at: datetime | None
    scheduled_plan: str
    scheduled_plan_name: Internal[str]
    scheduled_interval: str
    scheduled_at: datetime | None
    collection: str
    collection_resumes_at: datetime | None
    given_up: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """The page. `plan` is in force now; `chosen` what was subscribed to, which differs once a grace is over.

    `period` is the running metering month. `plans` are on offer, in the catalogue's order; the plan in force is among
    them even if it is not sold any more. `payer_name` is set where another organization's plan holds (it then
    has no prices), `above_name` where another's would hold if this one had none of its own.
    """

    now: datetime
    plan: Plan
    chosen: Plan
    default_plan: Plan
    currency: str
    period: Period
    subscription: SubscriptionAnswer | None
    plans: tuple[Plan, ...]
    metrics: tuple[Metric, ...]
    features: tuple[Feature, ...]
    limits: tuple[LimitUse, ...]
    may_try: bool
    has_customer: bool
    selling: bool
    payer_name: str = ""
    above_name: str = ""
    stripe_name: str = ""
    """The name and e-mail that Stripe writes on invoices; empty until it was read."""
    stripe_email: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceAnswer:
    """An invoice; its pages are at Stripe."""

    number: str
    created_at: datetime
    status: str
    """paid, open, void or uncollectible."""
    total_cents: int
    currency: str
    hosted_url: str
    pdf_url: str


@dataclass(frozen=True, slots=True)
class PreviewLineAnswer:
    """What an amount is for; negative amounts give back what was paid."""

    description: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class PlanPreviewAnswer:
    """What a change would do. Now: `due_cents` are charged at once. At the period's end nothing is due now."""

    plan: str
    plan_name: Internal[str]
    interval: Annotated[BillingInterval, AS_TEXT]
    when: Annotated[When, AS_CHOICE]
    at: datetime
    """Goes back with the order to do it."""
    counts_at: datetime
    due_cents: int
    total_cents: int
    currency: str
    lines: tuple[PreviewLineAnswer, ...]
    price_cents: int
    """Per `interval` from then on, next billed at `billed_at`."""
    billed_at: datetime
