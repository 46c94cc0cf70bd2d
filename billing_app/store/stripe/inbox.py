"""Queries on events that came from outside: receiving them, working on them, and what an operator looks for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, tuple_
from sqlmodel import Session, col, select

from billing_app.store.common.statements import upsert
from billing_app.store.tables.organizations import Organization
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


GIVEN_UP = "given_up"
"""The state of a failed event that nobody tries any more."""

MAX_TYPES = 100
"""Types that a filter offers; Stripe has more, but sends only what was asked for."""


def page(
    session: Session,
    *,
    state: str,
    kind: str,
    address: str,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[tuple[InboxEvent, Organization | None]]:
    """Events with their organization, the newest received first; `before` is the last (received at, id) seen."""
    query = select(InboxEvent, Organization).join(
        Organization, col(Organization.id) == col(InboxEvent.organization_id), isouter=True
    )
    if state == GIVEN_UP:
        query = query.where(InboxEvent.state == "failed", col(InboxEvent.next_try_at).is_(None))
    elif state:
        query = query.where(InboxEvent.state == state)
    if kind:
        query = query.where(InboxEvent.type == kind)
    if address:
        query = query.where(Organization.address == address)
    if before is not None:
        query = query.where(tuple_(col(InboxEvent.received_at), col(InboxEvent.id)) < before)
    order = (col(InboxEvent.received_at).desc(), col(InboxEvent.id).desc())
    return [(event, organization) for event, organization in session.exec(query.order_by(*order).limit(limit))]


def one(session: Session, source: str, event_id: str) -> tuple[InboxEvent, Organization | None] | None:
    """An event with its organization."""
    query = (
        select(InboxEvent, Organization)
        .join(Organization, col(Organization.id) == col(InboxEvent.organization_id), isouter=True)
        .where(InboxEvent.source == source, InboxEvent.id == event_id)
    )
    found = session.exec(query).first()
    return None if found is None else (found[0], found[1])


def types(session: Session) -> list[str]:
    """Types that were received, by name."""
    return list(session.exec(select(InboxEvent.type).distinct().order_by(InboxEvent.type).limit(MAX_TYPES)))


def due(session: Session) -> dict[str, int]:
    """How many events wait to be worked on, by state: new ones and failed ones that are tried again."""
    query = (
        select(InboxEvent.state, func.count())
        .where(col(InboxEvent.next_try_at).is_not(None))
        .group_by(col(InboxEvent.state))
    )
    return dict(session.exec(query).all())


def given_up(session: Session) -> int:
    """How many failed events nobody tries any more."""
    query = select(func.count()).where(InboxEvent.state == "failed", col(InboxEvent.next_try_at).is_(None))
    return session.exec(query).one()
