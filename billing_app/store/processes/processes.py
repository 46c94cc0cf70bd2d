"""Queries on processes and on what is switched off."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from billing_app.store.tables.processes import Process, SwitchedOff


def process(session: Session, organization_id: int, process_id: UUID, *, lock: bool = False) -> Process | None:
    """One process; with `lock` nobody else changes it until the end of the transaction."""
    query = select(Process).where(Process.organization_id == organization_id, Process.id == process_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.exec(query).one_or_none()


def page(
    session: Session, organization_id: int, limit: int, *, state: str = "", before: UUID | None = None
) -> list[Process]:
    """The newest first, beginning after `before`."""
    query = select(Process).where(Process.organization_id == organization_id)
    if state:
        query = query.where(Process.state == state)
    if before is not None:
        query = query.where(col(Process.id) < before)
    return list(session.exec(query.order_by(col(Process.id).desc()).limit(limit)))


def count(session: Session, organization_ids: Collection[int], state: str) -> int:
    """How many there are of these organizations together."""
    query = select(func.count()).select_from(Process)
    return session.exec(query.where(col(Process.organization_id).in_(organization_ids), Process.state == state)).one()


def largest_census(session: Session, organization_ids: Collection[int], state: str) -> int:
    """Voters of the largest one; 0 without any."""
    query = select(func.max(Process.census))
    found = session.exec(query.where(col(Process.organization_id).in_(organization_ids), Process.state == state))
    return found.one() or 0


def switched_off(session: Session, organization_id: int) -> list[SwitchedOff]:
    """What an admin has switched off."""
    return list(session.exec(select(SwitchedOff).where(SwitchedOff.organization_id == organization_id)))


def switch(session: Session, organization_id: int, kind: str, name: str, at: datetime, *, on: bool) -> None:
    """Notes that something is switched off, or no longer."""
    row = SwitchedOff
    session.exec(
        delete(row).where(col(row.organization_id) == organization_id, col(row.kind) == kind, col(row.name) == name)
    )
    if not on:
        session.add(SwitchedOff(organization_id=organization_id, kind=kind, name=name, at=at))
        session.flush()
