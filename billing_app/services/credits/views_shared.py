"""Parts that several pages show: a forecast, an offer, the recounts. Metrics are the catalogue's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing_app.domain.catalogue.model import Metric
from billing_app.services.common.answers import Internal


class MeterState(StrEnum):
    """credits.md, fine point 11."""

    OK = "ok"
    USING_CREDITS = "using_credits"
    BLOCKED = "blocked"


class ForecastKind(StrEnum):
    """What the engine says when it is run forward at the pace."""

    RUNS_OUT = "runs_out"
    """Plan and credits are used up at `runs_out_at`."""
    PLAN_COVERS = "plan_covers"
    """The allowance is enough in every period to come; credits are not touched."""
    LASTS = "lasts"
    """Credits are used, and are not used up before the engine's horizon ends at `runs_out_at`."""
    UNLIMITED = "unlimited"
    """The plan includes any quantity."""
    UNKNOWN = "unknown"
    """Fewer than 3 days of use: not enough data yet."""
    USED_UP = "used_up"
    """Blocked now; `runs_out_at` is since when."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """ "Runs out on", one figure for card, page and API."""

    kind: ForecastKind
    runs_out_at: datetime | None = None
    pace: int = 0
    """Mean daily use of the last 28 days; for `unique` new subjects a day; for `level` the level held."""
    pace_days: int = 0
    """Days that the pace is the mean of, at most 28."""
    period_end_use: int | None = None
    """What the running period will have used at its end."""
    burn_per_period: int | None = None
    """Credits that a coming period burns at this pace; None when it is not the same each time."""


@dataclass(frozen=True, slots=True)
class OfferItemAnswer:
    """So many of one pack."""

    pack: str
    metric: Internal[Metric]
    quantity: Internal[int]
    """Of one pack."""
    count: int


@dataclass(frozen=True, slots=True)
class OfferView:
    """The cheapest set of packs that covers a shortfall of one metric."""

    items: tuple[OfferItemAnswer, ...]
    quantity: int
    """Of all items together."""
    price_cents: int
    currency: str
    """ISO 4217, upper case."""
    lasts_until: datetime | None
    """Runs out on, with these; None when it outlasts the horizon or nothing is known of the pace."""


@dataclass(frozen=True, slots=True)
class RecountView:
    """When the ledger was brought up to date, and will be."""

    last_at: datetime | None
    """None before the first recount of this organization."""
    next_at: datetime
    failed: bool = False
    """The last run ended with an error for this organization; the page says so and that figures are still exact."""


@dataclass(frozen=True, slots=True)
class UnpostedView:
    """The computed last line of a ledger: what was burned and is not written down yet."""

    metric: Metric
    quantity: int
    """Signed as in the ledger: -194."""
    since: datetime | None
    """The last recount."""
    posts_at: datetime
