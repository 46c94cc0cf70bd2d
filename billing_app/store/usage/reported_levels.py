"""What was reported, read from the roll-ups: whether anything ever was, and the levels that may be a day's highest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session, select

from billing_app.store.tables.usage import UsageHour
from billing_app.store.usage import events
from billing_app.store.usage.rollups import HOUR, hour_of, hours


def ever_reported(session: Session, organization_id: int) -> bool:
    """Whether the organization has reported any use of anything."""
    query = select(UsageHour.hour).where(UsageHour.organization_id == organization_id).limit(1)
    return session.exec(query).first() is not None


def levels(
    session: Session, organization_id: int, metric: str, start: datetime, end: datetime
) -> Iterator[tuple[datetime, int]]:
    """The highest reported level of each hour of `[start, end)`, with a moment of that hour.

    An hour that `start` or `end` cuts, or that holds events dated ahead, is read from its events.
    """
    for row in hours(session, organization_id, metric, hour_of(start), end):
        if start <= row.hour and row.last_at < end:
            yield row.hour, row.quantity
            continue
        first, last = max(start, row.hour), min(end, row.hour + HOUR)
        for event in events.events_between(session, organization_id, metric, first, last):
            yield event.at, event.quantity
