"""Queries on overrides."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from billing_app.store.tables.organizations import OrganizationOverride


def in_force(session: Session, organization_id: int, now: datetime, kind: str = "") -> list[OrganizationOverride]:
    """What holds at `now`, by kind and name."""
    row = OrganizationOverride
    query = select(row).where(
        row.organization_id == organization_id,
        row.starts_at <= now,
        or_(col(row.ends_at).is_(None), col(row.ends_at) > now),
        or_(col(row.ended_at).is_(None), col(row.ended_at) > now),
    )
    if kind:
        query = query.where(row.kind == kind)
    return list(session.exec(query.order_by(row.kind, row.name)))


def every(session: Session, organization_id: int) -> list[OrganizationOverride]:
    """All that ever were, the newest first."""
    query = select(OrganizationOverride).where(OrganizationOverride.organization_id == organization_id)
    return list(session.exec(query.order_by(col(OrganizationOverride.id).desc())))


def get(session: Session, organization_id: int, override_id: UUID) -> OrganizationOverride | None:
    """One override."""
    return session.get(OrganizationOverride, (organization_id, override_id))


def end(session: Session, organization_id: int, kind: str, name: str, now: datetime) -> None:
    """Ends whatever holds of this kind and name, or would later."""
    row = OrganizationOverride
    statement = update(row).where(
        col(row.organization_id) == organization_id,
        col(row.kind) == kind,
        col(row.name) == name,
        col(row.ended_at).is_(None),
        or_(col(row.ends_at).is_(None), col(row.ends_at) > now),
    )
    session.exec(statement.values(ended_at=now).execution_options(synchronize_session="fetch"))
