"""An organization's subscription: what it holds, what a change costs, what was billed."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from billing_app.api.catalogue.schemas import PlanAnswer
from billing_app.api.common.schemas import Answer, Moment, Name, Request
from billing_app.domain.purchases.subscriptions import BillingInterval
from billing_app.services.subscriptions.views_plan import SubscriptionView


class SubscriptionAnswer(Answer):
    """The current subscription, also one that has ended. `price_cents` per `interval`, before discounts and taxes.

    `period_end` is when it is billed next; `grace_ends_at` until when a plan that is owed for stays. `scheduled_*` is
    what the period's end brings, `cancel_at` when it ends. While Stripe collects nothing, `collection` says what
    becomes of invoices (keep_as_draft, void, mark_uncollectible) and `collection_resumes_at` until when, if that is
    known; `given_up` is "void" or "uncollectible" where the latest invoice is owed no more.
    """

    id: str
    status: str
    plan: str
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
    scheduled_interval: str
    scheduled_at: datetime | None
    collection: str
    collection_resumes_at: datetime | None
    given_up: str

    @classmethod
    def of(cls, found: SubscriptionView | None) -> SubscriptionAnswer | None:
        """The answer for a subscription."""
        return None if found is None else cls.model_validate(found)


class LimitUseAnswer(Answer):
    """How much of a limit is taken. `maximum` null is unlimited; `overridden` says that it is not the plan's own."""

    used: int
    maximum: int | None
    overridden: bool


class OverrideInForce(Answer):
    """What stands in place of the plan until `until` (null: without end). `value` as an operator gave it."""

    kind: str
    name: str
    value: int | None
    until: datetime | None


class SubscriptionObject(Answer):
    """The subscription object: the subscription, the plan in force with its own limits, and counts against what holds.

    `overrides` are what the operator has put in place of the plan; `usage` counts them in, `plan` never does.
    """

    subscription: SubscriptionAnswer | None
    plan: PlanAnswer
    usage: dict[str, LimitUseAnswer]
    overrides: list[OverrideInForce]


class PlanChoice(Request):
    """A plan, paid per month or per year."""

    plan: Name
    interval: BillingInterval = BillingInterval.MONTH


class PlanChangeRequest(PlanChoice):
    """A change as it was previewed: `at` is the preview's, so that it costs what the preview said."""

    at: Moment


class PreviewLineAnswer(Answer):
    """What an amount is for; negative amounts give back what was paid."""

    description: str
    amount_cents: int


class PlanPreviewAnswer(Answer):
    """What a change would do. Now: `due_cents` are charged at once. At the period's end nothing is due now."""

    plan: str
    interval: str
    when: Literal["now", "period_end"]
    at: datetime
    counts_at: datetime
    due_cents: int
    total_cents: int
    currency: str
    lines: list[PreviewLineAnswer]
    price_cents: int
    billed_at: datetime


class PortalAnswer(Answer):
    """Stripe's pages for this customer. Send the browser to `url` soon: it works once."""

    url: str


class InvoiceAnswer(Answer):
    """An invoice; its pages are at Stripe."""

    number: str
    created_at: datetime
    status: str
    total_cents: int
    currency: str
    hosted_url: str
    pdf_url: str
