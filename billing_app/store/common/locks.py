"""Locks, and the moment of whoever holds one (credits.md, fine point 17; docs/decisions/0017).

Whoever waited for a lock has read its clock, and perhaps balances, before it waited. So taking a lock answers the
moment of the operation: read after the wait, and never earlier than the latest one recorded under that lock. From then
on the transaction reads every row as it stands, not as it was when it was first looked at (`Database` sees to that).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from billing_app.db import CLOCK, HELD
from billing_app.domain.common.moments import latest
from billing_app.store.common.questions import among, listed
from billing_app.store.tables.organizations import Organization

MOMENT = "moment"
"""In `Session.info`: the moment of this transaction, once it holds a lock."""


DEADLOCK = "40P01"
"""PostgreSQL's code for one of several that wait for each other: all that its transaction did is undone."""


def is_deadlock(error: SQLAlchemyError) -> bool:
    """Whether a transaction was undone for the sake of another, so that it may be tried again at once."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == DEADLOCK


def hold(session: Session, organization_id: int, now: datetime) -> datetime:
    """Locks an organization's row until the transaction ends, and answers the moment of the operation."""
    return hold_row(session, organization_id, now)[1]


def hold_row(session: Session, organization_id: int, now: datetime) -> tuple[Organization, datetime]:
    """The same with the row as it stands: whoever numbers an organization's facts, or counts what it has, holds this.

    Rows that only refer to it (usage events) may be written meanwhile: FOR NO KEY UPDATE.
    """
    query = select(Organization).where(Organization.id == organization_id).with_for_update(key_share=True)
    row = session.exec(query.execution_options(populate_existing=True)).one()
    moment = moment_of(session, ("organization", organization_id), now, row.held_at)
    if row.held_at != moment:
        row.held_at = moment
        session.add(row)
    return row, moment


def hold_rows(session: Session, organization_ids: Sequence[int], now: datetime) -> tuple[list[Organization], datetime]:
    """The same for many, locked by id, with the one moment of all of them."""
    dialect = session.get_bind().dialect.name
    query = select(Organization).where(among(dialect, col(Organization.id), "owners")).order_by(col(Organization.id))
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    rows = list(session.exec(query, params={"owners": listed(dialect, organization_ids)}))
    moment = now
    for row in rows:
        moment = moment_of(session, ("organization", row.id), moment, row.held_at)
    behind = [row for row in rows if row.held_at != moment]
    if behind:
        held = update(Organization).where(among(dialect, col(Organization.id), "owners")).values(held_at=moment)
        values = {"owners": listed(dialect, [row.pk for row in behind])}
        session.connection().execute(held, values, execution_options={"synchronize_session": False})
        for row in behind:
            set_committed_value(row, "held_at", moment)
    return rows, moment


def share(session: Session, organization_ids: Iterable[int]) -> None:
    """Waits for whoever holds the rows of these organizations, and lets nobody hold them until the transaction ends.

    Several may share them. To be taken before any meter, as `hold` is.
    """
    dialect = session.get_bind().dialect.name
    query = select(Organization.id).where(among(dialect, col(Organization.id), "owners")).order_by(col(Organization.id))
    session.exec(query.with_for_update(read=True), params={"owners": listed(dialect, organization_ids)}).all()


def moment_of(session: Session, lock: Hashable, now: datetime, *recorded: datetime | None) -> datetime:
    """The moment of whoever has just got `lock`, under which the moments `recorded` were written.

    `now` is what the caller had read before; where the transaction has no clock (a story of the past, a test) it is
    taken as read under the lock. A lock that is held already is not waited for, so the clock is not read again.
    """
    held: set[Hashable] = session.info.setdefault(HELD, set())
    clock: Callable[[], datetime] | None = session.info.get(CLOCK)
    read = now if lock in held or clock is None else max(now, clock())
    held.add(lock)
    session.info[MOMENT] = latest(read, session.info.get(MOMENT), *recorded)
    return session.info[MOMENT]


def moment(session: Session, now: datetime) -> datetime:
    """The moment of this transaction where a callee has taken its locks; `now` while it holds none."""
    return latest(now, session.info.get(MOMENT))
