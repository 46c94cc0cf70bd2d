"""Queries on grants, what happened to them, and the plans an organization held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, bindparam, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from billing_app.domain.credits.facts import Action, Conversion, Dispute, DisputeStatus, Grant, Refund, Void
from billing_app.store.common.rows import read
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


def grant_facts(session: Session, organization_id: int, metric: str, known_at: datetime | None) -> tuple[Grant, ...]:
    """The metric's grants as the engine's facts; with `known_at` those recorded by then."""
    values = {"owner": organization_id, "metric": metric, "known_at": known_at}
    return tuple(Grant(*row) for row in read(session, _grant_facts(as_known=known_at is not None), values))


@cache
def _grant_facts(*, as_known: bool) -> Select[*tuple[Any, ...]]:
    columns = [getattr(GrantRow, field.name) for field in fields(Grant)]
    return _grants(of_metric=True, as_known=as_known).with_only_columns(*columns)


def action_facts(session: Session, organization_id: int, metric: str, known_at: datetime | None) -> tuple[Action, ...]:
    """What happened to the metric's grants as the engine's facts, in recorded order."""
    values = {"owner": organization_id, "metric": metric, "known_at": known_at}
    return tuple(_as_action(row) for row in read(session, _actions(as_known=known_at is not None), values))


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


class HeldPlan(NamedTuple):
    """From `at` on an organization holds `plan`, as was recorded at `recorded_at` in the order of `number`."""

    number: int
    plan: str
    at: datetime
    recorded_at: datetime


def plan_changes(session: Session, organization_id: int, known_at: datetime | None = None) -> list[HeldPlan]:
    """The plans that the organization held, in recorded order."""
    query = _plan_changes(as_known=known_at is not None)
    return [HeldPlan(*row) for row in read(session, query, {"owner": organization_id, "known_at": known_at})]


@cache
def _plan_changes(*, as_known: bool) -> Select[*tuple[Any, ...]]:
    row = PlanChange
    query = select_columns(col(row.number), col(row.plan), col(row.at), col(row.recorded_at))
    query = query.where(col(row.organization_id) == bindparam("owner"))
    if as_known:
        query = query.where(col(row.recorded_at) <= bindparam("known_at"))
    return query.order_by(col(row.number))


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


def as_grants(rows: Iterable[GrantRow]) -> tuple[Grant, ...]:
    """Rows as the engine's facts."""
    return tuple(Grant(**{field.name: getattr(row, field.name) for field in fields(Grant)}) for row in rows)


def as_actions(rows: Iterable[GrantAction]) -> tuple[Action, ...]:
    """Rows as the engine's facts."""
    return tuple(_as_action(row) for row in rows)


def _as_action(row: GrantAction | Row[Any]) -> Action:
    if row.kind == "void":
        return Void(row.at, row.number, row.grant_id)
    if row.kind == "refund":
        return Refund(row.at, row.number, row.grant_id, row.refunded_cents or 0)
    if row.kind == "convert":
        return Conversion(row.at, row.number, row.grant_id, row.quantity or 0)
    return Dispute(row.at, row.number, row.grant_id, DisputeStatus(row.status), row.amount_cents, row.dispute_id)
