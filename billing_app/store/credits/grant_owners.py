"""Whose grant an id names: operators know grants by their id alone."""

from __future__ import annotations

from sqlmodel import Session, select

from billing_app.store.tables.credits import GrantRow


def owner(session: Session, grant_id: str) -> int | None:
    """The organization that has the grant; ids are random, so there is at most one."""
    return session.exec(select(GrantRow.organization_id).where(GrantRow.id == grant_id)).first()
