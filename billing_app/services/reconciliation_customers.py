"""Sync, customers: those that were deleted at Stripe, and what went with them."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlmodel import Session

from billing_app.services.findings import Finding, Look, Suspect, Sync
from billing_app.store import customers as store
from billing_app.store.tables.customers import FormerCustomer

MAX_TOLD = 300
"""Of one run; the next one tells of the rest."""


def customers(sync: Sync, cursor: str) -> Look:
    """Customers that were found deleted since the last comparison, if something ended with them."""
    with sync.transaction() as session:
        gone = store.unreported(session, MAX_TOLD)
    return Look(len(gone), tuple(_suspect(row) for row in gone), "")


def _suspect(row: FormerCustomer) -> Suspect:
    return Suspect(row.customer_id, partial(_tell, (row.organization_id, row.customer_id)))


def _tell(key: tuple[int, str], session: Session, now: datetime, _read: object) -> Finding | None:
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
