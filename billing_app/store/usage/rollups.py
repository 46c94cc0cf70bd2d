"""Hourly roll-ups: written with the events, so that reading a month never reads its events.

They change cost, never meaning. An hour is read from its events where the roll-up could not say the same: it holds a
correction, or something happens inside it that usage must be told before and after.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Delete, Select, Update, bindparam, delete, select, update
from sqlmodel import Session, col

from billing_app.domain.common.periods import period_containing
from billing_app.domain.credits.facts import Aggregation
from billing_app.store.common import columns
from billing_app.store.common.questions import OfMetric, Span, grouped, metric_values, of_metrics
from billing_app.store.tables.credits import EngineSnapshot
from billing_app.store.tables.usage import UsageHour, UsageSubject
from billing_app.store.usage import sources
from billing_app.store.usage.new_events import Counted, MeterKey

HOUR = timedelta(hours=1)

ADDED = (Aggregation.SUM, Aggregation.UNIQUE)
"""Aggregations of whose hours one may be read without its events only if nothing in it was taken back."""

OLD_ENOUGH = timedelta(days=27)
"""A snapshot is a whole period old when it is taken: what is younger than this is younger than any."""

HOUR_KEY = ("organization_id", "metric", "hour")

SUBJECT_KEY = ("organization_id", "metric", "period", "subject")


def hour_of(moment: datetime) -> datetime:
    """The start of the hour of `moment`."""
    return moment.replace(minute=0, second=0, microsecond=0)


def add(session: Session, counted: Sequence[Counted], recorded_at: datetime) -> set[MeterKey]:
    """Counts events, recorded at one moment, into the roll-ups: in a few statements, however many meters there are.

    Answers the meters of which they change any figure: a device seen again does not.
    """
    added, levels = [], []
    seen = _count_subjects(session, [each for each in counted if each.aggregation is Aggregation.UNIQUE])
    changed: set[MeterKey] = set()
    for each in counted:
        hours = _by_hour(each)
        if each.aggregation is Aggregation.UNIQUE:
            moved = seen[each.meter]
            for hour, count in moved.items():
                hours.setdefault(hour, _Hour(0, 0, hour, 0, True)).quantity = count
            if moved or any(event.quantity < 0 for event in each.events):
                changed.add(each.meter)
        else:
            changed.add(each.meter)
        to = added if each.aggregation in ADDED else levels
        to += [(*each.meter, hour, *hours[hour].figures(), recorded_at) for hour in sorted(hours)]
    _merge(session, added, QUANTITIES_ADD_UP)
    _merge(session, levels, THE_HIGHER_STAYS)
    sources.add(session, [each for each in counted if each.aggregation is Aggregation.SUM])
    _drop_snapshots(session, counted, recorded_at)
    return changed


def _drop_snapshots(session: Session, counted: Sequence[Counted], recorded_at: datetime) -> None:
    """The engine's states that are kept of later than the earliest event know nothing of it (decision 27)."""
    rows = []
    for each in counted:
        first = min(event.at for event in each.events)
        if first < recorded_at - OLD_ENOUGH:
            rows.append({"owner": each.meter[0], "name": each.meter[1], "first": first})
    if rows:
        session.connection().execute(_later_snapshots(), rows)


@cache
def _later_snapshots() -> Delete:
    row = EngineSnapshot
    of_it = (col(row.organization_id) == bindparam("owner"), col(row.metric) == bindparam("name"))
    return delete(row).where(*of_it, col(row.at) >= bindparam("first"))


class _Hour:
    """What the events of one hour add to its row."""

    __slots__ = ("count", "exact", "last_at", "level", "quantity")

    def __init__(self, quantity: int, level: int, last_at: datetime, count: int, exact: bool) -> None:
        self.quantity, self.level, self.last_at, self.count, self.exact = quantity, level, last_at, count, exact

    def figures(self) -> tuple[int, int, datetime, int, bool]:
        return self.quantity, self.level, self.last_at, self.count, self.exact


def _by_hour(counted: Counted) -> dict[datetime, _Hour]:
    """What is counted into each hour; the distinct subjects of a `unique` are not."""
    levels, summed = counted.aggregation not in ADDED, counted.aggregation is Aggregation.SUM
    hours: dict[datetime, _Hour] = {}
    last, row = None, None
    for event in counted.events:
        at, quantity = event.at, event.quantity
        if row is None or at != last:
            last, hour = at, hour_of(at)
            row = hours.get(hour) or hours.setdefault(hour, _Hour(0, 0, at, 0, True))
        row.count += 1
        if at > row.last_at:
            row.last_at, row.level = at, 0
        if levels:
            row.quantity = max(row.quantity, quantity)
            if at == row.last_at:
                row.level = max(row.level, quantity)
            if event.source:  # of several sources' levels the sum counts, which no roll-up of their hour can tell
                row.exact = False
        else:
            if summed:
                row.quantity += quantity
            if quantity < 0:
                row.exact = False
    return hours


HOURS = (*HOUR_KEY, "quantity", "level", "last_at", "events", "exact", "recorded_at")

QUANTITIES_ADD_UP = "quantity = usage_hours.quantity + excluded.quantity"

THE_HIGHER_STAYS = (
    "quantity = CASE WHEN excluded.quantity > usage_hours.quantity THEN excluded.quantity ELSE usage_hours.quantity END"
)

THE_REST = (
    "level = CASE WHEN excluded.last_at > usage_hours.last_at THEN excluded.level "
    "WHEN excluded.last_at = usage_hours.last_at AND excluded.level > usage_hours.level THEN excluded.level "
    "ELSE usage_hours.level END, "
    "last_at = CASE WHEN excluded.last_at > usage_hours.last_at THEN excluded.last_at ELSE usage_hours.last_at END, "
    "recorded_at = CASE WHEN excluded.recorded_at > usage_hours.recorded_at THEN excluded.recorded_at "
    "ELSE usage_hours.recorded_at END, "
    "events = usage_hours.events + excluded.events, "
    "exact = CASE WHEN excluded.exact THEN usage_hours.exact ELSE excluded.exact END"
)


def _merge(session: Session, rows: list[tuple[Any, ...]], quantity: str) -> None:
    if rows:
        columns.merge(session, UsageHour, HOURS, list(zip(*rows, strict=True)), HOUR_KEY, f"{quantity}, {THE_REST}")


class _Sight(NamedTuple):
    """When a subject was first seen among new events, and by which source."""

    at: datetime
    source: str


def _count_subjects(session: Session, counted: Sequence[Counted]) -> dict[MeterKey, dict[datetime, int]]:
    """Remembers when each subject was first seen in its period; answers how the counts of each meter's hours change."""
    seen: dict[tuple[int, str, int, str], _Sight] = {}
    for each in counted:
        _first_seen(each, seen)
    known = _known(session, list(seen))
    moved: dict[MeterKey, dict[datetime, int]] = {each.meter: defaultdict(int) for each in counted}
    new: list[tuple[Any, ...]] = []
    earlier: list[dict[str, Any]] = []
    for key, (at, source) in seen.items():
        before = known.get(key)
        if before is not None and before <= at:
            continue
        hours = moved[key[:2]]
        hours[hour_of(at)] += 1
        if before is None:
            new.append((*key, at, source))
        else:
            hours[hour_of(before)] -= 1
            earlier.append({"owner": key[0], "name": key[1], "number": key[2], "who": key[3], "at": at, "by": source})
    if new:
        names = (*SUBJECT_KEY, "first_seen_at", "source")
        columns.insert(session, UsageSubject, names, list(zip(*new, strict=True)))
    if earlier:
        session.connection().execute(_see_earlier(), earlier)
    return {meter: {hour: count for hour, count in hours.items() if count} for meter, hours in moved.items()}


def _first_seen(counted: Counted, seen: dict[tuple[int, str, int, str], _Sight]) -> None:
    """Notes when each subject of a meter is first seen in its period, of equals the first in the batch."""
    owner, metric = counted.meter
    period = period_containing(counted.anchor, counted.events[0].at)
    for event in counted.events:
        if event.quantity > 0 and event.subject:
            at = event.at
            if not period.start <= at < period.end:
                period = period_containing(counted.anchor, at)
            key = (owner, metric, period.number, event.subject)
            if key not in seen or at < seen[key].at:
                seen[key] = _Sight(at, event.source)


@cache
def _see_earlier() -> Update:
    """A late event tells that a subject was there before."""
    row = UsageSubject
    owned = (col(row.organization_id) == bindparam("owner"), col(row.metric) == bindparam("name"))
    found = (*owned, col(row.period) == bindparam("number"), col(row.subject) == bindparam("who"))
    return update(row).where(*found).values(first_seen_at=bindparam("at"), source=bindparam("by"))


def _known(session: Session, keys: list[tuple[int, str, int, str]]) -> dict[tuple[int, str, int, str], datetime]:
    """When these subjects were first seen in these periods, by what is stored."""
    if not keys:
        return {}
    found = columns.matching(session, UsageSubject, SUBJECT_KEY, list(zip(*keys, strict=True)), ("first_seen_at",))
    return {(owner, metric, period, subject): at for owner, metric, period, subject, at in found}


def is_counted(session: Session, organization_id: int, metric: str, period: int, subject: str) -> bool:
    """Whether a subject was seen in a period (corrections aside)."""
    return session.get(UsageSubject, (organization_id, metric, period, subject)) is not None


def totals(session: Session, spans: Sequence[Span]) -> list[int]:
    """Of each organization and metric the quantities of the hours that begin in `[start, end)` together."""
    return columns.totals(session, UsageHour, "hour", spans)


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
