"""Queries about browser sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from billing_app.store.tables.access import BrowserSession, User


def by_hash(session: Session, token_hash: str) -> tuple[BrowserSession, User] | None:
    """The session and whose it is, expired or not."""
    query = (
        select(BrowserSession, User)
        .join(User, col(User.id) == col(BrowserSession.user_id))
        .where(BrowserSession.token_hash == token_hash)
    )
    return session.exec(query).first()


def seen(session: Session, token_hash: str, now: datetime) -> None:
    """Notes that the session was in use. Never moves the moment back."""
    session.exec(
        update(BrowserSession)
        .where(col(BrowserSession.token_hash) == token_hash, col(BrowserSession.seen_at) < now)
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )


def end(session: Session, token_hash: str) -> None:
    """Deletes one session."""
    session.exec(delete(BrowserSession).where(col(BrowserSession.token_hash) == token_hash))


def end_all_of(session: Session, user_id: UUID) -> None:
    """Deletes every session of a user."""
    session.exec(delete(BrowserSession).where(col(BrowserSession.user_id) == user_id))
