"""Queries on leases and runs of jobs."""

from __future__ import annotations

import os
import secrets
import socket
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from billing_app.domain.common.errors import ConflictError
from billing_app.domain.common.moments import AHEAD
from billing_app.store.common.statements import upsert
from billing_app.store.tables.runs import Lease, RecountRun

LEASE_TIME = timedelta(seconds=20)
"""How long a holder that died keeps others out: many times a batch, short enough to wait for."""


def new_holder() -> str:
    """Names this process as a holder of leases: machine, process, and a random part because ids are used again."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def take_lease(session: Session, name: str, holder: str, now: datetime) -> None:
    """Takes or renews a lease. Raises ConflictError `lease_taken` while another one holds it."""
    statement = upsert(session, Lease).values(name=name, holder=holder, expires_at=now + LEASE_TIME)
    taken = session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": holder, "expires_at": now + LEASE_TIME},
            # One that ends later than any can was taken with a clock that was wrong.
            where=(col(Lease.holder) == holder)
            | (col(Lease.expires_at) <= now)
            | (col(Lease.expires_at) > now + LEASE_TIME + AHEAD),
        )
    )
    if not taken.rowcount:
        raise ConflictError("Another process is at it; it will be done in a moment.", code="lease_taken", retry_after=1)


def release_lease(session: Session, name: str, holder: str) -> None:
    """Gives a lease up, if it is still ours."""
    session.connection().execute(delete(Lease).where(col(Lease.name) == name, col(Lease.holder) == holder))


def lease_holder(session: Session, name: str) -> Lease | None:
    """Who holds a lease."""
    return session.get(Lease, name, populate_existing=True)


def open_run(session: Session, trigger: str, as_of: datetime) -> int:
    """Writes the row of a recount that begins."""
    row = RecountRun(trigger=trigger, as_of=as_of, started_at=as_of)
    session.add(row)
    session.flush()
    return row.id or 0


def close_run(
    session: Session,
    run_id: int,
    now: datetime,
    seen: int,
    changed: int,
    entries: int,
    error: str | None,
    repaired: int = 0,
) -> None:
    """Completes the row of a recount."""
    row = session.get(RecountRun, run_id)
    if row is None:
        return
    row.finished_at = now
    row.organizations_seen, row.organizations_changed, row.entries = seen, changed, entries
    row.duration_ms = int((now - row.started_at) / timedelta(milliseconds=1))
    row.error, row.repaired = error, repaired
    session.add(row)


def last_finished(session: Session) -> RecountRun | None:
    """The latest recount that came to its end without an error."""
    query = select(RecountRun).where(col(RecountRun.finished_at).is_not(None), col(RecountRun.error).is_(None))
    return session.exec(query.order_by(col(RecountRun.as_of).desc()).limit(1)).first()


def recent(session: Session, limit: int) -> list[RecountRun]:
    """The latest recounts, newest first."""
    return list(session.exec(select(RecountRun).order_by(col(RecountRun.id).desc()).limit(limit)))


def page(session: Session, before: int | None, limit: int) -> list[RecountRun]:
    """Recounts, newest first, beginning below the number `before`."""
    query = select(RecountRun)
    if before is not None:
        query = query.where(col(RecountRun.id) < before)
    return list(session.exec(query.order_by(col(RecountRun.id).desc()).limit(limit)))
