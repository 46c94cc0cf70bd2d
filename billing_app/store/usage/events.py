"""Reading raw usage and its keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy
from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from billing_app.domain.common.periods import Period
from billing_app.domain.credits.facts import NEVER
from billing_app.domain.usage.aggregation import UsageEvent
from billing_app.store.common.questions import OfMetric, grouped, in_spans, span_values
from billing_app.store.tables.base import Moment
from billing_app.store.tables.meters import Reservation
from billing_app.store.tables.usage import IdempotencyKey, UsageKey, UsageRow
from billing_app.store.usage import rollups

FIRST = datetime.min.replace(tzinfo=UTC)
"""Before anything that is recorded."""

Recorded = tuple[UsageEvent, datetime]
"""An event and when it was written."""


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
    query = (
        sqlalchemy.select(
            col(row.occurred_at), col(row.quantity), col(row.subject), col(row.source), col(row.recorded_at)
        )
        .where(col(row.organization_id) == organization_id, col(row.metric) == metric)
        .order_by(col(row.occurred_at))
        .execution_options(yield_per=5_000)
    )
    for at, quantity, subject, source, recorded_at in session.connection().execute(query):
        yield UsageEvent(at, quantity, subject, source), recorded_at


def taken_keys(session: Session, organization_id: int) -> Iterator[str]:
    """The usage keys that an organization has taken."""
    query = select(UsageKey.key).where(UsageKey.organization_id == organization_id)
    yield from session.exec(query.execution_options(yield_per=5_000))


def reported_keys(session: Session, payer_ids: Iterable[int], source: str) -> Iterator[str]:
    """The keys of the events that count on these organizations and were reported by `source`."""
    query = select(UsageRow.key).where(
        col(UsageRow.organization_id).in_(list(payer_ids)), UsageRow.source == source, col(UsageRow.key).is_not(None)
    )
    for key in session.exec(query.execution_options(yield_per=5_000)):
        yield str(key)


def period_totals(session: Session, wanted: Sequence[tuple[int, str, Period]]) -> list[int]:
    """The sums over all events of periods of `sum` metrics (fine point 4): of their hours, and of events at the edges.

    The database's sum fits 64 bits, because no period is let past 2**63-1 (fine point 16).
    """
    spans = [(owner, metric, _next_hour(period.start), rollups.hour_of(period.end)) for owner, metric, period in wanted]
    totals = rollups.totals(session, spans)
    for place, (owner, metric, period) in enumerate(wanted):
        first, last = spans[place][2:]
        for start, end in ((period.start, first), (last, period.end)):
            if start < end:
                totals[place] += sum(event.quantity for event in events_between(session, owner, metric, start, end))
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
