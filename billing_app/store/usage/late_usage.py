"""When usage was recorded, where that was later than it counts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, select

from billing_app.store.tables.usage import UsageRow
from billing_app.store.usage.usage_points import spans


def recorded_after(
    session: Session, organization_id: int, metric: str, hours: Collection[datetime], moment: datetime
) -> list[datetime]:
    """The moments after `moment` at which usage that had occurred by then was recorded, oldest first.

    `hours` are those that may hold such usage (their roll-ups tell), so that only their events are read.
    """
    found: set[datetime] = set()
    for start, end in spans(set(hours)):
        query = select(UsageRow.recorded_at).where(
            UsageRow.organization_id == organization_id,
            UsageRow.metric == metric,
            UsageRow.occurred_at >= start,
            UsageRow.occurred_at < end,
            UsageRow.occurred_at <= moment,
            UsageRow.recorded_at > moment,
        )
        found.update(session.exec(query.distinct().order_by(col(UsageRow.recorded_at))))
    return sorted(found)
