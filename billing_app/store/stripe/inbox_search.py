"""Queries over the inbox: what an operator looks for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, tuple_
from sqlmodel import Session, col, select

from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.stripe import InboxEvent

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
