"""Queries over all organizations: what an operator looks for, and what waits to be done."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, tuple_
from sqlmodel import Session, col, select

from billing_app.store.operators import account_issues
from billing_app.store.tables.access import Membership
from billing_app.store.tables.notifications import Delivery, OutboxMessage
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.stripe import FormerCustomer, InboxEvent

Place = tuple[int, str, str]
"""How bad it is (issues.rank), name, address."""


def worst_first(session: Session, text: str, after: Place | None, limit: int) -> list[tuple[Organization, int]]:
    """Organizations whose name or address has `text` in it, or whose customer at Stripe it is or was, with their ranks.

    Those with something wrong come first, then by name; `after` is the last place before.
    """
    rank = account_issues.rank()
    query = select(Organization, rank)
    if text:
        query = query.where(
            or_(
                col(Organization.name).icontains(text, autoescape=True),
                col(Organization.address).icontains(text, autoescape=True),
                col(Organization.stripe_customer_id) == text,
                col(Organization.id).in_(
                    select(FormerCustomer.organization_id).where(FormerCustomer.customer_id == text)
                ),
            )
        )
    if after is not None:
        query = query.where(tuple_(rank, col(Organization.name), col(Organization.address)) > after)
    return list(session.exec(query.order_by(rank, col(Organization.name), col(Organization.address)).limit(limit)))


def member_counts(session: Session, organization_ids: list[int]) -> dict[int, int]:
    """Members of these organizations, invited ones included, in one query."""
    query = (
        select(Membership.organization_id, func.count())
        .where(col(Membership.organization_id).in_(organization_ids))
        .group_by(col(Membership.organization_id))
    )
    return dict.fromkeys(organization_ids, 0) | dict(session.exec(query).all())


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
