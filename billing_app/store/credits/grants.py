"""Queries on grants, what happened to them, and the plans an organization held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from billing_app.domain.credits.facts import Action, Conversion, Dispute, DisputeStatus, Grant, Refund, Void
from billing_app.store.common.questions import (
    OfMetric,
    OfOrganization,
    among,
    grouped,
    listed,
    metric_values,
    of_metrics,
)
from billing_app.store.common.statements import read
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


def grant_anywhere(session: Session, grant_id: str) -> GrantRow | None:
    """A grant by its id alone, which is random; for operators."""
    return session.exec(select(GrantRow).where(GrantRow.id == grant_id).limit(1)).first()


def owner_of(session: Session, grant_id: str) -> int | None:
    """The organization that has the grant; ids are random, so there is at most one."""
    return session.exec(select(GrantRow.organization_id).where(GrantRow.id == grant_id)).first()


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


@dataclass(frozen=True, slots=True)
class GrantFacts(OfMetric):
    """A metric's grants as the engine's facts, oldest first; with `known_at` those recorded by then."""

    known_at: datetime | None = None

    @property
    def alike(self) -> datetime | None:
        """Those of one `known_at` are answered together."""
        return self.known_at

    @classmethod
    def answer(cls, session: Session, asked: Sequence[GrantFacts]) -> list[tuple[Grant, ...]]:
        """One statement, whatever the number of organizations."""
        return [tuple(Grant(*row[2:]) for row in rows) for rows in _of_many(session, _grant_facts, asked)]


@cache
def _grant_facts(dialect: str, *, as_known: bool) -> Select[*tuple[Any, ...]]:
    query = select_columns(*(col(getattr(GrantRow, name)) for name in GRANT_COLUMNS))
    query = _asked_for(dialect, query, GrantRow, as_known=as_known)
    return query.order_by(col(GrantRow.effective_at), col(GrantRow.id))


GRANT_COLUMNS = ("organization_id", "metric", *(field.name for field in fields(Grant)))
"""Of a grant its organization, its metric and the engine's fact."""

ACTION_COLUMNS = (
    "organization_id", "metric", "kind", "at", "number", "grant_id", "refunded_cents", "quantity", "status",
    "amount_cents", "dispute_id",
)  # fmt: skip
"""Of an action its organization, its metric and the engine's fact."""


@dataclass(frozen=True, slots=True)
class ActionFacts(OfMetric):
    """What happened to a metric's grants as the engine's facts, in recorded order; with `known_at` what was by then."""

    known_at: datetime | None = None

    @property
    def alike(self) -> datetime | None:
        """Those of one `known_at` are answered together."""
        return self.known_at

    @classmethod
    def answer(cls, session: Session, asked: Sequence[ActionFacts]) -> list[tuple[Action, ...]]:
        """One statement, whatever the number of organizations."""
        return [tuple(as_action(row[2:]) for row in rows) for rows in _of_many(session, _action_facts, asked)]


@cache
def _action_facts(dialect: str, *, as_known: bool) -> Select[*tuple[Any, ...]]:
    row = GrantAction
    columns = (col(getattr(row, name)) for name in ACTION_COLUMNS)
    query = _asked_for(dialect, select_columns(*columns), row, as_known=as_known)
    return query.order_by(col(row.number))


def _asked_for(dialect: str, query: Any, row: Any, *, as_known: bool) -> Any:
    query = query.where(*of_metrics(dialect, row))
    return query.where(col(row.recorded_at) <= bindparam("known_at")) if as_known else query


def _of_many(session: Session, statement: Any, asked: Sequence[GrantFacts] | Sequence[ActionFacts]) -> list[list[Any]]:
    """The rows of each question, of a statement whose first columns are organization and metric."""
    dialect, known_at = session.get_bind().dialect.name, asked[0].known_at
    values = {
        **metric_values(dialect, asked),
        "known_at": known_at,
    }
    rows = read(session, statement(dialect, as_known=known_at is not None), values)
    return grouped(rows, [each.key for each in asked])


@dataclass(frozen=True, slots=True)
class GrantLabels(OfOrganization):
    """Why grants were made and what they stand for, by id: for the rows of the ledger that name them."""

    grant_ids: frozenset[str]

    @classmethod
    def answer(cls, session: Session, asked: Sequence[GrantLabels]) -> list[dict[str, GrantLabel]]:
        """One statement, whatever the number of organizations."""
        dialect = session.get_bind().dialect.name
        owners = [each.organization_id for each in asked]
        wanted = frozenset[str]().union(*(each.grant_ids for each in asked))
        values = {"owners": listed(dialect, owners), "ids": listed(dialect, wanted)}
        rows = grouped(read(session, _grant_labels(dialect), values), [(owner,) for owner in owners])
        return [{row[1]: GrantLabel(*row[2:]) for row in each} for each in rows]


class GrantLabel(NamedTuple):
    """Why a grant was made, and the purchase, gift card or request that it stands for."""

    reason: str
    source_key: str


@cache
def _grant_labels(dialect: str) -> Select[*tuple[Any, ...]]:
    row = GrantRow
    query = select_columns(col(row.organization_id), col(row.id), col(row.reason), col(row.source_key))
    return query.where(among(dialect, row.organization_id, "owners"), among(dialect, row.id, "ids"))


@cache
def _actions(*, as_known: bool) -> SelectOfScalar[GrantAction]:
    row = GrantAction
    query = select(row).where(col(row.organization_id) == bindparam("owner"), col(row.metric) == bindparam("metric"))
    if as_known:
        query = query.where(col(row.recorded_at) <= bindparam("known_at"))
    return query.order_by(col(row.number))


@dataclass(frozen=True, slots=True)
class ConversionReasons(OfMetric):
    """What each conversion of a metric's grants said it was for, by grant and the conversion's number."""

    @classmethod
    def answer(cls, session: Session, asked: Sequence[ConversionReasons]) -> list[dict[tuple[str, int], str]]:
        """One statement, whatever the number of organizations."""
        dialect, keys = session.get_bind().dialect.name, [each.key for each in asked]
        values = metric_values(dialect, asked)
        found = grouped(read(session, _conversion_reasons(dialect), values), keys)
        return [{(grant_id, number): reason for _, _, grant_id, number, reason in rows} for rows in found]


@cache
def _conversion_reasons(dialect: str) -> Select[int, str, str, int, str]:
    row = GrantAction
    query = select_columns(
        col(row.organization_id), col(row.metric), col(row.grant_id), col(row.number), col(row.reason)
    )
    return _asked_for(dialect, query, row, as_known=False).where(row.kind == "convert")


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


@dataclass(frozen=True, slots=True)
class PlanChanges(OfOrganization):
    """The plans that an organization held, in recorded order; with `known_at` what was recorded by then."""

    known_at: datetime | None = None

    @property
    def alike(self) -> datetime | None:
        """Those of one `known_at` are answered together."""
        return self.known_at

    @classmethod
    def answer(cls, session: Session, asked: Sequence[PlanChanges]) -> list[list[HeldPlan]]:
        """One statement, whatever the number of organizations."""
        dialect, known_at = session.get_bind().dialect.name, asked[0].known_at
        owners = [each.organization_id for each in asked]
        values = {"owners": listed(dialect, owners), "known_at": known_at}
        rows = read(session, _plan_changes(dialect, as_known=known_at is not None), values)
        return [[HeldPlan(*row[1:]) for row in each] for each in grouped(rows, [(owner,) for owner in owners])]


def plan_changes(session: Session, organization_id: int) -> list[HeldPlan]:
    """The plans that the organization held, in recorded order."""
    return PlanChanges.answer(session, [PlanChanges(organization_id)])[0]


@cache
def _plan_changes(dialect: str, *, as_known: bool) -> Select[*tuple[Any, ...]]:
    row = PlanChange
    query = select_columns(col(row.organization_id), col(row.number), col(row.plan), col(row.at), col(row.recorded_at))
    query = query.where(among(dialect, row.organization_id, "owners"))
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
    return tuple(as_action([getattr(row, name) for name in ACTION_COLUMNS[2:]]) for row in rows)


def as_action(values: Sequence[Any]) -> Action:
    """The engine's fact of what ACTION_COLUMNS names after organization and metric."""
    kind, at, number, grant_id, refunded_cents, quantity, status, amount_cents, dispute_id = values
    if kind == "void":
        return Void(at, number, grant_id)
    if kind == "refund":
        return Refund(at, number, grant_id, refunded_cents or 0)
    if kind == "convert":
        return Conversion(at, number, grant_id, quantity or 0)
    return Dispute(at, number, grant_id, DisputeStatus(status), amount_cents, dispute_id)
