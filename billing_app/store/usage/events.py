"""Reading raw usage and its keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy
from sqlalchemy import bindparam, func, literal
from sqlmodel import Session, col, select

from billing_app.domain.common.periods import Period
from billing_app.domain.credits.facts import NEVER
from billing_app.domain.usage.aggregation import UsageEvent
from billing_app.store.common import columns
from billing_app.store.common.questions import OfMetric, Span, grouped, in_spans, span_values
from billing_app.store.tables.base import Moment
from billing_app.store.tables.meters import Reservation
from billing_app.store.tables.usage import IdempotencyKey, UsageKey, UsageRow
from billing_app.store.usage import rollups

FIRST = datetime.min.replace(tzinfo=UTC)
"""Before anything that is recorded."""

Recorded = tuple[datetime, int, str | None, str, datetime]
"""An event (when, how much, of what subject and source) and when it was written."""

ROWS_AT_ONCE = 1_000
"""Rows that a reader of all events holds."""


@dataclass(frozen=True, slots=True)
class Events(OfMetric):
    """The raw events of a metric in these `[start, end)`, by time; with `known_at` those recorded by then."""

    spans: tuple[tuple[datetime, datetime], ...]
    known_at: datetime | None = None

    @property
    def alike(self) -> datetime | None:
        """Those of one `known_at` are answered together."""
        return self.known_at

    @classmethod
    def answer(cls, session: Session, asked: Sequence[Events]) -> list[list[UsageEvent]]:
        """One statement, whatever the number of organizations and spans."""
        keys = [each.key for each in asked]
        if len({*keys}) < len(keys):  # the rows of two questions about one metric could not be told apart
            return [cls.answer(session, [each])[0] for each in asked]
        connection, known_at = session.connection(), asked[0].known_at
        values = span_values(
            connection.dialect, [(each.organization_id, each.metric, *span) for each in asked for span in each.spans]
        )
        statement = _events(connection.dialect.name, as_known=known_at is not None)
        found = connection.execute(statement, values if known_at is None else {**values, "known_at": known_at})
        return [[UsageEvent(*row[2:]) for row in rows] for rows in grouped(found, keys)]


@cache
def _events(dialect: str, *, as_known: bool) -> sqlalchemy.TextualSelect:
    names = ("occurred_at", "quantity", "subject", "source")
    known = ("r.recorded_at <= :known_at",) if as_known else ()
    statement = in_spans(dialect, names, "usage_events", "occurred_at", *known)
    if as_known:
        statement = statement.bindparams(bindparam("known_at", type_=Moment()))
    row = UsageRow
    columns: tuple[Any, ...] = (row.organization_id, row.metric, *(getattr(row, name) for name in names))
    return statement.columns(*columns)


def events_between(
    session: Session, organization_id: int, metric: str, start: datetime = FIRST, end: datetime = NEVER
) -> list[UsageEvent]:
    """The raw events of `[start, end)`, by time."""
    return Events.answer(session, [Events(organization_id, metric, ((start, end),))])[0]


def recorded(session: Session, organization_id: int, metric: str) -> Iterator[Recorded]:
    """All raw events of a metric with the moment at which each was written, by the time at which they occurred."""
    row = UsageRow
    columns = (row.occurred_at, row.quantity, row.subject, row.source, row.recorded_at)
    query = sqlalchemy.select(*map(col, columns)).where(
        col(row.organization_id) == organization_id, col(row.metric) == metric
    )
    query = query.order_by(col(row.occurred_at)).execution_options(yield_per=ROWS_AT_ONCE)
    found: Any = session.connection().execute(query)
    yield from found


def unmatched_keys(
    session: Session, organization_id: int, payers: Iterable[tuple[int, str]]
) -> list[tuple[str, int, int]]:
    """Keys of an organization that are not those of one event each: of how many they are, and whether they are taken.

    Its events count on `payers`, who keep them as use of the source beside them. The database compares, so that only
    what differs comes here.
    """
    event, taken = UsageRow, UsageKey
    one, none = literal(1), literal(0)
    parts: list[Any] = [
        sqlalchemy.select(col(event.key).label("key"), one.label("reported"), none.label("taken")).where(
            col(event.organization_id) == payer, col(event.source) == source, col(event.key).is_not(None)
        )
        for payer, source in payers
    ]
    parts.append(sqlalchemy.select(col(taken.key), none, one).where(col(taken.organization_id) == organization_id))
    both = sqlalchemy.union_all(*parts).subquery()
    reported, kept = func.sum(both.c.reported), func.sum(both.c.taken)
    query = sqlalchemy.select(both.c.key, reported, kept).group_by(both.c.key)
    found = session.connection().execute(query.having(sqlalchemy.or_(reported != 1, kept != 1)))
    return [(key, int(events), int(kept)) for key, events, kept in found]


def period_totals(session: Session, wanted: Sequence[tuple[int, str, Period]]) -> list[int]:
    """The sums over all events of periods of `sum` metrics (fine point 4): of their hours, and of events at the edges.

    Two statements, however many periods there are.
    """
    hours = [(owner, metric, _next_hour(period.start), rollups.hour_of(period.end)) for owner, metric, period in wanted]
    totals = rollups.totals(session, hours)
    places: list[int] = []
    edges: list[Span] = []
    for place, ((owner, metric, period), (_, _, first, last)) in enumerate(zip(wanted, hours, strict=True)):
        found = [(owner, metric, *edge) for edge in ((period.start, first), (last, period.end)) if edge[0] < edge[1]]
        edges += found
        places += [place] * len(found)
    for place, total in zip(places, columns.totals(session, UsageRow, "occurred_at", edges), strict=True):
        totals[place] += total
    return totals


def _next_hour(moment: datetime) -> datetime:
    """The first hour that begins at `moment` or after."""
    hour = rollups.hour_of(moment)
    return hour if hour == moment else hour + rollups.HOUR


def metrics_used(session: Session) -> set[str]:
    """Metrics that any organization has ever reported: their meaning can't change any more."""
    return set(session.exec(select(UsageRow.metric).distinct()))


def subject_events(
    session: Session, organization_id: int, metric: str, subjects: Iterable[str], start: datetime, end: datetime
) -> list[UsageEvent]:
    """The events of some subjects in `[start, end)`."""
    query = select(UsageRow.occurred_at, UsageRow.quantity, UsageRow.subject).where(
        UsageRow.organization_id == organization_id,
        UsageRow.metric == metric,
        UsageRow.occurred_at >= start,
        UsageRow.occurred_at < end,
        col(UsageRow.subject).in_(list(subjects)),
    )
    return [UsageEvent(at, quantity, subject) for at, quantity, subject in session.exec(query)]


def consumed(session: Session, organization_id: int, metric: str) -> Iterator[tuple[datetime, int]]:
    """What consume accepted for keys that are still kept: when, and how much."""
    query = select(IdempotencyKey.recorded_at, IdempotencyKey.answer).where(
        IdempotencyKey.organization_id == organization_id,
        IdempotencyKey.space == "consume",
        col(IdempotencyKey.answer).is_not(None),
    )
    answered = {(at, json.loads(answer or "{}").get("accepted")) for at, answer in session.exec(query)}
    events = select(UsageRow.occurred_at, UsageRow.quantity).where(
        UsageRow.organization_id == organization_id, UsageRow.metric == metric, col(UsageRow.key).is_(None)
    )
    for at, quantity in session.exec(events.execution_options(yield_per=5_000)):
        if (at, quantity) in answered:
            yield at, quantity


def reservations(session: Session, organization_id: int, metric: str) -> list[Reservation]:
    """All reservations of a metric that are still kept."""
    query = select(Reservation).where(Reservation.organization_id == organization_id, Reservation.metric == metric)
    return list(session.exec(query))
