"""An organization's customer at Stripe. It is found by the id that we stored, never by an e-mail."""

from __future__ import annotations

from dataclasses import dataclass

from billing_app.gateways.payments import NewCustomer, Payments
from billing_app.store.tables.orgs import Organization


@dataclass(frozen=True, slots=True)
class Wanted:
    """The customer of an organization: its id at Stripe, or what Stripe is told to make one."""

    address: str
    customer_id: str | None
    new: NewCustomer


def key(organization: Organization) -> str:
    """What makes an organization one customer, however often it is made."""
    # An address may exist in several databases that share a test account; the moment of its making tells them apart.
    made_at = int(organization.created_at.timestamp() * 1_000_000)
    return f"customer:{organization.address}:{made_at}"


def to_be(organization: Organization) -> Wanted:
    """What has to be known of an organization to have its customer."""
    new = NewCustomer(key(organization), organization.name, {"organization": organization.address})
    return Wanted(organization.address, organization.stripe_customer_id, new)


def made(payments: Payments, wanted: Wanted) -> str:
    """The customer's id; it is made if there is none yet. Talks to Stripe."""
    return wanted.customer_id or payments.create_customer(wanted.new)
