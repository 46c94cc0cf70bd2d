"""What each type of Stripe's events does (docs/stripe.md).

A handler reads the object from Stripe anew, outside of any transaction, and answers a function that writes what that
reading means. It never trusts the event's own copy of the object, which may be old, beyond its id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from billing_app.gateways.payments import Payments
from billing_app.services import fulfilment
from billing_app.store.tables.inbox import InboxEvent


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whose event it was; `ours` is False for an object that another product of the same Stripe account made."""

    ours: bool
    organization_id: int | None = None


Write = Callable[[Session, datetime], Outcome]
"""Writes, in one transaction, what was read."""

Handler = Callable[[Payments, InboxEvent], Write]


def checkout_session(payments: Payments, event: InboxEvent) -> Write:
    """Paid, failed or expired: the session itself says which."""
    found = payments.checkout(event.object_id)

    def write(session: Session, now: datetime) -> Outcome:
        order = fulfilment.settle(session, found, now)
        return Outcome(order is not None, order.organization_id if order else None)

    return write


HANDLERS: Mapping[str, Handler] = {
    "checkout.session.completed": checkout_session,
    "checkout.session.async_payment_succeeded": checkout_session,
    "checkout.session.async_payment_failed": checkout_session,
    "checkout.session.expired": checkout_session,
}
"""By type; every other type is stored and ignored."""
