"""What events about invoices do (docs/stripe.md).

Only invoices of subscriptions and of auto top-ups are ours: those that a payment-mode Checkout makes grant nothing,
because the key of such a purchase is its session.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.gateways.invoices import Invoice, InvoiceStatus
from billing_app.gateways.payments import Payments
from billing_app.services.common.context import Context
from billing_app.services.payments import ownership
from billing_app.services.payments.ownership import Outcome, Write
from billing_app.services.purchases import fulfilment, top_up_attempts
from billing_app.services.subscriptions import recurring_packs
from billing_app.store.tables.stripe import InboxEvent

FIRST = "subscription_create"
"""Why a subscription's first invoice was made."""


def invoice_paid(payments: Payments, event: InboxEvent) -> Write:
    """Grants of a pack subscription or a top-up; a plan's renewal."""
    found = payments.invoice(event.object_id)
    return lambda session, now: settle(session, found, now)


def settle(session: Session, invoice: Invoice, now: datetime) -> Outcome:
    """Does what a paid invoice means, once. For whoever reads invoices: the webhook, sweeps, the sync."""
    if invoice.status is not InvoiceStatus.PAID:
        return Outcome(ours=False)
    organization = ownership.of_invoice(session, invoice)
    if organization is None:
        return Outcome(ours=False)
    if ownership.is_packs(session, invoice):
        _packs_paid(Context(session, organization, now), invoice)
        return Outcome(ours=True, organization_id=organization.pk)
    if ownership.is_top_up(session, invoice):
        top_up_attempts.paid(Context(session, organization, now), invoice)
        return Outcome(ours=True, organization_id=organization.pk)
    return Outcome(ours=False)


def settle_unpaid(session: Session, invoice: Invoice, now: datetime) -> Outcome | None:
    """What it means that an invoice could not be paid, or asks for its payer; None for one of a plan's, or not ours."""
    if ownership.is_top_up(session, invoice):
        # Whoever charged the card is told by Stripe at once, and goes on with it.
        found = ownership.of_invoice(session, invoice)
        return Outcome(ours=found is not None, organization_id=found.id if found else None)
    if not ownership.is_packs(session, invoice):
        return None
    organization = ownership.of_invoice(session, invoice)
    if organization is None:
        return Outcome(ours=False)
    recurring_packs.unpaid(Context(session, organization, now), invoice)
    return Outcome(ours=True, organization_id=organization.pk)


def _packs_paid(context: Context, invoice: Invoice) -> None:
    order_id = invoice.subscription_metadata.get(fulfilment.ORDER, "")
    if invoice.reason == FIRST:
        fulfilment.first_invoice(context, order_id, invoice)
    else:
        recurring_packs.paid(context.unattributed(), invoice)
