"""What Stripe's events about subscriptions and invoices do (docs/stripe.md).

The subscription is read again and mirrored, whichever event it was. Only invoices of subscriptions and of auto top-ups
are ours: those that a payment-mode Checkout makes grant nothing, because the key of such a purchase is its session.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.gateways.invoices import Invoice, InvoiceStatus
from billing_app.gateways.payments import Payments
from billing_app.gateways.subscriptions import Status, Subscription
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.payments import ownership
from billing_app.services.payments.ownership import Outcome, Write
from billing_app.services.purchases import fulfilment, top_up_attempts
from billing_app.services.subscriptions import notices, recurring_packs, subscriptions
from billing_app.store.tables.stripe import InboxEvent

FIRST = "subscription_create"
"""Why a subscription's first invoice was made."""


def settle_invoice(session: Session, invoice: Invoice, now: datetime) -> Outcome:
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


def settle_unpaid_invoice(session: Session, invoice: Invoice, now: datetime) -> Outcome | None:
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


NEVER_PAID = (Status.INCOMPLETE, Status.INCOMPLETE_EXPIRED)


def subscription_changed(payments: Payments, event: InboxEvent) -> Write:
    """Began, changed, paused, resumed or ended: the subscription itself says which."""
    found = payments.subscription(event.object_id)
    return lambda session, now: settle(session, found, now, event.created_at)


def invoice_paid(payments: Payments, event: InboxEvent) -> Write:
    """A plan's first payment, its renewal, or what was owed; what else invoices are paid for is not a plan's."""
    invoice = payments.invoice(event.object_id)
    found = payments.subscription(invoice.subscription_id) if invoice.subscription_id else None

    def write(session: Session, now: datetime) -> Outcome:
        if found is None or ownership.is_packs(session, invoice):
            return settle_invoice(session, invoice, now)
        return settle(session, found, now, event.created_at)

    return write


def invoice_unpaid(payments: Payments, event: InboxEvent) -> Write:
    """A renewal was declined, or the card requires authentication: the subscription says what becomes of the plan."""
    invoice = payments.invoice(event.object_id)
    found = payments.subscription(invoice.subscription_id) if invoice.subscription_id else None

    def write(session: Session, now: datetime) -> Outcome:
        if invoice.status is InvoiceStatus.PAID and found is None:
            return Outcome(ours=False)
        others = settle_unpaid_invoice(session, invoice, now)
        if others is not None or found is None:
            return others or Outcome(ours=False)
        return settle(session, found, now, event.created_at)

    return write


def invoice_given_up(payments: Payments, event: InboxEvent) -> Write:
    """An invoice was voided or marked uncollectible: operators hear of it, and the subscription says what follows.

    Nothing is told of what the console voids itself (a top-up that was refused), of a plan that nobody has ever paid,
    and while collection is paused, of which they have heard.
    """
    invoice = payments.invoice(event.object_id)
    found = payments.subscription(invoice.subscription_id) if invoice.subscription_id else None

    def write(session: Session, now: datetime) -> Outcome:
        organization = ownership.of_invoice(session, invoice)
        outcome = settle(session, found, now, event.created_at) if found is not None else Outcome(ours=False)
        if organization is None and outcome.organization_id is not None and outcome.ours:
            organization = organizations.by_id(session, outcome.organization_id)
        if organization is None:
            return outcome
        expected = found is not None and (found.collection != "" or found.status in NEVER_PAID)
        if not expected and not ownership.is_top_up(session, invoice):
            notices.given_up(Context(session, organization, now), invoice)
        return Outcome(ours=True, organization_id=organization.pk)

    return write


def settle(session: Session, found: Subscription, now: datetime, at: datetime | None = None) -> Outcome:
    """Writes down where a subscription stands, of a plan or of packs. For whoever reads one: webhooks and the sync.

    What is ours is what we stored, or what its metadata says (`ownership`); beside that, one at a price of ours that
    somebody created manually for a customer of ours.
    """
    organization = ownership.of_subscription(session, found.id, found.metadata, found.customer_id)
    if organization is None:
        return Outcome(ours=False)
    kind = ownership.kind_of(session, found.id, found.metadata)
    if kind == ownership.PACKS:
        recurring_packs.mirror(Context(session, organization, now), found)
    elif kind == ownership.PLAN or subscriptions.sells_a_plan(session, found, now):
        subscriptions.mirror(Context(session, organization, now), found, at)
    else:
        return Outcome(ours=False, organization_id=organization.pk)
    return Outcome(ours=True, organization_id=organization.pk)
