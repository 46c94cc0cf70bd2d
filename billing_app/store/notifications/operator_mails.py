"""Queries on mails to operators."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select

from billing_app.store.common.statements import upsert
from billing_app.store.tables.access import User
from billing_app.store.tables.notifications import OperatorMail


def operators(session: Session) -> list[User]:
    """Everybody who runs the console and has a mailbox: demo people have none."""
    query = select(User).where(col(User.operator), ~col(User.demo))
    return list(session.exec(query.order_by(User.email)))


def add(session: Session, mail: OperatorMail) -> None:
    """A mail, unless this operator has one with this key."""
    session.connection().execute(upsert(session, OperatorMail).values(**mail.model_dump()).on_conflict_do_nothing())


def due(session: Session, now: datetime, created_after: datetime, limit: int) -> list[tuple[OperatorMail, str]]:
    """Mails that are due and no old news yet, those that wait longest first, each with its operator's address."""
    query = (
        select(OperatorMail, User.email)
        .join(User, col(User.id) == col(OperatorMail.user_id))
        .where(col(OperatorMail.next_try_at) <= now, OperatorMail.created_at > created_after, col(User.operator))
    )
    return [(mail, email) for mail, email in session.exec(query.order_by(col(OperatorMail.next_try_at)).limit(limit))]


def claim(session: Session, key: str, user_id: UUID, now: datetime, until: datetime) -> bool:
    """Takes a due mail for this worker until `until`; True for exactly one of any number of workers."""
    statement = (
        update(OperatorMail)
        .where(col(OperatorMail.key) == key, col(OperatorMail.user_id) == user_id, col(OperatorMail.next_try_at) <= now)
        .values(next_try_at=until, tries=col(OperatorMail.tries) + 1)
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount > 0


def one(session: Session, key: str, user_id: UUID) -> OperatorMail | None:
    """One mail as it is now."""
    return session.get(OperatorMail, (key, user_id), populate_existing=True)
