"""What the plan page shows: the plan in force, its subscription, limits against counts, and all plans side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing_app.domain.catalogue import Feature, Metric, Plan
from billing_app.domain.common.periods import Period
from billing_app.domain.organizations.limits import LimitUse
from billing_app.domain.purchases.subscriptions import When


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """The organization's current subscription. `price_cents` is per `interval`, before discounts and taxes.

    `period_end` is when it is billed next (or ends, or its trial does); `grace_ends_at` until when a plan that is owed
    for stays. `scheduled_*` is what the period's end brings.
    """

    id: str
    status: str
    plan: str
    plan_name: str
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
    scheduled_plan_name: str
    scheduled_interval: str
    scheduled_at: datetime | None
    collection: str = ""
    """What becomes of invoices while Stripe collects nothing; empty while it does."""
    collection_resumes_at: datetime | None = None
    given_up: str = ""
    """That the latest invoice is owed no more: "void" or "uncollectible"; empty otherwise."""


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
    subscription: SubscriptionView | None
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
class InvoiceLink:
    """An invoice at Stripe. `status` is paid, open, void or uncollectible."""

    number: str
    created_at: datetime
    status: str
    total_cents: int
    currency: str
    hosted_url: str
    pdf_url: str


@dataclass(frozen=True, slots=True)
class PreviewAmount:
    """A line of what a change costs; negative lines give back what was paid."""

    description: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class PlanChangeView:
    """What a change of plan would do, for the dialog that asks. `at` goes back with the order to do it."""

    plan: str
    plan_name: str
    interval: str
    when: When
    at: datetime
    counts_at: datetime
    due_cents: int
    total_cents: int
    currency: str
    lines: tuple[PreviewAmount, ...]
    price_cents: int
    billed_at: datetime
