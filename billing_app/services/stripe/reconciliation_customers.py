"""Sync, customers: those that were deleted at Stripe, and what went with them; names and e-mails of the others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from sqlmodel import Session

from billing_app.gateways.payments import Customer
from billing_app.services.common.context import Context
from billing_app.services.purchases import customers as customers_service
from billing_app.services.stripe.findings import Finding, Look, Suspect, Sync
from billing_app.store.purchases import customers as store
from billing_app.store.tables.stripe import FormerCustomer, StripeCustomer

MAX_REPORTED = 300
"""Of one run; the next one tells of the rest."""


def customers(sync: Sync, cursor: str) -> Look:
    """Customers of ours that have another name or e-mail at Stripe; first those that were found deleted since the last
    comparison, if something ended with them.
    """
    page = sync.payments.customers_all(cursor)
    with sync.transaction() as session:
        gone = [] if cursor else store.unreported(session, MAX_REPORTED)
        said = store.said_of_all(session, [found.id for found in page.items])
        changed = [_changed(sync, found, said[found.id]) for found in page.items if _differs(said, found)]
    return Look(len(gone) + len(page.items), (*(_suspect(row) for row in gone), *changed), page.next_cursor)


def _differs(said: Mapping[str, StripeCustomer | None], found: Customer) -> bool:
    """Whether a customer is one of ours of which we know less, or something else."""
    if found.id not in said:
        return False
    row = said[found.id]
    kept = (found.id, found.name[: customers_service.MAX_NAME], found.email[: customers_service.MAX_EMAIL])
    return row is None or (row.customer_id, row.name, row.email) != kept


def _changed(sync: Sync, found: Customer, row: StripeCustomer | None) -> Suspect:
    """It is read again, unless nothing was known of it."""
    read = partial(sync.payments.customer, found.id) if row is not None else lambda: found
    return Suspect(found.id, _settle, read, found.id)


def _settle(session: Session, now: datetime, found: Customer | None) -> Finding | None:
    organization = store.organization_of(session, found.id) if found is not None else None
    if found is None or organization is None:
        return None  # deleted since it was listed: whoever needs it next sees to that
    if not customers_service.mirror(Context(session, organization, now), found):
        return None
    detail = f"Its invoices are written to {found.name or 'nobody'}, {found.email or 'without an e-mail'}, by now."
    return Finding("customer_differs", found.id, detail, True, organization.pk)


def _suspect(row: FormerCustomer) -> Suspect:
    return Suspect(row.customer_id, partial(_report, (row.organization_id, row.customer_id)))


def _report(key: tuple[int, str], session: Session, now: datetime, _read: object) -> Finding | None:
    row = session.get(FormerCustomer, key, populate_existing=True)
    if row is None or row.reported_at is not None:
        return None
    row.reported_at = now
    session.add(row)
    detail = (
        f"The customer was deleted at Stripe. With it went {row.had}, and any balance that it had there; bought "
        "credits stay. The next purchase makes a new customer: tell the organization if it has to subscribe again."
    )
    return Finding("customer_deleted", row.customer_id, detail, True, row.organization_id)
