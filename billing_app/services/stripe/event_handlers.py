"""What each type of Stripe's events does (docs/stripe.md).

A handler reads the object from Stripe anew, outside of any transaction, and answers a function that writes what that
reading means. It never trusts the event's own copy of the object, which may be old, beyond its id.

Of a customer we keep the id, the name and e-mail of its invoices, and the saved card of its auto top-ups: those follow
Stripe. Products and prices are found there by their lookup keys whenever they are needed, so nothing has to follow
those; the sync reports prices that sell what the catalogue does not offer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from billing_app.gateways.payments import Payments
from billing_app.services.common import audit, organizations
from billing_app.services.common.context import Context
from billing_app.services.payments.ownership import Handler, Outcome, Write
from billing_app.services.purchases import customers, fulfilment, saved_cards, subscription_events
from billing_app.services.reversals import reversals
from billing_app.store.common import locks
from billing_app.store.purchases import customers as customer_store
from billing_app.store.purchases import reversals as store
from billing_app.store.tables.stripe import InboxEvent


def refund(payments: Payments, event: InboxEvent) -> Write:
    """Money was given back, or it came back to us."""
    return _settled(payments, payments.refund(event.object_id).payment_id, event)


def dispute(payments: Payments, event: InboxEvent) -> Write:
    """A payer's bank took money back, or gave it back to us."""
    return _settled(payments, payments.dispute(event.object_id).payment_id, event)


ENDS = ("refund.failed", "charge.dispute.closed", "charge.dispute.funds_reinstated")
"""Types whose own moment is when the object came to be as it is now."""


def _settled(payments: Payments, payment_id: str, event: InboxEvent) -> Write:
    reading = reversals.read(payments, payment_id)
    happened = event.created_at if event.type in ENDS else None

    def write(session: Session, now: datetime) -> Outcome:
        if reading is None:
            return Outcome(ours=False)
        settled = reversals.settle(session, reading, now, happened)
        return Outcome(settled.organization_id is not None, settled.organization_id)

    return write


REVERSAL_HANDLERS: Mapping[str, Handler] = {
    "refund.created": refund,
    "refund.updated": refund,
    "refund.failed": refund,
    "charge.dispute.created": dispute,
    "charge.dispute.updated": dispute,
    "charge.dispute.closed": dispute,
    "charge.dispute.funds_withdrawn": dispute,
    "charge.dispute.funds_reinstated": dispute,
}


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


CUSTOMER_HANDLERS: Mapping[str, Handler] = {
    "customer.deleted": customer_deleted,
    "customer.updated": customer_changed,
    "payment_method.detached": card_detached,
}


def checkout_session(payments: Payments, event: InboxEvent) -> Write:
    """Paid, failed or expired: the session itself says which."""
    found = payments.checkout(event.object_id)
    if found.setup_id:
        card = payments.saved_card(event.object_id)
        return lambda session, now: saved_cards.settle(session, card, now)

    def write(session: Session, now: datetime) -> Outcome:
        order = fulfilment.settle(session, found, now)
        return Outcome(order is not None, order.organization_id if order else None)

    return write


HANDLERS: Mapping[str, Handler] = {
    "checkout.session.completed": checkout_session,
    "checkout.session.async_payment_succeeded": checkout_session,
    "checkout.session.async_payment_failed": checkout_session,
    "checkout.session.expired": checkout_session,
    "invoice.paid": subscription_events.invoice_paid,
    "invoice.payment_failed": subscription_events.invoice_unpaid,
    "invoice.payment_action_required": subscription_events.invoice_unpaid,
    "invoice.voided": subscription_events.invoice_given_up,
    "invoice.marked_uncollectible": subscription_events.invoice_given_up,
    "customer.subscription.created": subscription_events.subscription_changed,
    "customer.subscription.updated": subscription_events.subscription_changed,
    "customer.subscription.deleted": subscription_events.subscription_changed,
    "customer.subscription.paused": subscription_events.subscription_changed,
    "customer.subscription.resumed": subscription_events.subscription_changed,
    "customer.subscription.trial_will_end": subscription_events.subscription_changed,
    **REVERSAL_HANDLERS,
    **CUSTOMER_HANDLERS,
}
"""By type; every other type is stored and ignored."""
