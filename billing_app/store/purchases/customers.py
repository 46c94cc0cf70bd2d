"""Queries on whose a customer at Stripe is, or was."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from billing_app.store.common.statements import upsert
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.stripe import FormerCustomer, StripeCustomer


def organization_of(session: Session, customer_id: str) -> Organization | None:
    """The organization whose customer this is, or was before it was deleted at Stripe."""
    if not customer_id:
        return None
    now = session.exec(select(Organization).where(Organization.stripe_customer_id == customer_id)).first()
    if now is not None:
        return now
    former = _former(session, customer_id)
    return None if former is None else session.get(Organization, former.organization_id)


def _former(session: Session, customer_id: str) -> FormerCustomer | None:
    return session.exec(select(FormerCustomer).where(FormerCustomer.customer_id == customer_id)).first()


def former(session: Session, organization: Organization) -> list[FormerCustomer]:
    """The customers that an organization had before, newest first."""
    query = select(FormerCustomer).where(FormerCustomer.organization_id == organization.pk)
    return list(session.exec(query.order_by(col(FormerCustomer.gone_at).desc(), col(FormerCustomer.customer_id))))


def is_of(session: Session, organization: Organization, customer_id: str) -> bool:
    """Whether this is the organization's customer, or was."""
    if organization.stripe_customer_id == customer_id:
        return True
    return session.get(FormerCustomer, (organization.pk, customer_id)) is not None


def adopt(session: Session, organization: Organization, customer_id: str) -> str:
    """Keeps the customer unless the organization has one, or this one was deleted; the one that counts, or empty.

    The organization's row must be locked.
    """
    if organization.stripe_customer_id is None and customer_id and _former(session, customer_id) is None:
        organization.stripe_customer_id = customer_id
        session.add(organization)
    return organization.stripe_customer_id or ""


def retire(session: Session, organization: Organization, customer_id: str, had: str, now: datetime) -> None:
    """The organization's customer is deleted at Stripe: it has none, and its id is kept. The row must be locked."""
    row = FormerCustomer(customer_id=customer_id, organization_id=organization.pk, gone_at=now, had=had)
    statement = upsert(session, FormerCustomer).values(**row.model_dump()).on_conflict_do_nothing()
    session.connection().execute(statement)
    said = said_of(session, organization.pk)
    if said is not None:
        session.delete(said)
    organization.stripe_customer_id = None
    session.add(organization)
    session.flush()


def said_of(session: Session, organization_id: int) -> StripeCustomer | None:
    """What Stripe was last read to say of an organization's customer; None before it was read."""
    return session.get(StripeCustomer, organization_id, populate_existing=True)


def said_of_all(session: Session, customer_ids: Iterable[str]) -> dict[str, StripeCustomer | None]:
    """The same of these customers, as far as they are organizations' of ours."""
    query = (
        select(Organization.stripe_customer_id, StripeCustomer)
        .join(StripeCustomer, col(StripeCustomer.organization_id) == col(Organization.id), isouter=True)
        .where(col(Organization.stripe_customer_id).in_(set(customer_ids)))
    )
    return {customer_id: said for customer_id, said in session.exec(query) if customer_id is not None}


def unreported(session: Session, limit: int) -> list[FormerCustomer]:
    """Customers that went with something of which no comparison has told yet, oldest first."""
    query = select(FormerCustomer).where(col(FormerCustomer.reported_at).is_(None), FormerCustomer.had != "")
    return list(session.exec(query.order_by(col(FormerCustomer.gone_at)).limit(limit)))
