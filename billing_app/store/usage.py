"""Writing and reading raw usage and its keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import func
from sqlmodel import Session, col, insert, select

from billing_app.domain.periods import Period
from billing_app.domain.usage import UsageEvent
from billing_app.store.tables.usage import UsageKey, UsageRow

KEYS_PER_QUERY = 500
"""How many keys one query looks up; below SQLite's limit on bound values."""


Recorded = tuple[UsageEvent, datetime]
"""An event and when it was written."""

_INSERT_EVENT = insert(UsageRow)


def seen_keys(session: Session, organization_id: int, keys: Sequence[str]) -> dict[str, UsageKey]:
    """Those of `keys` that are known."""
    found: dict[str, UsageKey] = {}
    for start in range(0, len(keys), KEYS_PER_QUERY):
        query = select(UsageKey).where(
            UsageKey.organization_id == organization_id, col(UsageKey.key).in_(keys[start : start + KEYS_PER_QUERY])
        )
        found.update({row.key: row for row in session.exec(query)})
    return found


def add_keys(session: Session, rows: list[dict[str, Any]]) -> None:
    """Takes keys; a key taken twice fails in the database."""
    if rows:
        session.connection().execute(insert(UsageKey), rows)


def add_events(session: Session, rows: list[dict[str, Any]]) -> None:
    """Adds raw events."""
    if rows:
        session.connection().execute(_INSERT_EVENT, rows)


def events_between(
    session: Session,
    organization_id: int,
    metric: str,
    start: datetime | None = None,
    end: datetime | None = None,
    known_at: datetime | None = None,
) -> Iterator[UsageEvent]:
    """The raw events of `[start, end)`, recorded by `known_at`, by time. Streams: memory does not grow with them."""
    query = select(UsageRow.occurred_at, UsageRow.quantity, UsageRow.subject, UsageRow.source).where(
        UsageRow.organization_id == organization_id, UsageRow.metric == metric
    )
    if start is not None:
        query = query.where(UsageRow.occurred_at >= start)
    if end is not None:
        query = query.where(UsageRow.occurred_at < end)
    if known_at is not None:
        query = query.where(UsageRow.recorded_at <= known_at)
    query = query.order_by(col(UsageRow.occurred_at)).execution_options(yield_per=5_000)
    for at, quantity, subject, source in session.exec(query):
        yield UsageEvent(at, quantity, subject, source)


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


def period_total(session: Session, organization_id: int, metric: str, period: Period) -> int:
    """The sum over all events of a period (fine point 4).

    The database's sum fits 64 bits, because no period is let past 2**63-1 (fine point 16).
    """
    query = select(func.sum(UsageRow.quantity)).where(
        UsageRow.organization_id == organization_id,
        UsageRow.metric == metric,
        UsageRow.occurred_at >= period.start,
        UsageRow.occurred_at < period.end,
    )
    return int(session.exec(query).one() or 0)


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
