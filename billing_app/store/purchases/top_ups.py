"""Queries on auto top-ups, the saved card, and attempts to charge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_
from sqlmodel import Session, col, select

from billing_app.store.common.questions import OfMetric, metric_values, of_metrics
from billing_app.store.common.statements import upsert
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.purchases import AutoTopUp, SavedCard, TopUpAttempt


def setting(session: Session, organization_id: int, metric: str) -> AutoTopUp | None:
    """What is set for a metric, as it is now; whoever changes it holds the organization's row or the meter's."""
    return session.get(AutoTopUp, (organization_id, metric), populate_existing=True)


@dataclass(frozen=True, slots=True)
class Setting(OfMetric):
    """What is set for a metric, as it is now; whoever changes it holds the organization's row or the meter's."""

    @classmethod
    def answer(cls, session: Session, asked: Sequence[Setting]) -> list[AutoTopUp | None]:
        """One statement, whatever the number of organizations."""
        dialect, row = session.get_bind().dialect.name, AutoTopUp
        query = select(row).where(*of_metrics(dialect, row))
        values = metric_values(dialect, asked)
        found = session.exec(query.execution_options(populate_existing=True), params=values)
        rows = {(row.organization_id, row.metric): row for row in found}
        return [rows.get((each.organization_id, each.metric)) for each in asked]


def settings(session: Session, organization_id: int) -> dict[str, AutoTopUp]:
    """What is set, by metric."""
    query = select(AutoTopUp).where(AutoTopUp.organization_id == organization_id)
    return {row.metric: row for row in session.exec(query)}


def card(session: Session, organization_id: int) -> SavedCard | None:
    """The saved card as it is now."""
    return session.get(SavedCard, organization_id, populate_existing=True)


def to_look_at(session: Session, now: datetime, limit: int) -> list[tuple[int, str]]:
    """Organization and metric of what may have to be charged: armed, at the end of a rest, or with a meter behind.

    Those with an attempt under way are left out: it is continued, and no other is begun. So are those of
    deactivated organizations, whose card pays for nothing.
    """
    row, meter = AutoTopUp, MeterRow
    busy = select(TopUpAttempt.id).where(
        TopUpAttempt.organization_id == row.organization_id,
        TopUpAttempt.metric == row.metric,
        TopUpAttempt.state == "open",
    )
    behind = or_(col(meter.stale).is_(None), col(meter.stale), col(meter.valid_until) <= now)
    query = (
        select(row.organization_id, row.metric)
        .join(SavedCard, col(SavedCard.organization_id) == row.organization_id)
        .join(Organization, col(Organization.id) == row.organization_id)
        .outerjoin(meter, and_(col(meter.organization_id) == row.organization_id, col(meter.metric) == row.metric))
        .where(
            col(row.enabled),
            col(Organization.active),
            or_(col(row.resting_until).is_(None), col(row.resting_until) <= now),
            or_(col(row.capped_until).is_(None), col(row.capped_until) <= now),
            or_(
                col(row.armed_at).is_not(None),
                col(row.resting_until).is_not(None),
                col(row.capped_until).is_not(None),
                behind,
            ),
            ~busy.exists(),
        )
        .order_by(col(row.armed_at), col(row.organization_id), col(row.metric))
        .limit(limit)
    )
    return [(owner, metric) for owner, metric in session.exec(query)]


def insert_attempt(session: Session, attempt: TopUpAttempt) -> bool:
    """Writes an attempt unless one is open for the metric; answers whether it did."""
    statement = upsert(session, TopUpAttempt).values(**attempt.model_dump()).on_conflict_do_nothing()
    return session.connection().execute(statement).rowcount > 0


def attempt(session: Session, organization_id: int, attempt_id: str) -> TopUpAttempt | None:
    """An attempt as it is now; whoever changes it holds the organization's row."""
    return session.get(TopUpAttempt, (organization_id, attempt_id), populate_existing=True)


def left_behind(session: Session, now: datetime, limit: int) -> list[tuple[int, str]]:
    """Organization and id of open attempts that nobody works on any more."""
    query = select(TopUpAttempt.organization_id, TopUpAttempt.id).where(col(TopUpAttempt.worked_until) <= now)
    return [
        (owner, found) for owner, found in session.exec(query.order_by(col(TopUpAttempt.worked_until)).limit(limit))
    ]


def paid_between(session: Session, organization_id: int, metric: str, start: datetime, end: datetime) -> int:
    """What was paid for a metric's top-ups in `[start, end)`, in cents, taxes included."""
    query = select(func.sum(TopUpAttempt.amount_cents)).where(
        TopUpAttempt.organization_id == organization_id,
        TopUpAttempt.metric == metric,
        TopUpAttempt.state == "paid",
        col(TopUpAttempt.paid_at) >= start,
        col(TopUpAttempt.paid_at) < end,
    )
    return int(session.exec(query).one() or 0)
