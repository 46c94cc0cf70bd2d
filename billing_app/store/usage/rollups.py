"""Hourly roll-ups: written with the events, so that reading a month never reads its events.

They change cost, never meaning. An hour is read from its events where the roll-up could not say the same: it holds a
correction, or something happens inside it that usage must be told before and after.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Insert, Select, bindparam, case, func, select, update
from sqlmodel import Session, col

from billing_app.domain.common.periods import period_containing
from billing_app.domain.credits.facts import Aggregation
from billing_app.domain.usage.aggregation import UsageEvent
from billing_app.store.common.questions import OfMetric, grouped, metric_values, of_metrics
from billing_app.store.common.statements import upsert, upsert_on
from billing_app.store.tables.usage import UsageHour, UsageSubject
from billing_app.store.usage import sources

SUBJECTS_PER_QUERY = 500
"""How many subjects one query looks up; below SQLite's limit on bound values."""

HOUR = timedelta(hours=1)


def hour_of(moment: datetime) -> datetime:
    """The start of the hour of `moment`."""
    return moment.replace(minute=0, second=0, microsecond=0)


def add(
    session: Session,
    organization_id: int,
    metric: str,
    aggregation: Aggregation,
    anchor: datetime,
    events: Sequence[UsageEvent],
    recorded_at: datetime,
) -> bool:
    """Counts `events`, recorded at one moment, into the roll-ups; the metric's meter must be locked.

    Answers whether they change any figure: a device seen again does not.
    """
    rows = {hour: _hour(aggregation, batch) for hour, batch in _by_hour(events).items()}
    changed = aggregation is not Aggregation.UNIQUE
    if aggregation is Aggregation.UNIQUE:
        moved = _count_subjects(session, organization_id, metric, anchor, events)
        changed = bool(moved) or any(event.quantity < 0 for event in events)
        for hour, count in moved.items():
            rows.setdefault(hour, {"quantity": 0, "level": 0, "last_at": hour, "events": 0, "exact": True})
            rows[hour]["quantity"] = count
    _upsert(session, organization_id, metric, aggregation, rows, recorded_at)
    if aggregation is Aggregation.SUM:
        sources.add(session, organization_id, metric, anchor, events)
    return changed


def _by_hour(events: Sequence[UsageEvent]) -> dict[datetime, list[UsageEvent]]:
    hours: dict[datetime, list[UsageEvent]] = defaultdict(list)
    for event in events:
        hours[hour_of(event.at)].append(event)
    return hours


def _hour(aggregation: Aggregation, batch: list[UsageEvent]) -> dict[str, Any]:
    """What the events of one hour add to its row."""
    last_at = max(event.at for event in batch)
    summed, subjects = aggregation is Aggregation.SUM, aggregation is Aggregation.UNIQUE
    quantity = sum(e.quantity for e in batch) if summed else 0 if subjects else max(e.quantity for e in batch)
    return {
        "quantity": quantity,
        "level": 0 if summed or subjects else max(e.quantity for e in batch if e.at == last_at),
        "last_at": last_at,
        "events": len(batch),
        # of several sources' levels the sum counts, which no roll-up of their hour can tell
        "exact": all(e.quantity >= 0 for e in batch) if summed or subjects else not any(e.source for e in batch),
    }


def _upsert(
    session: Session,
    organization_id: int,
    metric: str,
    aggregation: Aggregation,
    rows: dict[datetime, dict[str, Any]],
    recorded_at: datetime,
) -> None:
    if not rows:
        return
    key = {"organization_id": organization_id, "metric": metric, "recorded_at": recorded_at}
    values = [{**key, "hour": hour, **row} for hour, row in sorted(rows.items())]
    added = aggregation in (Aggregation.SUM, Aggregation.UNIQUE)
    session.connection().execute(_merge(session.get_bind().dialect.name, added), values)


@lru_cache
def _merge(dialect: str, added: bool) -> Insert:
    """Merges hours into those that are there; quantities are `added`, or the higher one stays."""
    statement = upsert_on(dialect, UsageHour)
    new, old = statement.excluded, UsageHour
    if added:
        quantity: Any = old.quantity + new.quantity
    else:
        quantity = case((new.quantity > old.quantity, new.quantity), else_=old.quantity)
    level = case(
        (new.last_at > old.last_at, new.level),
        ((new.last_at == old.last_at) & (new.level > old.level), new.level),
        else_=old.level,
    )
    return statement.on_conflict_do_update(
        index_elements=["organization_id", "metric", "hour"],
        set_={
            "quantity": quantity,
            "level": level,
            "last_at": case((new.last_at > old.last_at, new.last_at), else_=old.last_at),
            "recorded_at": case((new.recorded_at > old.recorded_at, new.recorded_at), else_=old.recorded_at),
            "events": old.events + new.events,
            "exact": col(old.exact) & new.exact
            if dialect == "sqlite"
            else case((new.exact, old.exact), else_=new.exact),
        },
    )


def _count_subjects(
    session: Session, organization_id: int, metric: str, anchor: datetime, events: Sequence[UsageEvent]
) -> dict[datetime, int]:
    """Remembers when each subject was first seen in its period; answers how the hours' counts change."""
    seen: dict[tuple[int, str], datetime] = {}
    by: dict[tuple[int, str], str] = {}
    period = period_containing(anchor, events[0].at)
    for event in events:
        if event.quantity > 0 and event.subject:
            if not period.contains(event.at):
                period = period_containing(anchor, event.at)
            key = (period.number, event.subject)
            if key not in seen or event.at < seen[key]:
                seen[key], by[key] = event.at, event.source
    known = _first_seen(session, organization_id, metric, seen)
    moved: dict[datetime, int] = defaultdict(int)
    fresh: list[dict[str, Any]] = []
    for (period, subject), at in seen.items():
        before = known.get((period, subject))
        if before is not None and before <= at:
            continue
        moved[hour_of(at)] += 1
        key = {"organization_id": organization_id, "metric": metric, "period": period, "subject": subject}
        if before is None:
            fresh.append({**key, "first_seen_at": at, "source": by[period, subject]})
        else:
            moved[hour_of(before)] -= 1
            _see_earlier(session, key, at, by[period, subject])
    if fresh:
        session.connection().execute(upsert(session, UsageSubject), fresh)
    return {hour: count for hour, count in moved.items() if count}


def _see_earlier(session: Session, key: dict[str, Any], at: datetime, source: str) -> None:
    """A late event tells that a subject was there before."""
    statement = update(UsageSubject).filter_by(**key).values(first_seen_at=at, source=source)
    session.connection().execute(statement)


def _first_seen(
    session: Session, organization_id: int, metric: str, keys: dict[tuple[int, str], datetime]
) -> dict[tuple[int, str], datetime]:
    """When these subjects were first seen in these periods."""
    found: dict[tuple[int, str], datetime] = {}
    subjects = sorted({subject for _, subject in keys})
    periods = {period for period, _ in keys}
    for start in range(0, len(subjects), SUBJECTS_PER_QUERY):
        query = select(col(UsageSubject.period), col(UsageSubject.subject), col(UsageSubject.first_seen_at)).where(
            col(UsageSubject.organization_id) == organization_id,
            col(UsageSubject.metric) == metric,
            col(UsageSubject.period).in_(periods),
            col(UsageSubject.subject).in_(subjects[start : start + SUBJECTS_PER_QUERY]),
        )
        found.update({(period, subject): at for period, subject, at in session.connection().execute(query)})
    return found


def is_counted(session: Session, organization_id: int, metric: str, period: int, subject: str) -> bool:
    """Whether a subject was seen in a period (corrections aside)."""
    return session.get(UsageSubject, (organization_id, metric, period, subject)) is not None


def total(session: Session, organization_id: int, metric: str, start: datetime, end: datetime) -> int:
    """The quantities of the hours that begin in `[start, end)` together: of a `sum` metric, all of their events."""
    row = UsageHour
    query = select(func.sum(row.quantity)).where(
        col(row.organization_id) == organization_id,
        col(row.metric) == metric,
        col(row.hour) >= start,
        col(row.hour) < end,
    )
    return int(session.connection().execute(query).scalar_one() or 0)


class Hour(NamedTuple):
    """One stored hour of usage (see `UsageHour`)."""

    hour: datetime
    quantity: int
    level: int
    last_at: datetime
    exact: bool
    recorded_at: datetime


def rows(session: Session, organization_id: int, metric: str) -> Iterator[UsageHour]:
    """The roll-ups of a metric as they are stored."""
    query = select(UsageHour).where(col(UsageHour.organization_id) == organization_id, col(UsageHour.metric) == metric)
    yield from session.scalars(query)


@dataclass(frozen=True, slots=True)
class Hours(OfMetric):
    """The roll-ups of the hours of a metric that begin in `[start, end)`, by time."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def alike(self) -> tuple[datetime | None, datetime | None]:
        """Those of the same span are answered together."""
        return self.start, self.end

    @classmethod
    def answer(cls, session: Session, asked: Sequence[Hours]) -> list[list[Hour]]:
        """One statement, whatever the number of organizations."""
        connection, (start, end) = session.connection(), asked[0].alike
        keys = [each.key for each in asked]
        dialect = connection.dialect.name
        values = {
            **metric_values(dialect, asked),
            "start": start,
            "end": end,
        }
        found = connection.execute(_hours(dialect, since=start is not None, before=end is not None), values)
        return [[Hour(*row[2:]) for row in rows] for rows in grouped(found, keys)]


def hours(
    session: Session, organization_id: int, metric: str, start: datetime | None = None, end: datetime | None = None
) -> list[Hour]:
    """The same of one metric."""
    return Hours.answer(session, [Hours(organization_id, metric, start, end)])[0]


@cache
def _hours(dialect: str, *, since: bool, before: bool) -> Select[*tuple[Any, ...]]:
    row = UsageHour
    columns = (row.organization_id, row.metric, *(getattr(row, name) for name in Hour._fields))
    query = select(*map(col, columns)).where(*of_metrics(dialect, row))
    if since:
        query = query.where(col(row.hour) >= bindparam("start"))
    if before:
        query = query.where(col(row.hour) < bindparam("end"))
    return query.order_by(col(row.hour))
