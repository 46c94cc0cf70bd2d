"""Credits of one metric: what is left, the grants, the balance over time, and the explanation of any balance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.common.periods import Period
from billing_app.services.common.answers import Internal
from billing_app.services.credits.views_shared import Forecast, RecountView, UnpostedView


class GrantSource(StrEnum):
    """Where a grant came from."""

    PACK = "pack"
    RECURRING = "recurring"
    TOP_UP = "top_up"
    GIFT_CARD = "gift_card"
    OPERATOR = "operator"
    CONVERTED = "converted"
    PLAN = "plan"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class GrantLabel:
    """Enough to name a grant: "50,000 pack", "From the operator", "Gift card"."""

    source: GrantSource
    quantity: int
    note: str = ""
    """A reason that a person wrote: "Outage on 16 Oct"."""
    paid_cents: int = 0
    currency: str = ""


class GrantStatus(StrEnum):
    """What a grant does now; decides its badge and whether its row is dimmed."""

    BURNING = "burning"
    """First in burn order with credits left while there is overage."""
    NEXT = "next"
    """First in burn order, or next after the burning one."""
    WAITING = "waiting"
    PENDING = "pending"
    """Not effective yet."""
    HELD = "held"
    """Disputed."""
    USED_UP = "used_up"
    EXPIRED = "expired"
    VOIDED = "voided"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class MonthBurn:
    """What one period's overage burned of a grant."""

    period: Period
    quantity: int


@dataclass(frozen=True, slots=True)
class GrantView:
    """quantity = left + burned + held + expired + voided + clawed_back, or all of it pending."""

    id: str
    label: GrantLabel
    status: GrantStatus
    quantity: int
    left: int
    burned: int
    held: int
    expired: int
    voided: int
    clawed_back: int
    debt: int
    effective_at: datetime
    expires_at: datetime | None
    burns: tuple[MonthBurn, ...]
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class PointAnswer:
    """What is left at a moment; the line between two is straight."""

    at: datetime
    left: int
    granted: Internal[int] = 0
    """What a grant added at this moment; draws the step and its "+50,000"."""


@dataclass(frozen=True, slots=True)
class CreditsView:
    """The credits page of one metric. granted - burned - expired - voided - clawed_back - held = left."""

    now: datetime
    metric: Metric
    metrics: tuple[Metric, ...]
    allowance: int | None
    left: int
    granted: int
    burned: int
    expired: int
    voided: int
    clawed_back: int
    held: int
    debt: int
    forecast: Forecast
    recount: RecountView
    unposted: UnpostedView | None
    balance: tuple[PointAnswer, ...]
    """Oldest first, over the months asked for, ending now."""
    ahead: tuple[PointAnswer, ...]
    """The engine run forward at the pace: from now to the run-out, or to the end of its horizon; empty if unknown."""
    grants: tuple[GrantView, ...]
    """In burn order; what has nothing left comes after, the newest first."""


@dataclass(frozen=True, slots=True)
class ExplainStep:
    """One bar of the picture and one row: a grant, or everything of one kind that a period did.

    `kind` is a ledger kind (grant, burn, expire, void, refund, hold, unhold, debt, settle, convert), "unposted",
    or "earlier" for older steps summed up. Burns and releases of one period are one step "burn".
    """

    kind: str
    at: datetime
    period: Period | None
    """For steps that stand for a period; None for moments."""
    quantity: int
    """Signed."""
    balance: int
    label: GrantLabel | None = None
    late_quantity: int = 0
    """Of a burn, what was reported after the period had ended ..."""
    late_recorded_at: datetime | None = None
    """... and when."""
    entry: int | None = None
    """Number of the (last) ledger entry it consists of."""


@dataclass(frozen=True, slots=True)
class LaterLineAnswer:
    """A fact that was learnt later, by the kind of entry that it changed."""

    kind: str
    """ "burn" is late use."""
    recorded_at: datetime
    quantity: int


@dataclass(frozen=True, slots=True)
class LaterAnswer:
    """A balance that was shown otherwise at `at`, and what was learnt since."""

    at: datetime
    shown_then: int
    known_now: int
    lines: tuple[LaterLineAnswer, ...]


@dataclass(frozen=True, slots=True)
class ExplainView:
    """A balance as the sum of everything that made it."""

    now: datetime
    metric: Metric
    metrics: tuple[Metric, ...]
    at: datetime
    left: int
    granted: int
    burned: int
    expired: int
    voided: int
    clawed_back: int
    held: int
    debt: int
    steps: tuple[ExplainStep, ...]
    """Oldest first; the page shows the newest on top in the table. They sum to left - debt."""
    steps_left_out: int
    """Older steps summed up in the first one, when there are too many to draw."""
    where: tuple[GrantView, ...]
    """Grants with something left at `at`, in burn order, as they were then."""
    later: LaterAnswer | None
    """The newest moment up to `at` (month end or `at` itself) whose balance was shown otherwise; None if none was."""
