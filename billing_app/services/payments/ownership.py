"""Whose an object of Stripe's is, and what handling an event about it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from billing_app.gateways.invoices import Invoice
from billing_app.gateways.payments import Payments
from billing_app.services.common import organizations
from billing_app.store.organizations import organizations as org_store
from billing_app.store.purchases import customers
from billing_app.store.stripe import ownership as store
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.stripe import InboxEvent

ORGANIZATION, ORDER, KIND = "organization", "order", "kind"
"""Names in the metadata of what we make at Stripe."""

PLAN, PACKS, TOP_UP = "plan", "packs", "top_up"
"""What `KIND` says that it is."""


def of_subscription(
    session: Session, subscription_id: str, metadata: Mapping[str, str], customer_id: str
) -> Organization | None:
    """Whose a subscription is: the one that it is kept for, else the customer's, else the order's that it names."""
    kept = store.of_subscription(session, subscription_id)
    if kept is not None:
        return organizations.by_id(session, kept[0])
    return of_customer(session, customer_id) or named(session, metadata, customer_id)


def kind_of(session: Session, subscription_id: str, metadata: Mapping[str, str]) -> str:
    """Whether a subscription is of a plan or of packs; empty for one that is neither by what we know of it."""
    kept = store.of_subscription(session, subscription_id)
    if kept is not None:
        return kept[1]
    said = metadata.get(KIND, "")
    return said if said in (PLAN, PACKS) else ""


def of_invoice(session: Session, invoice: Invoice) -> Organization | None:
    """Whose an invoice is: its subscription's or its top-up's, else whose its metadata says."""
    kept = store.of_subscription(session, invoice.subscription_id)
    attempt = store.attempt_of_invoice(session, invoice.id)
    if kept is not None or attempt is not None:
        return organizations.by_id(session, kept[0] if kept else attempt.organization_id if attempt else 0)
    return named(session, invoice.subscription_metadata or invoice.metadata, invoice.customer_id)


def is_packs(session: Session, invoice: Invoice) -> bool:
    """Whether an invoice is of packs that renew."""
    return kind_of(session, invoice.subscription_id, invoice.subscription_metadata) == PACKS


def is_top_up(session: Session, invoice: Invoice) -> bool:
    """Whether an invoice is of an auto top-up."""
    if invoice.subscription_id:
        return False
    return invoice.metadata.get(KIND) == TOP_UP or store.attempt_of_invoice(session, invoice.id) is not None


def of_payment(session: Session, payment_id: str, customer_id: str) -> Organization | None:
    """Whose a payment was: what it brought says so, else the customer."""
    owner = store.of_payment(session, payment_id)
    if owner is not None:
        return organizations.by_id(session, owner)
    return of_customer(session, customer_id)


def of_customer(session: Session, customer_id: str) -> Organization | None:
    """The organization that this customer stands for, or stood for before it was deleted."""
    return customers.organization_of(session, customer_id)


def named(session: Session, metadata: Mapping[str, str], customer_id: str) -> Organization | None:
    """Whom metadata names; None for another product's, or another database's, of the same account.

    An order of ours decides. Otherwise the customer has to be the organization's own.
    """
    owner = store.of_order(session, metadata.get(ORDER, ""))
    if owner is not None:
        return organizations.by_id(session, owner)
    found = org_store.by_address(session, metadata.get(ORGANIZATION, ""))
    return found if found is not None and customers.is_of(session, found, customer_id) else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whose event it was; `ours` is False for an object that another product of the same Stripe account made."""

    ours: bool
    organization_id: int | None = None


Write = Callable[[Session, datetime], Outcome]
"""Writes, in one transaction, what was read."""

Handler = Callable[[Payments, InboxEvent], Write]
