"""What events about invoices do (docs/stripe.md).

Only invoices of subscriptions and of auto top-ups are ours: those that a payment-mode Checkout makes grant nothing,
because the key of such a purchase is its session.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.errors import NotFoundError
from billing_app.gateways.invoices import Invoice, InvoiceStatus
from billing_app.gateways.payments import Payments
from billing_app.services import accounts, fulfilment, orgs, recurring_packs, top_up_outcomes
from billing_app.services.event_outcomes import Outcome, Write
from billing_app.store import customers
from billing_app.store import purchases as purchase_store
from billing_app.store.tables.inbox import InboxEvent
from billing_app.store.tables.orgs import Organization

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
    organization = organization_of(session, invoice.subscription_metadata or invoice.metadata, invoice.customer_id)
    if organization is None:
        return Outcome(ours=False)
    if recurring_packs.is_packs(invoice.subscription_metadata):
        _packs_paid(session, organization, invoice, now)
        return Outcome(ours=True, organization_id=accounts.organization_id(organization))
    if _is_top_up(invoice):
        top_up_outcomes.paid(session, organization, invoice, now)
        return Outcome(ours=True, organization_id=accounts.organization_id(organization))
    return Outcome(ours=False)


def settle_unpaid(session: Session, invoice: Invoice, now: datetime) -> Outcome | None:
    """What it means that an invoice could not be paid, or asks for its payer; None for one of a plan's, or not ours."""
    if _is_top_up(invoice):
        # Whoever charged the card is told by Stripe at once, and goes on with it.
        found = organization_of(session, invoice.metadata, invoice.customer_id)
        return Outcome(ours=found is not None, organization_id=found.id if found else None)
    if not recurring_packs.is_packs(invoice.subscription_metadata):
        return None
    organization = organization_of(session, invoice.subscription_metadata, invoice.customer_id)
    if organization is None:
        return Outcome(ours=False)
    recurring_packs.unpaid(session, organization, invoice, now)
    return Outcome(ours=True, organization_id=accounts.organization_id(organization))


def organization_of(session: Session, metadata: Mapping[str, str], customer_id: str) -> Organization | None:
    """Whom an object of Stripe's belongs to; None for another product's, or another database's, of the same account.

    The metadata names the organization, and the customer has to be its own, now or before it was deleted at Stripe.
    While it has none, the order decides.
    """
    try:
        organization = orgs.by_address(session, metadata.get(fulfilment.ORGANIZATION, ""))
    except NotFoundError:
        return None
    if customers.is_of(session, organization, customer_id):
        return organization
    if organization.stripe_customer_id is not None:
        return None
    owner = accounts.organization_id(organization)
    order = purchase_store.order(session, owner, metadata.get(fulfilment.ORDER, ""))
    return organization if order is not None else None


def _is_top_up(invoice: Invoice) -> bool:
    return not invoice.subscription_id and invoice.metadata.get(top_up_outcomes.KIND) == top_up_outcomes.TOP_UP


def _packs_paid(session: Session, organization: Organization, invoice: Invoice, now: datetime) -> None:
    order_id = invoice.subscription_metadata.get(fulfilment.ORDER, "")
    if invoice.reason == FIRST:
        fulfilment.first_invoice(session, organization, order_id, invoice, now)
    else:
        recurring_packs.paid(session, organization, invoice, now)
