"""What events about refunds and disputes do: each has everything about its payment read anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from billing_app.gateways.payments import Payments
from billing_app.services.payments.ownership import Handler, Outcome, Write
from billing_app.services.reversals import reversals
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


HANDLERS: Mapping[str, Handler] = {
    "refund.created": refund,
    "refund.updated": refund,
    "refund.failed": refund,
    "charge.dispute.created": dispute,
    "charge.dispute.updated": dispute,
    "charge.dispute.closed": dispute,
    "charge.dispute.funds_withdrawn": dispute,
    "charge.dispute.funds_reinstated": dispute,
}
"""By type."""
