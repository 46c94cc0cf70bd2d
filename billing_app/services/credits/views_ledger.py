"""The running ledger and the trace of one entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.common.periods import Period
from billing_app.services.credits.views import GrantLabel, GrantView
from billing_app.services.credits.views_shared import RecountView, UnpostedView


@dataclass(frozen=True, slots=True)
class LedgerFilters:
    """What the ledger is narrowed to; empty means everything."""

    metric: str = ""
    kind: str = ""
    starting: datetime | None = None
    """Occurred at or after."""
    ending: datetime | None = None
    """Occurred before."""
    search: str = ""
    """Words of the reason, the source's reference, or an entry's number."""
    grant: str = ""
    """Id of a grant: its rows only."""


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One row of the ledger."""

    number: int
    metric: Metric
    kind: str
    """grant, burn, release, expire, void, refund, hold, unhold, debt, settle, convert."""
    quantity: int
    """Signed."""
    balance: int
    """Of the metric after it."""
    grant_id: str
    label: GrantLabel | None
    period: Period | None
    occurred_at: datetime
    recorded_at: datetime
    reason: str
    source: str
    """Reference of what caused it: a recount, a payment, a person."""


@dataclass(frozen=True, slots=True)
class LedgerView:
    """A page of the ledger, the newest first."""

    now: datetime
    metrics: tuple[Metric, ...]
    lines: tuple[LedgerLine, ...]
    unposted: tuple[UnpostedView, ...]
    """Shown on top of the first page, when the filters let burns through."""
    next_cursor: str
    """Empty on the last page."""
    recount: RecountView
    ever_posted: bool
    """False: the ledger is empty without any filter."""


@dataclass(frozen=True, slots=True)
class TraceView:
    """Why an entry is there: the grant it is of, and what else that grant has seen."""

    line: LedgerLine
    grant: GrantView | None
    others: tuple[LedgerLine, ...]
    """Other entries of the same grant, oldest first, at most 50."""
    others_left_out: int
