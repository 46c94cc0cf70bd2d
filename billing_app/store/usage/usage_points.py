"""From stored usage to the usage points that the engine reads, by way of the roll-ups."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import TextualSelect
from sqlmodel import Session

from billing_app.domain.common.periods import Period, period_at, period_containing
from billing_app.domain.credits.facts import Aggregation, UsagePoint
from billing_app.domain.usage.aggregation import EARLIEST, UsageEvent, fold
from billing_app.store.common.questions import Asking, OfMetric, grouped, in_spans, span_values
from billing_app.store.tables.usage import UsageSubject
from billing_app.store.usage import events as usage
from billing_app.store.usage import sources
from billing_app.store.usage.events import Events
from billing_app.store.usage.rollups import HOUR, Hour, Hours, hour_of, hours

TICK = timedelta(microseconds=1)
"""The smallest step of time that is stored."""


def usage_points(
    organization_id: int,
    metric: str,
    aggregation: Aggregation,
    anchor: datetime,
    boundaries: Collection[datetime],
    known_at: datetime | None = None,
    *,
    since: datetime | None = None,
    standing: int = 0,
) -> Asking[tuple[UsagePoint, ...]]:
    """All usage of the metric as points. `boundaries` are the moments at which anything else happens to it.

    With `known_at` only events recorded by then count: hours that something was counted into later are read from their
    events. `since` is the start of the first period that is wanted, with the level that was `standing` then.
    """
    # use is never dated further ahead, so hours after this held nothing yet
    end = None if known_at is None else known_at + EARLIEST + TICK
    rolled: list[Hour] = yield Hours(organization_id, metric, since and hour_of(since), end)
    if not rolled:
        return ()
    late = {row.hour for row in rolled if known_at is not None and row.recorded_at > known_at}
    raw = _hours_to_read(rolled, anchor, boundaries, aggregation) | late
    if aggregation is Aggregation.UNIQUE:
        return (yield from _unique_points(organization_id, metric, anchor, rolled, raw, late, known_at))
    events: list[UsageEvent] = []
    for row in rolled:
        if row.hour not in raw:
            events += _as_events(aggregation, row)
    wanted = tuple((start if since is None else max(start, since), end) for start, end in spans(raw))
    events += yield Events(organization_id, metric, wanted, known_at)
    others: dict[str, int] = {}
    if since is not None and aggregation is Aggregation.LEVEL and any(event.source for event in events):
        others = yield sources.LevelsBefore(organization_id, metric, since, known_at)
    return fold(aggregation, anchor, events, standing, others)


def level_events(session: Session, organization_id: int, metric: str, period: Period) -> list[UsageEvent]:
    """What was reported of a `level` inside one period, by the hour where an hour's roll-up says all of it."""
    events: list[UsageEvent] = []
    raw: set[datetime] = set()
    for row in hours(session, organization_id, metric, hour_of(period.start), period.end):
        if row.exact and row.hour >= period.start and row.last_at < period.end:
            events += _as_events(Aggregation.LEVEL, row)
        else:
            raw.add(row.hour)
    for start, end in spans(raw):
        first, last = max(start, period.start), min(end, period.end)
        events += usage.events_between(session, organization_id, metric, first, last)
    return events


def _hours_to_read(
    rolled: list[Hour], anchor: datetime, boundaries: Collection[datetime], aggregation: Aggregation
) -> set[datetime]:
    """Hours whose roll-up does not tell enough: corrections, boundaries inside, and what lies ahead of the clock.

    The latest hour is always read from its events: a moment inside it may be asked for.
    """
    present = {row.hour for row in rolled}
    wanted = {row.hour for row in rolled if not row.exact} if aggregation is not Aggregation.UNIQUE else set()
    wanted.add(rolled[-1].hour)
    first, last = (period_containing(anchor, row.hour).number for row in (rolled[0], rolled[-1]))
    turns = (period_at(anchor, number).start for number in range(first, last + 2))
    wanted.update(hour_of(moment) for moment in (*turns, *boundaries))
    return wanted & present


def _as_events(aggregation: Aggregation, row: Hour) -> Iterable[UsageEvent]:
    """An hour's roll-up as events: inside it nothing else happens, so only sum, peak and last level matter."""
    if aggregation is Aggregation.SUM or row.quantity == row.level:
        return (UsageEvent(row.last_at, row.quantity),)
    # the peak came before the last level: were they of one instant, they would be equal
    return (UsageEvent(row.last_at - TICK, row.quantity), UsageEvent(row.last_at, row.level))


def spans(raw: set[datetime]) -> list[tuple[datetime, datetime]]:
    """Neighbouring hours as one span, so that they are one query."""
    spans: list[tuple[datetime, datetime]] = []
    for hour in sorted(raw):
        if spans and spans[-1][1] == hour:
            spans[-1] = (spans[-1][0], hour + HOUR)
        else:
            spans.append((hour, hour + HOUR))
    return spans


def _unique_points(
    organization_id: int,
    metric: str,
    anchor: datetime,
    rolled: list[Hour],
    raw: set[datetime],
    late: set[datetime],
    known_at: datetime | None,
) -> Asking[tuple[UsagePoint, ...]]:
    """Distinct subjects so far: counted where each was first seen.

    A period with corrections, or with something that was not known yet, is read event by event.
    """
    by_period: dict[int, list[Hour]] = {}
    period = period_containing(anchor, rolled[0].hour)
    for row in rolled:
        if not period.contains(row.hour):
            period = period_containing(anchor, row.hour)
        by_period.setdefault(period.number, []).append(row)
        if not period.contains(row.last_at):  # it turned within the hour
            by_period.setdefault(period_containing(anchor, row.last_at).number, []).append(row)
    exact = {number: all(row.exact and row.hour not in late for row in rows) for number, rows in by_period.items()}
    sightings: list[tuple[datetime, datetime]] = []
    whole: list[tuple[datetime, datetime]] = []
    for number, rows in by_period.items():
        period = period_at(anchor, number)
        if exact[number]:
            hours = spans({row.hour for row in rows} & raw)
            sightings += [(max(start, period.start), min(end, period.end)) for start, end in hours]
        else:
            whole.append((period.start, period.end))
    seen: list[FirstSeen] = (yield FirstSightings(organization_id, metric, tuple(sightings))) if sightings else []
    events: list[UsageEvent] = (yield Events(organization_id, metric, tuple(whole), known_at)) if whole else []
    points: list[UsagePoint] = []
    for number, rows in by_period.items():
        if exact[number]:
            counted = [UsageEvent(row.last_at, row.quantity) for row in rows if row.hour not in raw]
            counted += [UsageEvent(each.at, 1) for each in seen if each.period == number]
            points += fold(Aggregation.SUM, anchor, counted)
        else:
            period = period_at(anchor, number)
            points += fold(Aggregation.UNIQUE, anchor, [event for event in events if period.contains(event.at)])
    return tuple(points)


class FirstSeen(NamedTuple):
    """A subject of a `unique` metric was first seen in the period of this number at this moment."""

    period: int
    at: datetime


@dataclass(frozen=True, slots=True)
class FirstSightings(OfMetric):
    """When the subjects of a metric that were first seen in these `[start, end)` were."""

    spans: tuple[tuple[datetime, datetime], ...]

    @classmethod
    def answer(cls, session: Session, asked: Sequence[FirstSightings]) -> list[list[FirstSeen]]:
        """One statement, whatever the number of organizations and spans."""
        connection = session.connection()
        values = span_values(
            connection.dialect, [(each.organization_id, each.metric, *span) for each in asked for span in each.spans]
        )
        found = connection.execute(_first_seen(connection.dialect.name), values)
        groups = grouped(found, [each.key for each in asked])
        return [[FirstSeen(*row[2:]) for row in rows] for rows in groups]


@cache
def _first_seen(dialect: str) -> TextualSelect:
    row = UsageSubject
    statement = in_spans(dialect, ("period", "first_seen_at"), "usage_subjects", "first_seen_at")
    columns: tuple[Any, ...] = (row.organization_id, row.metric, row.period, row.first_seen_at)
    return statement.columns(*columns)
