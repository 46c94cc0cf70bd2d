"""The engine run forward at today's pace: when a metric runs out, and what it takes that it does not.

Pace is a ratio of whole numbers, never a float. Synthetic use is laid at each midnight (UTC); a run-out inside a day is
placed by proportion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from billing_app.domain.common.periods import Period, one_year_after, period_containing
from billing_app.domain.credits import engine
from billing_app.domain.credits.allowances import largest_held
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.entitlements import Reading
from billing_app.domain.credits.facts import MAX_QUANTITY, Aggregation, Grant, History, UsagePoint
from billing_app.domain.credits.timeline import Timeline

WINDOW = timedelta(days=28)
"""Use of the last 28 days makes the pace: four whole weeks, so that weekends weigh the same."""

LEAST = timedelta(days=3)
"""With less data a pace would be a guess."""

TICK = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)

WHAT_IF = "what-if:"
"""Begins the ids of grants that do not exist."""


class Outcome(StrEnum):
    """What running forward comes to."""

    RUNS_OUT = "runs_out"
    PLAN_COVERS = "plan_covers"
    LASTS = "lasts"
    UNLIMITED = "unlimited"
    UNKNOWN = "unknown"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True)
class Pace:
    """`quantity` base units in `seconds`; for `max` and `level` metrics the level itself, however long."""

    quantity: int
    seconds: int

    @property
    def per_day(self) -> int:
        """Mean use of a day, rounded to the nearest whole."""
        return (self.quantity * 86_400 * 2 + self.seconds) // (self.seconds * 2)

    @property
    def days(self) -> int:
        """Whole days that it is the mean of."""
        return self.seconds // 86_400

    def over(self, span: timedelta) -> int:
        """Use in a span at this pace, rounded down."""
        return self.quantity * (span // SECOND) // self.seconds


@dataclass(frozen=True, slots=True)
class RunOut:
    """When it ends: `at` is the run-out, since when it is used up, or the end of what was looked at."""

    outcome: Outcome
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AheadPoint:
    """Credits left right after a moment to come; `granted` where a grant begins."""

    at: datetime
    left: int
    granted: int = 0


class MetricForecast:
    """One metric seen from `now`: its pace, and what comes of it with or without further credits."""

    def __init__(self, facts: History, timeline: Timeline, now: datetime, coming: Iterable[Grant] = ()) -> None:
        """`timeline` is that of `facts` up to `now`, and not changed. `coming` are grants that renewals will bring."""
        self.facts = facts
        self.coming = tuple(coming)
        self.timeline = timeline
        self.state = timeline.state
        self.now = now
        self.period = period_containing(facts.anchor, now)
        self.horizon = one_year_after(now)
        self.pace = _pace(facts, self.period, now)
        self.account = timeline.state.account(facts, now)
        self._found: dict[tuple[Grant, ...], RunOut] = {}
        self._to_come: tuple[UsagePoint, ...] | None = None

    @property
    def pace_is_level(self) -> bool:
        """Whether the pace is a level held, not a use per day."""
        return self.facts.aggregation in (Aggregation.LEVEL, Aggregation.MAX)

    def projected_use(self) -> int | None:
        """What the running period will have used at its end."""
        if self.pace is None:
            return None
        if self.pace_is_level:
            return max(self.account.used, self.pace.quantity)
        return self.account.used + self.pace.over(self.period.end - self.now)

    def run_out(self, extra: Iterable[Grant] = ()) -> RunOut:
        """When the metric is cut off, with `extra` grants on top of those that exist."""
        extra = tuple(extra)
        if extra not in self._found:
            self._found[extra] = self._run_out(extra)
        return self._found[extra]

    def _run_out(self, extra: tuple[Grant, ...]) -> RunOut:
        if self.account.allowance is None:
            return RunOut(Outcome.UNLIMITED)
        if not extra and self.blocked:
            return RunOut(Outcome.USED_UP, self.blocked_since())
        if self.pace is None:
            return RunOut(Outcome.UNKNOWN)
        fork, before, burned = self.state.fork(), self.now, self.state.burned
        room = self._reading(fork, self.now).available
        for instant in engine.steps(fork, self._ahead(extra, self.horizon), self.horizon):
            reading = self._reading(fork, instant)
            if not reading.allows(1):
                return RunOut(Outcome.RUNS_OUT, self._crossing(before, instant, room))
            before, room = instant, reading.available
        return RunOut(Outcome.LASTS if fork.burned > burned else Outcome.PLAN_COVERS, self.horizon)

    def points(self, until: datetime, extra: Iterable[Grant] = ()) -> tuple[AheadPoint, ...]:
        """Credits left from now until `until`, or until the metric is cut off, at the moment that `run_out` gives."""
        extra = tuple(extra)
        fork, found = self.state.fork(), [AheadPoint(self.now, self.state.left)]
        if self.pace is None:
            return tuple(found)
        facts, end = self._ahead(extra, until), self.run_out(extra)
        starts: dict[datetime, int] = {}
        for grant in facts.grants:
            if grant.effective_at > self.now:
                starts[grant.effective_at] = starts.get(grant.effective_at, 0) + grant.quantity
        for instant in engine.steps(fork, facts, until):
            cut = not self._reading(fork, instant).allows(1)
            at = min(instant, end.at) if cut and end.at is not None and end.outcome is Outcome.RUNS_OUT else instant
            found.append(AheadPoint(at, fork.left, starts.get(instant, 0)))
            if cut:
                break
        return tuple(found)

    def shortfall(self, until: datetime, extra: Iterable[Grant] = ()) -> int:
        """Credits that are missing so that nothing stops before `until`, what is owed already included."""
        well = Grant(f"{WHAT_IF}well", MAX_QUANTITY, self.now + TICK, None, self.now, priority=2**31)
        fork = self.state.fork()
        engine.advance(fork, self._ahead((*extra, well), until - TICK), until - TICK)
        return MAX_QUANTITY - fork.positions[well.id].left

    @property
    def blocked(self) -> bool:
        """Whether a check of 1 would be refused now (reservations aside)."""
        return not self.reading.allows(1)

    @property
    def reading(self) -> Reading:
        """The facts of a decision now."""
        return self._reading(self.state, self.now)

    def owed(self) -> int:
        """What the next credits pay first: debt and deficit."""
        return self.account.debt + self.account.deficit

    def blocked_since(self) -> datetime | None:
        """Since when it is cut off; None if it is not."""
        return self.timeline.blocked_since()

    def _ahead(self, extra: tuple[Grant, ...], until: datetime) -> History:
        """The facts to come: what is known, use at the pace, and grants that are only thought of."""
        if self._to_come is None:  # the same for every set of packs that is thought of
            self._to_come = tuple(self._synthetic(self.horizon))
        usage = self._to_come if until <= self.horizon else tuple(self._synthetic(until))
        return replace(self.facts, grants=(*self.facts.grants, *self.coming, *extra), usage=usage)

    def _synthetic(self, until: datetime) -> Iterator[UsagePoint]:
        """Use at the pace, at each midnight and right before each turn."""
        if self.pace is None or self.facts.aggregation is Aggregation.LEVEL:
            return  # a level stands by itself
        period, used, since = self.period, self.account.used, self.now
        midnight = (self.now + DAY).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        while midnight <= until:
            while midnight >= period.end:
                if self.facts.aggregation is not Aggregation.MAX:
                    last = period.end - TICK
                    yield UsagePoint(last, used + self.pace.over(last - since))
                period = period_containing(self.facts.anchor, period.end)
                used, since = 0, period.start
            level = self.facts.aggregation is Aggregation.MAX
            grown = max(used, self.pace.quantity) if level else used + self.pace.over(midnight - since)
            yield UsagePoint(midnight, grown)
            midnight += DAY

    def _crossing(self, before: datetime, instant: datetime, room: int | None) -> datetime:
        """Where in `(before, instant]` the last of `room` went, by proportion."""
        if self.pace_is_level or self.pace is None or not room or not self.pace.quantity:
            return instant
        needed = timedelta(seconds=room * self.pace.seconds // self.pace.quantity)
        return min(instant, before + needed)

    def _reading(self, state: State, moment: datetime) -> Reading:
        if state.begun and state.month.period.contains(moment):
            allowance, used = state.month.allowance, state.used
        else:
            period = period_containing(self.facts.anchor, moment)
            allowance, used = largest_held(self.facts, period.start, moment), 0
        return Reading(self.facts.aggregation, allowance, used, state.left, 0, state.level)


def _pace(facts: History, period: Period, now: datetime) -> Pace | None:
    """The pace of a metric; None where there are fewer than three days of data."""
    known = [point for point in facts.usage if point.at <= now]
    if not known:
        return None
    if facts.aggregation in (Aggregation.LEVEL, Aggregation.MAX):
        return _level_pace(facts, known, period, now)
    if facts.aggregation is Aggregation.UNIQUE:
        return _subject_pace(known, period, facts, now)
    start = max(now - WINDOW, known[0].at)
    if now - start < LEAST:
        return None
    return Pace(max(0, _grown(facts, known, start, now + TICK)), (now - start) // SECOND)


def _level_pace(facts: History, known: list[UsagePoint], period: Period, now: datetime) -> Pace | None:
    """The level held (for `max`, the running period's peak, or the last one's)."""
    if now - known[0].at < LEAST:
        return None
    level = known[-1].level if facts.aggregation is Aggregation.LEVEL else known[-1].used
    return Pace(level, WINDOW // SECOND)


def _subject_pace(known: list[UsagePoint], period: Period, facts: History, now: datetime) -> Pace | None:
    """New subjects a day of the running period; in its first three days the pace of the one before."""
    start = max(period.start, known[0].at)
    if now - start >= LEAST:
        return Pace(max(0, _grown(facts, known, period.start, now + TICK)), (now - start) // SECOND)
    before = period_containing(facts.anchor, period.start - TICK)
    start = max(before.start, known[0].at)
    if period.start - start < LEAST:
        return None
    return Pace(max(0, _grown(facts, known, before.start, period.start)), (period.start - start) // SECOND)


def _grown(facts: History, known: list[UsagePoint], start: datetime, end: datetime) -> int:
    """What use grew by in `[start, end)`, over period turns."""
    total, before, period = 0, 0, None
    for point in known:
        if period is None or not period.contains(point.at):
            period, before = period_containing(facts.anchor, point.at), 0
        if start <= point.at < end:
            total += point.used - before
        before = point.used
    return total
