"""What events about customers and cards do: the little that we keep of them follows Stripe.

We keep an organization's customer id, the name and e-mail of its invoices, and the saved card of its auto top-ups.
Products and prices are found at Stripe by their lookup keys whenever they are needed, so nothing has to follow those;
the sync reports prices that sell what the catalogue does not offer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from billing_app.gateways.payments import Payments
from billing_app.services.common import audit, organizations
from billing_app.services.common.context import Context
from billing_app.services.payments.ownership import Handler, Outcome, Write
from billing_app.services.purchases import customers, saved_cards
from billing_app.store.common import locks
from billing_app.store.purchases import customers as customer_store
from billing_app.store.purchases import reversals as store
from billing_app.store.tables.stripe import InboxEvent


def customer_deleted(payments: Payments, event: InboxEvent) -> Write:
    """The organization has no customer any more: its next purchase makes a new one. Nothing that it has is touched."""
    customer_id = event.object_id

    def write(session: Session, now: datetime) -> Outcome:
        found = customer_store.organization_of(session, customer_id)
        if found is None:
            return Outcome(ours=False)
        customers.forget(Context(session, found, now), customer_id)
        return Outcome(ours=True, organization_id=found.pk)

    return write


def customer_changed(payments: Payments, event: InboxEvent) -> Write:
    """The name or e-mail of its invoices may be another; what else changes of a customer is not kept."""
    found = payments.customer(event.object_id)
    if found is None:
        return customer_deleted(payments, event)

    def write(session: Session, now: datetime) -> Outcome:
        organization = customer_store.organization_of(session, found.id)
        if organization is None:
            return Outcome(ours=False)
        customers.mirror(Context(session, organization, now), found)
        return Outcome(ours=True, organization_id=organization.pk)

    return write


def card_detached(payments: Payments, event: InboxEvent) -> Write:
    """A card was taken off its customer: auto top-ups of whoever had saved it ask for another."""
    card_id = event.object_id

    def write(session: Session, now: datetime) -> Outcome:
        owner = store.owner_of_card(session, card_id)
        if owner is None:
            return Outcome(ours=False)
        now = locks.hold(session, owner, now)
        saved_cards.forget(session, owner, card_id)
        audit.record(session, owner, now, audit.SYSTEM, "card.removed", card_id)
        organizations.raise_revision(session, owner)
        return Outcome(ours=True, organization_id=owner)

    return write


HANDLERS: Mapping[str, Handler] = {
    "customer.deleted": customer_deleted,
    "customer.updated": customer_changed,
    "payment_method.detached": card_detached,
}
"""By type."""
