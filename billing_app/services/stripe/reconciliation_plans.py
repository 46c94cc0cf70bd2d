"""Sync, what renews: subscriptions and paid invoices at Stripe against ours; and prices against the catalogue."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlmodel import Session

from billing_app.domain.common.money import format_money
from billing_app.domain.purchases.recurring import brings_credits
from billing_app.gateways.invoices import Invoice
from billing_app.gateways.subscriptions import Subscription
from billing_app.services.catalogue import versions
from billing_app.services.credits import invoice_grants
from billing_app.services.payments import ownership, stripe_catalogue
from billing_app.services.purchases import subscription_events
from billing_app.services.stripe.findings import Finding, Look, Suspect, Sync
from billing_app.services.subscriptions import notices
from billing_app.store.organizations import organizations as org_store
from billing_app.store.purchases import recurring as recurring_store
from billing_app.store.purchases import subscriptions as subscription_store
from billing_app.store.stripe import reconciliation as store
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.purchases import RecurringPack
from billing_app.store.tables.subscriptions import Subscription as Row


def subscriptions(sync: Sync, cursor: str) -> Look:
    """Subscriptions of our customers that stand otherwise than we think; and all that are not the one that we hold."""
    page = sync.payments.subscriptions_all(cursor)
    suspects = []
    with sync.transaction() as session:
        for found in page.items:
            organization = ownership.of_subscription(session, found.id, found.metadata, found.customer_id)
            if organization is None:
                continue
            owner = organization.pk
            if _differs(session, owner, found):
                write = partial(_settle_subscription, owner, found.id)
                suspects.append(
                    Suspect(found.id, write, partial(sync.payments.subscription, found.id), found.customer_id)
                )
            if found.status.value in notices.BILLING:
                suspects.append(Suspect(found.id, partial(_beside, owner, found)))
    return Look(len(page.items), tuple(suspects), page.next_cursor)


def _is_packs(session: Session, found: Subscription) -> bool:
    return ownership.kind_of(session, found.id, found.metadata) == ownership.PACKS


def _standing(session: Session, owner: int, found: Subscription) -> tuple[object, ...]:
    """What we keep of a subscription that Stripe decides."""
    if _is_packs(session, found):
        rows = recurring_store.of_subscription(session, owner, found.id)
        return tuple(
            (
                row.pack, row.state, row.count, row.renews_at, row.ended_at, row.collection,
                row.latest_invoice_status,
            )
            for row in rows
        )  # fmt: skip
    row = subscription_store.subscription(session, owner, found.id)
    if row is None:
        return ()
    return (*_kept(row), row.ended_at, row.current, row.plan)


def _kept(row: Row) -> tuple[object, ...]:
    kept = (row.status, row.price_id, row.period_end, row.cancel_at_period_end, row.cancel_at, row.collection)
    return (*kept, row.latest_invoice_id, row.latest_invoice_status)


def _differs(session: Session, owner: int, found: Subscription) -> bool:
    """Whether it is worth reading it whole; for packs, which carry more, always unless both have ended."""
    if _is_packs(session, found):
        rows = recurring_store.of_subscription(session, owner, found.id)
        return not rows or any(row.state != "ended" for row in rows) or found.ended_at is None
    row = subscription_store.subscription(session, owner, found.id)
    if row is None:
        return True
    latest = (found.latest_invoice.id, found.latest_invoice.status) if found.latest_invoice else ("", "")
    return not any(
        _kept(row)
        == (
            found.status.value, item.price.id, item.period_end, found.cancel_at_period_end, found.cancel_at,
            found.collection, *latest,
        )
        for item in found.items
    )  # fmt: skip


def _beside(owner: int, found: Subscription, session: Session, now: datetime, _read: object) -> Finding | None:
    """What is billed and is not what the console shows, or not at a price that it knows. Only a person can decide."""
    organization = org_store.by_id(session, owner)
    row = subscription_store.subscription(session, owner, found.id)
    if organization is None:
        return None
    if _is_packs(session, found):
        return _unknown_pack(session, organization, found)
    if row is not None and row.current:
        if row.price_known:
            return None
        detail = notices.unknown_price(organization, row)
        return Finding("unknown_price", found.id, detail, False, owner)
    held = subscription_store.current(session, owner)
    row = row or Row(
        organization_id=owner, id=found.id, kind="plan", status=found.status.value, interval=found.item.price.interval,
        price_cents=found.item.price.price_cents, currency=found.item.price.currency, started_at=found.started_at,
        period_start=now, period_end=now, read_at=now,
    )  # fmt: skip
    detail = notices.second(organization, row, held)
    return Finding("second_subscription", found.id, detail, False, owner)


def _unknown_pack(session: Session, organization: Organization, found: Subscription) -> Finding | None:
    """Packs that are billed at a price of nobody's: what is paid at it brings nothing."""
    owner = organization.pk
    known = {row.price_id for row in recurring_store.of_subscription(session, owner, found.id)}
    strange = [
        item.price for item in found.items
        if item.price.id not in known and invoice_grants.sold_by(item.price) is None
    ]  # fmt: skip
    if not strange:
        return None
    money = format_money(strange[0].price_cents, strange[0].currency)
    detail = (
        f"{organization.name} is billed {money} per {strange[0].interval} for packs at a price that belongs to no "
        "pack, so that what is paid brings no credits. Correct the price at Stripe, or grant the credits manually."
    )
    return Finding("unknown_price", found.id, detail, False, owner)


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
    row: Row | RecurringPack | None = subscription_store.subscription(session, owner, subscription_id)
    row = row or next(iter(recurring_store.of_subscription(session, owner, subscription_id)), None)
    more = "".join(f" It {each}." for each in (notices.special(row) if row is not None else []))
    return Finding("subscription_differs", subscription_id, detail + more, True, outcome.organization_id)


def invoices(sync: Sync, cursor: str) -> Look:
    """Paid invoices of packs that renew and of top-ups that have brought nothing."""
    page = sync.payments.paid_invoices_since(sync.since, cursor)
    with sync.transaction() as session:
        suspects = [
            Suspect(found.id, _settle_invoice, partial(sync.payments.invoice, found.id), found.customer_id)
            for found in page.items
            if _brought_nothing(session, found)
        ]
    return Look(len(page.items), tuple(suspects), page.next_cursor)


def _brought_nothing(session: Session, found: Invoice) -> bool:
    """Whether it is of something that brings credits, of one of ours, and did not."""
    of_packs = ownership.is_packs(session, found)
    if found.total_cents <= 0 or not (of_packs or ownership.is_top_up(session, found)):
        return False
    organization = ownership.of_invoice(session, found)
    return organization is not None and not store.invoice_granted(session, organization.pk, found.id)


def _settle_invoice(session: Session, now: datetime, found: Invoice) -> Finding | None:
    outcome = subscription_events.settle_invoice(session, found, now)
    session.flush()
    owner = outcome.organization_id
    if owner is None:
        return None
    money = format_money(found.total_cents, found.currency)
    if not store.invoice_granted(session, owner, found.id):
        if not any(brings_credits(line.amount_cents, line.count, proration=line.proration) for line in found.lines):
            return None
        detail = (
            f"A paid invoice of {money} brought no credits: its prices belong to no pack. Grant its credits manually, "
            "or refund it."
        )
        return Finding("unknown_price", found.id, detail, False, owner)
    detail = f"A paid invoice of {money} had brought nothing."
    return Finding("invoice_not_granted", found.id, detail, True, owner)


def prices(sync: Sync, cursor: str) -> Look:
    """Prices that are sold at Stripe for packs that the catalogue does not offer, or otherwise."""
    page = sync.payments.active_prices(cursor)
    with sync.transaction() as session:
        current = versions.current(session, sync.now())
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
