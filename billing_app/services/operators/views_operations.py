"""What operators watch: Stripe's events, comparisons with Stripe, and recounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event of Stripe's. `state` is new, handled, failed or ignored; a failed one without `next_try_at` was given
    up. `address` is empty until it was handled, and for what concerns nobody here.
    """

    id: str
    type: str
    state: str
    object_id: str
    customer_id: str
    address: str
    organization: str
    attempts: int
    created_at: datetime
    received_at: datetime
    handled_at: datetime | None
    next_try_at: datetime | None
    error: str

    @property
    def given_up(self) -> bool:
        """Nobody tries it any more unless somebody replays it."""
        return self.state == "failed" and self.next_try_at is None


@dataclass(frozen=True, slots=True)
class EventView:
    """An event with what was received."""

    line: EventLine
    payload: str


@dataclass(frozen=True, slots=True)
class EventFilters:
    """Which events are asked for; empty is all. `state` may be `given_up`, too."""

    state: str = ""
    type: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True)
class EventsView:
    """A page of events, the newest received first."""

    now: datetime
    events: tuple[EventLine, ...]
    next_cursor: str
    types: tuple[str, ...]
    """Types that were received at all."""
    waiting: int
    failing: int


@dataclass(frozen=True, slots=True)
class FindingView:
    """One difference between Stripe and us."""

    code: str
    detail: str
    repaired: bool
    object_id: str
    address: str
    organization: str
    found_at: datetime


@dataclass(frozen=True, slots=True)
class RunView:
    """One comparison with Stripe. `state` is running, stopped, finished or failed; `stage` counts up to `stages`."""

    id: int
    trigger: str
    dry: bool
    state: str
    since: datetime
    started_at: datetime
    finished_at: datetime | None
    stage: int
    stages: int
    stage_name: str
    compared: int
    repaired: int
    remaining: int
    error: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """A comparison with everything that it found."""

    run: RunView
    findings: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True)
class ReconciliationView:
    """The page: a report, and the runs before. `report` is None before the first run."""

    now: datetime
    report: ReportView | None
    runs: tuple[RunView, ...]
    next_cursor: str
    next_run: datetime
    selling: bool


@dataclass(frozen=True, slots=True)
class RecountRunView:
    """One recount."""

    id: int
    trigger: str
    as_of: datetime
    started_at: datetime
    finished_at: datetime | None
    organizations_seen: int
    organizations_changed: int
    entries: int
    duration_ms: int | None
    error: str
    repaired: int = 0
    """Organizations that a clock which was ahead had left with figures of a moment that has not come."""


@dataclass(frozen=True, slots=True)
class RecountsView:
    """A page of recounts, newest first."""

    now: datetime
    runs: tuple[RecountRunView, ...]
    next_cursor: str
    next_run: datetime
    behind: int
    """Organizations and metrics that the next one has something to do for."""
