"""The engine's state kept at a period's turn, and the facts that came since (decision 27)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Delete, Select, Text, bindparam, delete, func, select
from sqlmodel import Session, col

from billing_app.domain.common.moments import AHEAD
from billing_app.domain.credits.facts import Action, Grant
from billing_app.domain.credits.snapshots import Kept, Snapshot
from billing_app.store.common import columns
from billing_app.store.common.questions import OfMetric, grouped, metric_values, of_metrics
from billing_app.store.common.statements import upsert_on
from billing_app.store.credits.grants import ACTION_COLUMNS, GRANT_COLUMNS, as_action
from billing_app.store.tables.base import Big, Moment
from billing_app.store.tables.credits import EngineSnapshot, GrantAction, GrantRow, GrantSnapshot, LedgerEntry
from billing_app.store.usage.new_events import MeterKey

METRIC = {"owner": Big, "name": Text()}
"""The columns by which rows of a metric are looked up."""

OF_METRIC = "found.organization_id = given.owner AND found.metric = given.name"


@dataclass(frozen=True, slots=True)
class Stored:
    """A metric's snapshot without its positions, and how many facts it is made of.

    `grants_now` and `actions_now` are how many are dated until `at` as is known now. Entries of the ledger up to
    `ledger_number` were recorded before it.
    """

    at: datetime
    rules: str
    head: Kept
    grants: int
    actions: int
    ledger_number: int
    grants_now: int
    actions_now: int

    def holds(self, rules: str) -> bool:
        """Whether it is of these rules, and nothing was recorded since that is dated before it; usage removes it."""
        return (self.rules, self.grants, self.actions) == (rules, self.grants_now, self.actions_now)


@dataclass(frozen=True, slots=True)
class Latest(OfMetric):
    """The snapshot of a metric; None where there is none."""

    @classmethod
    def answer(cls, session: Session, asked: Sequence[Latest]) -> list[Stored | None]:
        """One statement, whatever the number of organizations."""
        dialect = session.get_bind().dialect.name
        rows: Iterable[Any] = session.connection().execute(_latest(dialect), metric_values(dialect, asked))
        stored: dict[MeterKey, Stored] = {}
        for row in rows:
            owner, metric, at, rules, head, *counts = list[Any](row)
            stored[owner, metric] = Stored(at, rules, json.loads(head), *counts)
        return [stored.get(each.key) for each in asked]


@cache
def _latest(dialect: str) -> Select[Any]:
    row = EngineSnapshot

    def until(fact: Any, moment: Any) -> Any:
        of_it = (col(fact.organization_id) == col(row.organization_id), col(fact.metric) == col(row.metric))
        return select(func.count()).where(*of_it, moment <= col(row.at)).correlate(row).scalar_subquery()

    return select(
        col(row.organization_id), col(row.metric), col(row.at), col(row.rules), col(row.head), col(row.grants),
        col(row.actions), col(row.ledger_number),
        until(GrantRow, col(GrantRow.effective_at)), until(GrantAction, col(GrantAction.at)),
    ).where(*of_metrics(dialect, row))  # fmt: skip


@dataclass(frozen=True, slots=True)
class OfMetricSince(OfMetric):
    """A question about what is dated after `since`."""

    since: datetime


@dataclass(frozen=True, slots=True)
class ActionsSince(OfMetricSince):
    """What happened to a metric's grants after `since`, as the engine's facts."""

    @classmethod
    def answer(cls, session: Session, asked: Sequence[ActionsSince]) -> list[tuple[Action, ...]]:
        """One statement, whatever the number of organizations."""
        groups = _dated_after(session, GrantAction, "at", asked, ACTION_COLUMNS)
        return [tuple(as_action(row[2:]) for row in rows) for rows in groups]


@dataclass(frozen=True, slots=True)
class GrantsSince(OfMetricSince):
    """A metric's grants that begin after `since`, as the engine's facts."""

    @classmethod
    def answer(cls, session: Session, asked: Sequence[GrantsSince]) -> list[tuple[Grant, ...]]:
        """One statement, whatever the number of organizations."""
        groups = _dated_after(session, GrantRow, "effective_at", asked, GRANT_COLUMNS)
        return [tuple(Grant(*row[2:]) for row in rows) for rows in groups]


def _dated_after(
    session: Session, table: Any, moment: str, asked: Sequence[OfMetricSince], wanted: tuple[str, ...]
) -> list[list[Any]]:
    given = [(*each.key, each.since) for each in asked]
    found = _found(session, table, {"since": Moment()}, given, f"found.{moment} > given.since", wanted)
    return grouped(found, [each.key for each in asked])


@dataclass(frozen=True, slots=True)
class RecentBuckets(OfMetric):
    """The buckets of a metric's ledger that have entries after this number."""

    number: int

    @classmethod
    def answer(cls, session: Session, asked: Sequence[RecentBuckets]) -> list[frozenset[str]]:
        """One statement, whatever the number of organizations."""
        given = [(*each.key, each.number) for each in asked]
        names = ("organization_id", "metric", "bucket")
        found = _found(session, LedgerEntry, {"number": Big}, given, "found.number > given.number", names)
        return [frozenset(row[2] for row in rows) for rows in grouped(found, [each.key for each in asked])]


@dataclass(frozen=True, slots=True)
class Positions(OfMetric):
    """Where the credits of a metric's open grants were, and of those that are named; with the grants, by id."""

    named: frozenset[str]

    @classmethod
    def answer(cls, session: Session, asked: Sequence[Positions]) -> list[dict[str, tuple[Grant, Kept]]]:
        """Three statements, whatever the number of organizations."""
        kept = ("organization_id", "metric", "grant_id", "position")
        still_open = _found(session, GrantSnapshot, {}, [each.key for each in asked], "NOT found.closed", kept)
        named = [(*each.key, grant_id) for each in asked for grant_id in each.named]
        if named:
            still_open += _found(session, GrantSnapshot, {"id": Text()}, named, "found.grant_id = given.id", kept)
        positions = {(owner, grant_id): json.loads(position) for owner, _, grant_id, position in still_open}
        wanted = [(owner, metric, grant_id) for owner, metric, grant_id, _ in still_open]
        found = _found(session, GrantRow, {"id": Text()}, wanted, "found.id = given.id", GRANT_COLUMNS)
        groups = grouped(found, [each.key for each in asked])
        return [{row[2]: (Grant(*row[2:]), positions[row[0], row[2]]) for row in rows} for rows in groups]


def kept_positions(session: Session, organization_id: int, metric: str) -> dict[str, tuple[bool, Kept]]:
    """Of each grant of a metric that is kept: whether it is closed, and its position. For whoever verifies them."""
    row = GrantSnapshot
    query = select(col(row.grant_id), col(row.closed), col(row.position))
    rows = session.connection().execute(
        query.where(col(row.organization_id) == organization_id, col(row.metric) == metric)
    )
    return {grant_id: (closed, json.loads(position)) for grant_id, closed, position in rows}


def _found(
    session: Session,
    table: Any,
    more: Mapping[str, Any],
    given: Sequence[tuple[Any, ...]],
    fits: str,
    wanted: tuple[str, ...],
) -> list[tuple[Any, ...]]:
    """What is wanted of a metric's rows that fit; `given` names organization, metric and what `more` says."""
    if not given:
        return []
    session.flush()
    kinds = {**METRIC, **more}
    return columns.fitting(session, table, kinds, list(zip(*given, strict=True)), f"{OF_METRIC} AND {fits}", wanted)


@dataclass(frozen=True, slots=True)
class New:
    """A snapshot that is to be kept of a metric, and how many grants and actions are dated until it.

    It goes on from the one before, or is of the `whole` history.
    """

    organization_id: int
    metric: str
    snapshot: Snapshot
    grants: int
    actions: int
    whole: bool


def keep(session: Session, new: Sequence[New]) -> None:
    """Keeps snapshots in the place of those that were there."""
    heads: list[dict[str, Any]] = []
    positions: list[tuple[Any, ...]] = []
    for each in new:
        owner, metric, snapshot = each.organization_id, each.metric, each.snapshot
        heads.append({
            "organization_id": owner, "metric": metric, "at": snapshot.at, "rules": snapshot.rules,
            "grants": each.grants, "actions": each.actions, "head": _json(snapshot.head),
            "owner": owner, "name": metric, "before": snapshot.at - AHEAD,
        })  # fmt: skip
        positions += [
            (owner, grant_id, metric, grant_id in snapshot.closed, _json(position))
            for grant_id, position in snapshot.positions.items()
        ]
    if not heads:
        return
    whole = [{"owner": each.organization_id, "name": each.metric} for each in new if each.whole]
    if whole:
        session.connection().execute(_forget_positions(), whole)
    session.connection().execute(_keep(session.get_bind().dialect.name), heads)
    if positions:
        columns.merge(
            session, GrantSnapshot, ("organization_id", "grant_id", "metric", "closed", "position"),
            list(zip(*positions, strict=True)), ("organization_id", "grant_id"),
            "closed = excluded.closed, position = excluded.position",
        )  # fmt: skip


@cache
def _forget_positions() -> Delete:
    """Those of a snapshot that was removed may be of later than the one that is kept now."""
    row = GrantSnapshot
    return delete(row).where(col(row.organization_id) == bindparam("owner"), col(row.metric) == bindparam("name"))


def _json(value: Kept) -> str:
    return json.dumps(value, separators=(",", ":"))


@cache
def _keep(dialect: str) -> Any:
    row, entry = EngineSnapshot, LedgerEntry
    older = (
        col(entry.organization_id) == bindparam("owner", type_=Big),
        col(entry.metric) == bindparam("name"),
        col(entry.recorded_at) < bindparam("before", type_=Moment()),
    )
    number = select(func.coalesce(func.max(col(entry.number)), 0)).where(*older).scalar_subquery()
    names = ("organization_id", "metric", "at", "rules", "grants", "actions", "head")
    statement = upsert_on(dialect, row).values({name: bindparam(name) for name in names} | {"ledger_number": number})
    changed = {name: statement.excluded[name] for name in (*names[2:], "ledger_number")}
    return statement.on_conflict_do_update(index_elements=["organization_id", "metric"], set_=changed)


def drop_one(session: Session, organization_id: int, metric: str) -> None:
    """It is no longer right."""
    row = EngineSnapshot
    session.connection().execute(
        delete(row).where(col(row.organization_id) == organization_id, col(row.metric) == metric)
    )
