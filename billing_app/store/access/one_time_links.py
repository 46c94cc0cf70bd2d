"""Queries about one-time links."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from billing_app.store.tables.access import OneTimeLink


def live(session: Session, token_hash: str, kind: str, now: datetime) -> OneTimeLink | None:
    """The link if it may still be used."""
    query = select(OneTimeLink).where(
        OneTimeLink.token_hash == token_hash,
        OneTimeLink.kind == kind,
        OneTimeLink.expires_at > now,
        col(OneTimeLink.used_at).is_(None),
    )
    return session.exec(query).first()


def use(session: Session, token_hash: str, kind: str, now: datetime) -> bool:
    """Marks the link used. True for exactly one of any number of callers."""
    statement = (
        update(OneTimeLink)
        .where(
            col(OneTimeLink.token_hash) == token_hash,
            col(OneTimeLink.kind) == kind,
            col(OneTimeLink.expires_at) > now,
            col(OneTimeLink.used_at).is_(None),
        )
        .values(used_at=now)
        .returning(col(OneTimeLink.token_hash))
        .execution_options(synchronize_session=False)
    )
    return session.exec(statement).first() is not None


def drop(session: Session, kind: str, user_id: UUID | None = None, organization_id: int | None = None) -> None:
    """Deletes the links of a kind, for one user and organization if they are named: the next one replaces them."""
    statement = delete(OneTimeLink).where(col(OneTimeLink.kind) == kind)
    if user_id is not None:
        statement = statement.where(col(OneTimeLink.user_id) == user_id)
    if organization_id is not None:
        statement = statement.where(col(OneTimeLink.organization_id) == organization_id)
    session.exec(statement)


def keep_newest(session: Session, kind: str, user_id: UUID, organization_id: int, most: int) -> None:
    """Deletes all but the newest `most` unused links of a kind that one person has of one organization."""
    theirs = (
        (col(OneTimeLink.kind) == kind)
        & (col(OneTimeLink.user_id) == user_id)
        & (col(OneTimeLink.organization_id) == organization_id)
        & col(OneTimeLink.used_at).is_(None)
    )
    older = select(OneTimeLink.token_hash).where(theirs).order_by(col(OneTimeLink.created_at).desc()).offset(most)
    found = list(session.exec(older))
    if found:
        session.exec(delete(OneTimeLink).where(col(OneTimeLink.token_hash).in_(found)))
