"""Queries on meters and reservations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Boolean, ColumnElement, Select, Update, and_, bindparam, case, func, or_, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from billing_app.domain.common.moments import AHEAD, latest
from billing_app.store.catalogue import versions
from billing_app.store.common import columns, locks, statements
from billing_app.store.common.questions import OfMetric, among, listed, metric_values, of_metrics
from billing_app.store.common.statements import upsert
from billing_app.store.tables.catalogue import CatalogueVersion
from billing_app.store.tables.meters import MeterRow, Reservation
from billing_app.store.usage.new_events import MeterKey


def lock(session: Session, organization_id: int, metric: str, now: datetime) -> MeterRow:
    """The meter, made if it is not there (stale), its row locked until the transaction ends.

    It is made in the turn of the organization and of the catalogue: what marks every meter stale beside it, a change of
    plan or a new catalogue, would not see it.
    """
    values = {"owner": organization_id, "name": metric}
    found = session.exec(_locked(), params=values).first()
    if found is not None:
        return found
    _take_turn(session, organization_id)
    statement = upsert(session, MeterRow).values(_new(organization_id, metric, now))
    session.connection().execute(statement.on_conflict_do_nothing())
    return session.exec(_locked(), params=values).one()


def lock_many(session: Session, meters: Collection[MeterKey], now: datetime) -> list[tuple[MeterKey, datetime | None]]:
    """Meters of any organizations, made and locked as `lock` does, in the order of their keys; when each was watched.

    A few statements, however many there are.
    """
    order = sorted(meters)
    known = {meter for meter, _ in _look_up(session, order, locked=False)}
    missing = [meter for meter in order if meter not in known]
    if missing:
        _take_turn(session, *{owner for owner, _ in missing})
        new = [_new(owner, metric, now) for owner, metric in missing]
        session.connection().execute(upsert(session, MeterRow).on_conflict_do_nothing(), new)
    return _look_up(session, order, locked=True)


def _look_up(session: Session, order: Sequence[MeterKey], *, locked: bool) -> list[tuple[MeterKey, datetime | None]]:
    key = ("organization_id", "metric")
    given = [[meter[place] for meter in order] for place in range(len(key))]
    found = columns.matching(session, MeterRow, key, given, ("watched_at",), locked=locked)
    return [((owner, metric), watched_at) for owner, metric, watched_at in found]


def _new(organization_id: int, metric: str, now: datetime) -> dict[str, Any]:
    return {
        "organization_id": organization_id, "metric": metric, "stale": True, "valid_from": now, "valid_until": now,
        "changed": True, "period": 0, "used": 0, "level": 0, "left": 0, "reserved": 0, "debt": 0, "deficit": 0,
    }  # fmt: skip


def require_turn(session: Session, organization_id: int, metrics: Collection[str]) -> None:
    """Takes the turn in which meters are made, if one of these is yet to be made, before any of them is locked."""
    row = MeterRow
    known = select(func.count()).where(col(row.organization_id) == organization_id, col(row.metric).in_(list(metrics)))
    if session.exec(known).one() < len(metrics):
        _take_turn(session, organization_id)


def _take_turn(session: Session, *organization_ids: int) -> None:
    locks.share(session, organization_ids)
    versions.share(session)


@lru_cache
def _locked() -> SelectOfScalar[MeterRow]:
    query = select(MeterRow).where(
        col(MeterRow.organization_id) == bindparam("owner"), col(MeterRow.metric) == bindparam("name")
    )
    return query.with_for_update().execution_options(populate_existing=True)


def read(session: Session, organization_id: int, metric: str) -> MeterRow | None:
    """The meter as it is, not locked."""
    query = select(MeterRow).where(MeterRow.organization_id == organization_id, MeterRow.metric == metric)
    return session.exec(query.execution_options(populate_existing=True)).first()


def of_organization(session: Session, organization_id: int) -> list[MeterRow]:
    """All meters of an organization, by metric."""
    query = select(MeterRow).where(MeterRow.organization_id == organization_id).order_by(col(MeterRow.metric))
    return list(session.exec(query.execution_options(populate_existing=True)))


class Meter(NamedTuple):
    """A meter as it was when its row was locked (see `MeterRow`)."""

    organization_id: int
    metric: str
    stale: bool
    valid_until: datetime
    watched_at: datetime | None
    posted_at: datetime | None
    post_due_at: datetime | None
    changed: bool


def lock_of(session: Session, organization_ids: Sequence[int]) -> list[Meter]:
    """All meters of these organizations, locked in the common order until the transaction ends."""
    dialect = session.get_bind().dialect.name
    found = session.connection().execute(_lock_of(dialect), {"owners": listed(dialect, organization_ids)})
    return [Meter._make(row) for row in found]


@lru_cache
def _lock_of(dialect: str) -> Select[Any]:
    row = MeterRow
    query = select_columns(*(getattr(row, name) for name in Meter._fields))
    query = query.where(among(dialect, row.organization_id, "owners"))
    return query.order_by(col(row.organization_id), col(row.metric)).with_for_update()


@dataclass(frozen=True, slots=True)
class Rows(OfMetric):
    """The row of a meter that is locked, to be computed anew."""

    @classmethod
    def answer(cls, session: Session, asked: Sequence[Rows]) -> list[MeterRow]:
        """One statement, whatever the number of organizations."""
        dialect, row = session.get_bind().dialect.name, MeterRow
        query = select(row).where(*of_metrics(dialect, row))
        values = metric_values(dialect, asked)
        found = session.exec(query.execution_options(populate_existing=True), params=values)
        rows = {(row.organization_id, row.metric): row for row in found}
        return [rows[each.organization_id, each.metric] for each in asked]


def posted(session: Session, due: Sequence[tuple[Meter, datetime]], now: datetime) -> None:
    """Notes that the ledgers of these meters are complete up to `now`, and when each is to be looked at again."""
    statements.update(
        session,
        MeterRow,
        ("organization_id", "metric"),
        [
            {
                "organization_id": meter.organization_id,
                "metric": meter.metric,
                "changed": False,
                "posted_at": latest(now, meter.posted_at),
                "post_due_at": due_at,
            }
            for meter, due_at in due
        ],
    )
    for meter, _ in due:
        key = session.identity_key(MeterRow, (meter.organization_id, meter.metric))
        if (row := session.identity_map.get(key)) is not None:
            session.expire(row, ["changed", "posted_at", "post_due_at"])


def lock_all(session: Session, organization_id: int) -> list[MeterRow]:
    """All meters of an organization, locked in the order of their metrics until the transaction ends."""
    query = select(MeterRow).where(MeterRow.organization_id == organization_id).order_by(col(MeterRow.metric))
    return list(session.exec(query.with_for_update().execution_options(populate_existing=True)))


class Figures(NamedTuple):
    """What a decision reads of a meter (see `MeterRow`)."""

    metric: str
    stale: bool
    valid_until: datetime
    watched_at: datetime | None
    allowance: int | None
    used: int
    level: int
    left: int
    reserved: int


def figures(session: Session, organization_id: int) -> tuple[dict[str, Figures], str | None]:
    """The figures of all meters of an organization, not locked, and the digest of the newest catalogue beside them.

    One query, however many are asked about; without any meter the digest is not known.
    """
    found = session.connection().execute(_figures(), {"of_organization": organization_id}).all()
    return {row[0]: Figures._make(row[:-1]) for row in found}, found[0][-1] if found else None


@lru_cache
def _figures() -> Select[Any]:
    columns = [getattr(MeterRow, name) for name in Figures._fields]
    newest = select_columns(col(CatalogueVersion.digest)).order_by(col(CatalogueVersion.version).desc()).limit(1)
    return select_columns(*columns, newest.scalar_subquery()).where(
        col(MeterRow.organization_id) == bindparam("of_organization")
    )


def mark_stale(session: Session, organization_id: int, metrics: Iterable[str] | None = None) -> None:
    """Facts changed that only the engine can follow: the meters are computed anew before they are used."""
    statement = update(MeterRow).where(col(MeterRow.organization_id) == organization_id)
    if metrics is not None:
        statement = statement.where(col(MeterRow.metric).in_(list(metrics)))
    session.connection().execute(statement.values(stale=True, changed=True))


def mark_many_stale(session: Session, meters: Collection[MeterKey], changed: Collection[MeterKey]) -> None:
    """The same of meters of any organizations, of which some have `changed`: the ledger is behind these."""
    if meters:
        rows = [{"owner": each[0], "name": each[1], "now_changed": each in changed} for each in sorted(meters)]
        session.connection().execute(_mark_stale(), rows)


@lru_cache
def _mark_stale() -> Update:
    row = MeterRow
    this = (col(row.organization_id) == bindparam("owner"), col(row.metric) == bindparam("name"))
    changed = or_(col(row.changed), bindparam("now_changed", type_=Boolean))
    return update(row).where(*this).values(stale=True, changed=changed)


def mark_all_stale(session: Session) -> None:
    """The catalogue changed: every meter is computed anew before it is used."""
    session.connection().execute(update(MeterRow).values(stale=True, changed=True))


def is_due(meter: Any, as_of: datetime) -> ColumnElement[bool]:
    """A fact was recorded, or a boundary passed, since the meter's ledger was posted; or a wrong clock was at it."""
    due = (col(meter.changed), col(meter.post_due_at).is_(None), col(meter.post_due_at) <= as_of)
    return or_(*due, is_ahead(meter, as_of))


def is_ahead(meter: Any, as_of: datetime) -> ColumnElement[bool]:
    """The meter, or its ledger, was brought to a moment that only a clock that was wrong can have said."""
    return or_(
        *(and_(col(each).is_not(None), col(each) > as_of + AHEAD) for each in (meter.watched_at, meter.posted_at))
    )


def due(session: Session, as_of: datetime, after: int, limit: int) -> list[int]:
    """Organizations, by id after `after`, whose ledger is behind: new facts, or a boundary passed since."""
    query = (
        select(MeterRow.organization_id)
        .where(MeterRow.organization_id > after)
        .where(is_due(MeterRow, as_of))
        .distinct()
        .order_by(col(MeterRow.organization_id))
        .limit(limit)
    )
    return list(session.exec(query))


class Held(NamedTuple):
    """What open reservations hold of a metric, and when the first of them runs out (fine point 12)."""

    quantity: int
    first_end: datetime | None


@dataclass(frozen=True, slots=True)
class Reserved(OfMetric):
    """What is held of a metric at `now`."""

    now: datetime

    @property
    def alike(self) -> datetime:
        """Those of one moment are answered together."""
        return self.now

    @classmethod
    def answer(cls, session: Session, asked: Sequence[Reserved]) -> list[Held]:
        """One statement, whatever the number of organizations."""
        dialect, keys = session.get_bind().dialect.name, [each.key for each in asked]
        values = {
            **metric_values(dialect, asked),
            "now": asked[0].now,
        }
        found = session.connection().execute(_reserved(dialect), values)
        held = {(owner, metric): Held(int(total or 0), first_end) for owner, metric, total, first_end in found}
        return [held.get(key, Held(0, None)) for key in keys]


def reserved(session: Session, organization_id: int, metric: str, now: datetime) -> Held:
    """The same of one metric."""
    return Reserved.answer(session, [Reserved(organization_id, metric, now)])[0]


@lru_cache
def _reserved(dialect: str) -> Select[int, str, int, datetime]:
    row = Reservation
    names = (col(row.organization_id), col(row.metric))
    return (
        select_columns(*names, func.sum(row.quantity), func.min(row.holds_until))
        .where(
            *of_metrics(dialect, row),
            col(row.opened_at) <= bindparam("now"),
            col(row.holds_until) > bindparam("now"),
            col(row.closed_at).is_(None),
        )
        .group_by(*names)
    )


def reserved_by_metric(session: Session, organization_id: int, now: datetime) -> tuple[dict[str, int], datetime | None]:
    """What is held of each metric at `now`, and when any of it is next another quantity by itself, in one query."""
    found = session.connection().execute(_reserved_by_metric(), {"owner": organization_id, "now": now}).all()
    changes = [at for _, _, at in found if at is not None]
    return {metric: int(total or 0) for metric, total, _ in found}, min(changes, default=None)


@lru_cache
def _reserved_by_metric() -> Select[str, int, datetime]:
    row = Reservation
    begun = col(row.opened_at) <= bindparam("now")  # another process' clock may be ahead of ours
    return (
        select_columns(
            col(row.metric),
            func.sum(case((begun, row.quantity), else_=0)),
            func.min(case((begun, row.holds_until), else_=row.opened_at)),
        )
        .where(
            col(row.organization_id) == bindparam("owner"),
            col(row.holds_until) > bindparam("now"),
            col(row.closed_at).is_(None),
        )
        .group_by(col(row.metric))
    )


def count_reserved(session: Session, organization_id: int, metric: str, now: datetime) -> int:
    """How many reservations are open."""
    query = select(func.count()).select_from(Reservation)
    return session.exec(
        query.where(
            Reservation.organization_id == organization_id,
            Reservation.metric == metric,
            Reservation.holds_until > now,
            col(Reservation.closed_at).is_(None),
        )
    ).one()


def reservation(session: Session, organization_id: int, reservation_id: str) -> Reservation | None:
    """One reservation, whatever became of it."""
    return session.get(Reservation, (organization_id, reservation_id), populate_existing=True)
