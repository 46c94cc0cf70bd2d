"""Sync, what renews: subscriptions and paid invoices at Stripe against ours; and prices against the catalogue."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlmodel import Session

from billing_app.domain.money import format_money
from billing_app.gateways.invoices import Invoice
from billing_app.gateways.subscriptions import Subscription
from billing_app.services import catalog, invoice_events, recurring_packs, stripe_catalogue, subscription_events
from billing_app.services.findings import Finding, Look, Suspect, Sync, whose
from billing_app.store import reconciliation as store
from billing_app.store import recurring as recurring_store
from billing_app.store import subscriptions as subscription_store
from billing_app.store.orgs import stored_id
from billing_app.store.tables.orgs import Organization


def subscriptions(sync: Sync, cursor: str) -> Look:
    """Subscriptions of our customers that stand otherwise than we think."""
    page = sync.payments.subscriptions_all(cursor)
    suspects = []
    with sync.transaction() as session:
        for found in page.items:
            organization = whose(session, found.customer_id, found.metadata)
            if organization is not None and _differs(session, organization, found):
                write = partial(_settle_subscription, stored_id(organization), found.id)
                suspects.append(Suspect(found.id, write, partial(sync.payments.subscription, found.id)))
    return Look(len(page.items), tuple(suspects), page.next_cursor)


def _standing(session: Session, owner: int, found: Subscription) -> tuple[object, ...]:
    """What we keep of a subscription that Stripe decides."""
    if recurring_packs.is_packs(found.metadata):
        rows = recurring_store.of_subscription(session, owner, found.id)
        return tuple((row.pack, row.state, row.count, row.renews_at, row.ended_at) for row in rows)
    row = subscription_store.subscription(session, owner, found.id)
    if row is None:
        return ()
    kept = (row.status, row.price_id, row.period_end, row.cancel_at_period_end, row.cancel_at)
    return (*kept, row.ended_at, row.current, row.plan)


def _differs(session: Session, organization: Organization, found: Subscription) -> bool:
    """Whether it is worth reading it whole; for packs, which carry more, always unless both have ended."""
    owner = stored_id(organization)
    if recurring_packs.is_packs(found.metadata):
        rows = recurring_store.of_subscription(session, owner, found.id)
        return not rows or any(row.state != "ended" for row in rows) or found.ended_at is None
    row = subscription_store.subscription(session, owner, found.id)
    if row is None:
        return True
    kept = (row.status, row.price_id, row.period_end, row.cancel_at_period_end, row.cancel_at)
    item = found.item
    return kept != (found.status.value, item.price.id, item.period_end, found.cancel_at_period_end, found.cancel_at)


def _settle_subscription(
    owner: int, subscription_id: str, session: Session, now: datetime, found: Subscription
) -> Finding | None:
    before = _standing(session, owner, found)
    outcome = subscription_events.settle(session, found, now)
    session.flush()
    session.expire_all()
    if not outcome.ours or _standing(session, owner, found) == before:
        return None
    detail = f"A subscription is {found.status.value.replace('_', ' ')} at Stripe, and was known otherwise here."
    if not before:
        detail = f"A subscription that is {found.status.value.replace('_', ' ')} at Stripe was not known here."
    return Finding("subscription_differs", subscription_id, detail, True, outcome.organization_id)


def invoices(sync: Sync, cursor: str) -> Look:
    """Paid invoices of packs that renew and of top-ups that have brought nothing."""
    page = sync.payments.paid_invoices_since(sync.since, cursor)
    with sync.transaction() as session:
        suspects = [
            Suspect(found.id, _settle_invoice, partial(sync.payments.invoice, found.id))
            for found in page.items
            if _brought_nothing(session, found)
        ]
    return Look(len(page.items), tuple(suspects), page.next_cursor)


def _brought_nothing(session: Session, found: Invoice) -> bool:
    """Whether it is of something that brings credits, of one of ours, and did not."""
    if found.total_cents <= 0 or (found.subscription_id and not recurring_packs.is_packs(found.subscription_metadata)):
        return False
    organization = whose(session, found.customer_id, found.subscription_metadata or found.metadata)
    return organization is not None and not store.invoice_granted(session, stored_id(organization), found.id)


def _settle_invoice(session: Session, now: datetime, found: Invoice) -> Finding | None:
    outcome = invoice_events.settle(session, found, now)
    session.flush()
    owner = outcome.organization_id
    if owner is None or not store.invoice_granted(session, owner, found.id):
        return None
    money = format_money(found.total_cents, found.currency)
    detail = f"A paid invoice of {money} had brought nothing."
    return Finding("invoice_not_granted", found.id, detail, True, owner)


def prices(sync: Sync, cursor: str) -> Look:
    """Prices that are sold at Stripe for packs that the catalogue does not offer, or otherwise."""
    page = sync.payments.active_prices(cursor)
    with sync.transaction() as session:
        current = catalog.current(session, sync.now())
    offers = {offer.lookup_key: offer for offer in stripe_catalogue.offers(current)}
    found = []
    for price in page.items:
        offer = offers.get(price.lookup_key)
        if not (price.metadata.get("pack") and price.metadata.get("metric")):
            continue
        money = format_money(price.price_cents, price.currency)
        if offer is None:
            detail = (
                f"{money} can be paid at Stripe for the pack {price.metadata['pack']}, which the catalogue does not "
                "offer. Archive the price there, or offer the pack."
            )
            found.append(Finding("price_without_pack", price.id, detail, repaired=False))
        elif (price.price_cents, price.currency, dict(price.metadata)) != (
            offer.price_cents,
            offer.currency,
            dict(offer.metadata),
        ):
            here = format_money(offer.price_cents, offer.currency)
            detail = f"{price.lookup_key} costs {money} at Stripe and {here} here. Run: billing stripe push"
            found.append(Finding("price_differs", price.id, detail, repaired=False))
    return Look(len(page.items), tuple(_reported(each) for each in found), page.next_cursor)


def _reported(finding: Finding) -> Suspect:
    return Suspect(finding.object_id, lambda session, now, read: finding)
