"""Queries on the audit log."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from billing_app.store.tables.access import ApiKey, AuditEntry, OperatorKey, User


def add(session: Session, entry: AuditEntry) -> None:
    """Writes an entry down, for ever."""
    session.add(entry)
    session.flush()


def page(
    session: Session,
    organization_id: int | None,
    limit: int,
    *,
    before: tuple[datetime, UUID] | None = None,
    action: str = "",
    actor: str = "",
) -> list[AuditEntry]:
    """Entries, the newest first; of one organization or (None) of everything. `action` may be a noun alone."""
    query = select(AuditEntry)
    if organization_id is not None:
        query = query.where(AuditEntry.organization_id == organization_id)
    if action:
        query = query.where(
            or_(col(AuditEntry.action) == action, col(AuditEntry.action).startswith(f"{action}.", autoescape=True))
        )
    if actor:
        query = query.where(AuditEntry.actor == actor)
    if before is not None:
        at, entry_id = before
        query = query.where(or_(col(AuditEntry.at) < at, and_(col(AuditEntry.at) == at, col(AuditEntry.id) < entry_id)))
    return list(session.exec(query.order_by(col(AuditEntry.at).desc(), col(AuditEntry.id).desc()).limit(limit)))


def user_emails(session: Session, ids: set[UUID]) -> dict[UUID, str]:
    """The e-mail addresses of these people."""
    if not ids:
        return {}
    return dict(session.exec(select(User.id, User.email).where(col(User.id).in_(ids))).all())


def key_names(session: Session, ids: set[UUID]) -> dict[UUID, str]:
    """The names of these API keys, organizations' and operators'."""
    found: dict[UUID, str] = {}
    if ids:
        for table in (ApiKey, OperatorKey):
            found |= dict(session.exec(select(table.id, table.name).where(col(table.id).in_(ids))).all())
    return found
