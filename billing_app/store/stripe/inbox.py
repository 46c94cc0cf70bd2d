"""Queries on events that came from outside."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from billing_app.store.common.upserts import upsert
from billing_app.store.tables.stripe import InboxEvent


def insert(session: Session, event: InboxEvent) -> bool:
    """Stores an event unless it is there; answers whether it was new."""
    statement = upsert(session, InboxEvent).values(**event.model_dump()).on_conflict_do_nothing()
    return session.connection().execute(statement).rowcount > 0


def event(session: Session, source: str, event_id: str) -> InboxEvent | None:
    """An event as it is in the database now."""
    return session.get(InboxEvent, (source, event_id), populate_existing=True)


def next_due(session: Session, subject: str, now: datetime) -> InboxEvent | None:
    """The earliest event of a subject that is due."""
    query = select(InboxEvent).where(InboxEvent.subject == subject, col(InboxEvent.next_try_at) <= now)
    return session.exec(query.order_by(col(InboxEvent.created_at), col(InboxEvent.received_at)).limit(1)).first()


def due_subjects(session: Session, now: datetime, limit: int) -> list[str]:
    """Whom due events are about, each once."""
    query = select(InboxEvent.subject).where(col(InboxEvent.next_try_at) <= now)
    return list(session.exec(query.distinct().order_by(InboxEvent.subject).limit(limit)))


def latest(session: Session, limit: int, state: str = "") -> list[InboxEvent]:
    """The events received last, newest first; those of one state, if told."""
    query = select(InboxEvent)
    if state:
        query = query.where(InboxEvent.state == state)
    return list(session.exec(query.order_by(col(InboxEvent.received_at).desc()).limit(limit)))
