"""What each type of Stripe's events does (docs/stripe.md).

A handler reads the object from Stripe anew, outside of any transaction, and answers a function that writes what that
reading means. It never trusts the event's own copy of the object, which may be old, beyond its id.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from billing_app.gateways.payments import Payments
from billing_app.services.payments.ownership import Handler, Outcome, Write
from billing_app.services.purchases import fulfilment, saved_cards, subscription_events
from billing_app.services.stripe import customer_events, reversal_events
from billing_app.store.tables.stripe import InboxEvent


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
    **reversal_events.HANDLERS,
    **customer_events.HANDLERS,
}
"""By type; every other type is stored and ignored."""
