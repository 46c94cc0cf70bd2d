"""Queries on grants, what happened to them, and the plans an organization held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from billing_app.domain.credits import Action, Conversion, Dispute, DisputeStatus, Grant, Refund, Void
from billing_app.store.tables.credits import GrantAction, GrantRow, PlanChange


def grants(
    session: Session, organization_id: int, metric: str | None = None, known_at: datetime | None = None
) -> list[GrantRow]:
    """The organization's grants, oldest first; those of one metric, and those recorded by `known_at`, if told."""
    query = _grants(of_metric=metric is not None, as_known=known_at is not None)
    return list(session.exec(query, params={"owner": organization_id, "metric": metric, "known_at": known_at}))


@cache
def _grants(*, of_metric: bool, as_known: bool) -> SelectOfScalar[GrantRow]:
    """The statement, made once: making it takes as long as running it, and every account reads grants."""
    query = select(GrantRow).where(col(GrantRow.organization_id) == bindparam("owner"))
    if of_metric:
        query = query.where(col(GrantRow.metric) == bindparam("metric"))
    if as_known:
        query = query.where(col(GrantRow.recorded_at) <= bindparam("known_at"))
    return query.order_by(col(GrantRow.effective_at), col(GrantRow.id))


def grant(session: Session, organization_id: int, grant_id: str) -> GrantRow | None:
    """One grant."""
    return session.get(GrantRow, (organization_id, grant_id))


def grant_by_source(session: Session, organization_id: int, source_key: str) -> GrantRow | None:
    """The grant that stands for this purchase, if it was made."""
    query = select(GrantRow).where(GrantRow.organization_id == organization_id, GrantRow.source_key == source_key)
    return session.exec(query).first()


def granted_total(session: Session, organization_id: int, metric: str) -> int:
    """The quantity of all grants of the metric together."""
    query = select(func.sum(GrantRow.quantity)).where(
        GrantRow.organization_id == organization_id, GrantRow.metric == metric
    )
    return int(session.exec(query).one() or 0)


def actions(session: Session, organization_id: int, metric: str, known_at: datetime | None = None) -> list[GrantAction]:
    """What happened to the metric's grants, in recorded order."""
    query = _actions(as_known=known_at is not None)
    return list(session.exec(query, params={"owner": organization_id, "metric": metric, "known_at": known_at}))


@cache
def _actions(*, as_known: bool) -> SelectOfScalar[GrantAction]:
    row = GrantAction
    query = select(row).where(col(row.organization_id) == bindparam("owner"), col(row.metric) == bindparam("metric"))
    if as_known:
        query = query.where(col(row.recorded_at) <= bindparam("known_at"))
    return query.order_by(col(row.number))


def action_by_source(session: Session, organization_id: int, source_key: str) -> GrantAction | None:
    """The action that stands for this request or Stripe event, if it was recorded."""
    query = select(GrantAction).where(
        GrantAction.organization_id == organization_id, GrantAction.source_key == source_key
    )
    return session.exec(query).first()


def actions_by_source(session: Session, organization_id: int, prefix: str) -> list[GrantAction]:
    """The actions whose `source_key` begins with `prefix`, in recorded order."""
    query = select(GrantAction).where(
        GrantAction.organization_id == organization_id, col(GrantAction.source_key).startswith(prefix, autoescape=True)
    )
    return list(session.exec(query.order_by(col(GrantAction.number))))


def next_action_number(session: Session, organization_id: int) -> int:
    """The number of the organization's next action; the organization must be locked."""
    query = select(func.max(GrantAction.number)).where(GrantAction.organization_id == organization_id)
    return (session.exec(query).one() or 0) + 1


def plan_changes(session: Session, organization_id: int, known_at: datetime | None = None) -> list[PlanChange]:
    """The plans that the organization held, in recorded order."""
    query = _plan_changes(as_known=known_at is not None)
    return list(session.exec(query, params={"owner": organization_id, "known_at": known_at}))


@cache
def _plan_changes(*, as_known: bool) -> SelectOfScalar[PlanChange]:
    query = select(PlanChange).where(col(PlanChange.organization_id) == bindparam("owner"))
    if as_known:
        query = query.where(col(PlanChange.recorded_at) <= bindparam("known_at"))
    return query.order_by(col(PlanChange.number))


def add_plan_change(
    session: Session, organization_id: int, plan: str, at: datetime, now: datetime, reason: str
) -> None:
    """Records that the organization holds `plan` from `at` on; the organization must be locked."""
    query = select(func.max(PlanChange.number)).where(PlanChange.organization_id == organization_id)
    number = (session.exec(query).one() or 0) + 1
    session.add(
        PlanChange(organization_id=organization_id, number=number, plan=plan, at=at, recorded_at=now, reason=reason)
    )
    session.flush()


def as_grants(rows: Sequence[GrantRow]) -> tuple[Grant, ...]:
    """Rows as the engine's facts."""
    return tuple(
        Grant(
            id=row.id,
            quantity=row.quantity,
            effective_at=row.effective_at,
            expires_at=row.expires_at,
            created_at=row.created_at,
            priority=row.priority,
            paid_cents=row.paid_cents,
        )
        for row in rows
    )


def as_actions(rows: Sequence[GrantAction]) -> tuple[Action, ...]:
    """Rows as the engine's facts."""
    return tuple(_as_action(row) for row in rows)


def _as_action(row: GrantAction) -> Action:
    if row.kind == "void":
        return Void(row.at, row.number, row.grant_id)
    if row.kind == "refund":
        return Refund(row.at, row.number, row.grant_id, row.refunded_cents or 0)
    if row.kind == "convert":
        return Conversion(row.at, row.number, row.grant_id, row.quantity or 0)
    return Dispute(row.at, row.number, row.grant_id, DisputeStatus(row.status), row.amount_cents, row.dispute_id)
