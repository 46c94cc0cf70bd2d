"""What operators watch: Stripe's events, comparisons with Stripe, and recounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from billing_app.services.common.answers import Internal


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """An event of Stripe's. A failed one without `next_try_at` was given up; a replay tries it again."""

    id: str
    type: str
    state: str
    """new, handled, failed or ignored."""
    object_id: str
    customer_id: Internal[str]
    address: Annotated[str, Field(description="the organization that it was about; empty until it was handled")]
    organization: Internal[str]
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
class EventWithPayloadAnswer(EventAnswer):
    """The same with what was received."""

    payload: Mapping[str, Any]


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
    events: tuple[EventAnswer, ...]
    next_cursor: str
    types: tuple[str, ...]
    """Types that were received at all."""
    waiting: int
    failing: int


@dataclass(frozen=True, slots=True)
class FindingAnswer:
    """One difference between Stripe and this console. What is not `repaired` needs a person."""

    code: str
    detail: str
    repaired: bool
    object_id: str
    address: str
    organization: Internal[str]
    found_at: datetime


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """One comparison with Stripe. A `stopped` one is continued by the next."""

    id: int
    trigger: str
    dry: bool
    state: str
    """running, stopped, finished or failed."""
    since: datetime
    started_at: datetime
    finished_at: datetime | None
    stage: int
    """Counts up to `stages`."""
    stages: int
    stage_name: str
    compared: int
    repaired: int
    remaining: int
    error: str


@dataclass(frozen=True, slots=True)
class ReportAnswer(RunAnswer):
    """The same with everything that it found."""

    findings: tuple[FindingAnswer, ...]


@dataclass(frozen=True, slots=True)
class ReconciliationView:
    """The page: a report, and the runs before. `report` is None before the first run."""

    now: datetime
    report: ReportAnswer | None
    runs: tuple[RunAnswer, ...]
    next_cursor: str
    next_run: datetime
    selling: bool


@dataclass(frozen=True, slots=True)
class RecountAnswer:
    """One recount of every organization that needed it."""

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
    repaired: Annotated[
        int, Field(description="organizations whose figures a clock that was ahead had brought out of order")
    ]


@dataclass(frozen=True, slots=True)
class RecountsView:
    """A page of recounts, newest first."""

    now: datetime
    runs: tuple[RecountAnswer, ...]
    next_cursor: str
    next_run: datetime
    behind: int
    """Organizations and metrics that the next one has something to do for."""
