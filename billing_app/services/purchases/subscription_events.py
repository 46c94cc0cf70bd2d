"""What Stripe's events about subscriptions do: the subscription is read again and mirrored, whichever event it was."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.gateways.invoices import InvoiceStatus
from billing_app.gateways.payments import Payments
from billing_app.gateways.subscriptions import Status, Subscription
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.payments import ownership
from billing_app.services.payments.ownership import Outcome, Write
from billing_app.services.purchases import invoice_events
from billing_app.services.subscriptions import notices, recurring_packs, subscriptions
from billing_app.store.tables.stripe import InboxEvent

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
            return invoice_events.settle(session, invoice, now)
        return settle(session, found, now, event.created_at)

    return write


def invoice_unpaid(payments: Payments, event: InboxEvent) -> Write:
    """A renewal was declined, or the card requires authentication: the subscription says what becomes of the plan."""
    invoice = payments.invoice(event.object_id)
    found = payments.subscription(invoice.subscription_id) if invoice.subscription_id else None

    def write(session: Session, now: datetime) -> Outcome:
        if invoice.status is InvoiceStatus.PAID and found is None:
            return Outcome(ours=False)
        others = invoice_events.settle_unpaid(session, invoice, now)
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
