"""From stored usage to the usage points that the engine reads, by way of the roll-ups."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from billing_app.domain.common.periods import Period, period_at, period_containing
from billing_app.domain.credits.facts import Aggregation, UsagePoint
from billing_app.domain.usage.aggregation import EARLIEST, UsageEvent, fold
from billing_app.store.tables.usage import UsageSubject
from billing_app.store.usage import events as usage
from billing_app.store.usage import sources
from billing_app.store.usage.rollups import HOUR, Hour, hour_of, hours

TICK = timedelta(microseconds=1)
"""The smallest step of time that is stored."""


def usage_points(
    session: Session,
    organization_id: int,
    metric: str,
    aggregation: Aggregation,
    anchor: datetime,
    boundaries: Collection[datetime],
    known_at: datetime | None = None,
    *,
    since: datetime | None = None,
    standing: int = 0,
) -> tuple[UsagePoint, ...]:
    """All usage of the metric as points. `boundaries` are the moments at which anything else happens to it.

    With `known_at` only events recorded by then count: hours that something was counted into later are read from their
    events. `since` is the start of the first period that is wanted, with the level that was `standing` then.
    """
    # use is never dated further ahead, so hours after this held nothing yet
    end = None if known_at is None else known_at + EARLIEST + TICK
    rolled = hours(session, organization_id, metric, start=since and hour_of(since), end=end)
    if not rolled:
        return ()
    late = {row.hour for row in rolled if known_at is not None and row.recorded_at > known_at}
    raw = _hours_to_read(rolled, anchor, boundaries, aggregation) | late
    if aggregation is Aggregation.UNIQUE:
        return _unique_points(session, organization_id, metric, anchor, rolled, raw, late, known_at)
    events: list[UsageEvent] = []
    for row in rolled:
        if row.hour not in raw:
            events += _as_events(aggregation, row)
    for start, end in spans(raw):
        first = start if since is None else max(start, since)
        events += usage.events_between(session, organization_id, metric, first, end, known_at)
    others: dict[str, int] = {}
    if since is not None and aggregation is Aggregation.LEVEL and any(event.source for event in events):
        others = sources.levels_before(session, organization_id, metric, since, known_at)
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
    session: Session,
    organization_id: int,
    metric: str,
    anchor: datetime,
    rolled: list[Hour],
    raw: set[datetime],
    late: set[datetime],
    known_at: datetime | None,
) -> tuple[UsagePoint, ...]:
    """Distinct subjects so far: counted where each was first seen.

    A period with corrections, or with something that was not known yet, is read event by event.
    """
    points: list[UsagePoint] = []
    by_period: dict[int, list[Hour]] = {}
    for row in rolled:
        by_period.setdefault(period_containing(anchor, row.hour).number, []).append(row)
        if period_containing(anchor, row.last_at).number != period_containing(anchor, row.hour).number:
            by_period.setdefault(period_containing(anchor, row.last_at).number, []).append(row)
    for number, rows in by_period.items():
        period = period_at(anchor, number)
        if all(row.exact and row.hour not in late for row in rows):
            first_seen = [UsageEvent(row.last_at, row.quantity) for row in rows if row.hour not in raw]
            for start, end in spans({row.hour for row in rows} & raw):
                first_seen += _first_seen(
                    session, organization_id, metric, number, max(start, period.start), min(end, period.end)
                )
            points += fold(Aggregation.SUM, anchor, first_seen)
        else:
            events = usage.events_between(session, organization_id, metric, period.start, period.end, known_at)
            points += fold(Aggregation.UNIQUE, anchor, events)
    return tuple(points)


def _first_seen(
    session: Session, organization_id: int, metric: str, period: int, start: datetime, end: datetime
) -> list[UsageEvent]:
    """One event for each subject that was first seen in `[start, end)`."""
    query = select(UsageSubject.first_seen_at).where(
        UsageSubject.organization_id == organization_id,
        UsageSubject.metric == metric,
        UsageSubject.period == period,
        col(UsageSubject.first_seen_at) >= start,
        col(UsageSubject.first_seen_at) < end,
    )
    return [UsageEvent(at, 1) for at in session.exec(query)]
