"""Queries on messages for the outside and on what was told already."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from billing_app.store.common.questions import OfMetric, grouped, metric_values, of_metrics
from billing_app.store.common.statements import upsert
from billing_app.store.tables.notifications import OutboxMessage, ThresholdMark


def add(
    session: Session,
    organization_id: int,
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    occurred_at: datetime,
    now: datetime,
    metric: str | None = None,
) -> bool:
    """Adds a message unless one with this key is there; answers whether it was added."""
    row = OutboxMessage(
        organization_id=organization_id, kind=kind, metric=metric, key=key, payload=json.dumps(payload),
        occurred_at=occurred_at, recorded_at=now,
    )  # fmt: skip
    statement = upsert(session, OutboxMessage).values(**row.model_dump()).on_conflict_do_nothing()
    return session.connection().execute(statement).rowcount > 0


def messages(session: Session, organization_id: int, metric: str | None = None) -> list[OutboxMessage]:
    """An organization's messages in the order in which they were written."""
    query = select(OutboxMessage).where(OutboxMessage.organization_id == organization_id)
    if metric is not None:
        query = query.where(OutboxMessage.metric == metric)
    return list(session.exec(query.order_by(col(OutboxMessage.id))))


@dataclass(frozen=True, slots=True)
class Marks(OfMetric):
    """The highest percentage of a metric that was told so far, by mark."""

    @classmethod
    def answer(cls, session: Session, asked: Sequence[Marks]) -> list[dict[str, int]]:
        """One statement, whatever the number of organizations."""
        dialect, keys = session.get_bind().dialect.name, [each.key for each in asked]
        values = metric_values(dialect, asked)
        return [
            {name: percent for _, _, name, percent in rows}
            for rows in grouped(session.connection().execute(_marks(dialect), values), keys)
        ]


@cache
def _marks(dialect: str) -> Select[int, str, str, int]:
    row = ThresholdMark
    return select_columns(col(row.organization_id), col(row.metric), col(row.name), col(row.percent)).where(
        *of_metrics(dialect, row)
    )


def set_mark(session: Session, organization_id: int, metric: str, name: str, percent: int) -> None:
    """Remembers that `percent` was told."""
    statement = upsert(session, ThresholdMark).values(
        organization_id=organization_id, metric=metric, name=name, percent=percent
    )
    session.connection().execute(
        statement.on_conflict_do_update(index_elements=["organization_id", "metric", "name"], set_={"percent": percent})
    )


def blocked(session: Session, organization_ids: Collection[int]) -> set[int]:
    """Those of which any metric was blocked when it was last looked at."""
    row = ThresholdMark
    query = select(row.organization_id).where(
        col(row.organization_id).in_(organization_ids), row.name == "blocked", row.percent == 1
    )
    return set(session.exec(query.distinct()))
