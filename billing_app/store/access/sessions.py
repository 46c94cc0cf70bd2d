"""Queries about browser sessions."""

from __future__ import annotations

from collections.abc import Sequence
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


def among(session: Session, hashes: Sequence[str]) -> Sequence[tuple[BrowserSession, User]]:
    """Those of these sessions that are there, and whose they are, expired or not."""
    query = (
        select(BrowserSession, User)
        .join(User, col(User.id) == col(BrowserSession.user_id))
        .where(col(BrowserSession.token_hash).in_(hashes))
    )
    return session.exec(query).all()


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


def keep_newest(session: Session, user_id: UUID, count: int) -> None:
    """Deletes the sessions of a user but the `count` that were opened last."""
    kept = (
        select(BrowserSession.token_hash)
        .where(BrowserSession.user_id == user_id)
        .order_by(col(BrowserSession.created_at).desc(), col(BrowserSession.token_hash))
        .limit(count)
    )
    session.exec(
        delete(BrowserSession)
        .where(col(BrowserSession.user_id) == user_id, col(BrowserSession.token_hash).not_in(kept))
        .execution_options(synchronize_session=False)
    )
