"""One organization as an operator sees it: where it stands, what it bought, what Stripe said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.credits.entitlements import MeterState
from billing_app.services.credits.views import GrantLabel
from billing_app.services.operators.views import TroubleAnswer
from billing_app.services.operators.views_operations import EventAnswer
from billing_app.services.reversals.views import RefundPreviewAnswer
from billing_app.services.subscriptions.views_endings import EndingAnswer


@dataclass(frozen=True, slots=True)
class StandingLine:
    """Where one metric stands now, in base units; `allowance` None is unlimited."""

    metric: Metric
    state: MeterState
    used: int
    allowance: int | None
    left: int
    held: int
    debt: int


@dataclass(frozen=True, slots=True)
class GrantLine:
    """One grant with its money. `refundable_cents` is 0 for what Stripe cannot give back."""

    id: str
    metric: Metric
    label: GrantLabel
    quantity: int
    left: int
    held: int
    debt: int
    effective_at: datetime
    expires_at: datetime | None
    refunded_cents: int
    lost_cents: int
    refundable_cents: int
    disputed: bool
    voided: bool


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One purchase, whatever became of it."""

    id: str
    kind: str
    state: str
    total_cents: int
    currency: str
    created_at: datetime
    failure: str


@dataclass(frozen=True, slots=True)
class OverrideLine:
    """What stands in place of the plan now; `label` is empty for a limit."""

    kind: str
    name: str
    label: str
    value: int | None
    ends_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class PaidPlanLine:
    """The subscription at Stripe that the plan rests on; `ends_at` is set where it ends instead of renewing."""

    status: str
    interval: str
    price_cents: int
    currency: str
    renews_at: datetime
    ends_at: datetime | None
    collection: str = ""
    given_up: str = ""


@dataclass(frozen=True, slots=True)
class CustomerView:
    """The page. `preview` is of the grant whose refund is being made; `why_not` says why it cannot be.

    Where another organization pays (`payer` is its address), plan and standings are that one's.
    """

    now: datetime
    address: str
    name: str
    plan_name: str
    members: int
    created_at: datetime
    customer_id: str
    standings: tuple[StandingLine, ...]
    grants: tuple[GrantLine, ...]
    orders: tuple[OrderLine, ...]
    events: tuple[EventAnswer, ...]
    selling: bool
    preview: RefundPreviewAnswer | None = None
    preview_metric: Metric | None = None
    why_not: str = ""
    payer: str = ""
    payer_name: str = ""
    troubles: tuple[TroubleAnswer, ...] = ()
    overrides: tuple[OverrideLine, ...] = ()
    subscription: PaidPlanLine | None = None
    ending: EndingAnswer | None = None
    stripe_name: str = ""
    stripe_email: str = ""
