"""Queries on what waits to be done, over all organizations: cheap enough to be asked every few seconds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from billing_app.store.tables.notifications import Delivery, OutboxMessage
from billing_app.store.tables.stripe import InboxEvent

Waiting = tuple[int, datetime | None]
"""How many, and since when the first of them."""


def inbox(session: Session, now: datetime) -> Waiting:
    """Events of Stripe that are due."""
    due = col(InboxEvent.next_try_at) <= now
    return session.exec(select(func.count(), func.min(InboxEvent.next_try_at)).where(due)).one()


def messages(session: Session) -> Waiting:
    """Messages that nobody has fanned out."""
    waiting = col(OutboxMessage.fanned_out_at).is_(None)
    return session.exec(select(func.count(), func.min(OutboxMessage.recorded_at)).where(waiting)).one()


def deliveries(session: Session, now: datetime) -> Waiting:
    """Deliveries that are due."""
    due = col(Delivery.next_try_at) <= now
    return session.exec(select(func.count(), func.min(Delivery.next_try_at)).where(due)).one()
