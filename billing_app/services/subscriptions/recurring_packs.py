"""Recurring packs as they stand: written down from paid invoices and from subscriptions, which Stripe decides.

Whatever arrives first makes the row: the first paid invoice, or the subscription itself. A later period overrides an
earlier one, so the order of arrival does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.purchases.baskets import Sold
from billing_app.domain.purchases.recurring import State
from billing_app.gateways.invoices import Invoice, InvoiceLine
from billing_app.gateways.prices import Price
from billing_app.gateways.subscriptions import ENDED, Item, Status, Subscription
from billing_app.services.common.context import Context
from billing_app.services.credits import invoice_grants
from billing_app.services.subscriptions import notices
from billing_app.store.common import locks
from billing_app.store.notifications import outbox
from billing_app.store.organizations import endings, organizations
from billing_app.store.purchases import recurring as store
from billing_app.store.tables.base import new_id
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.purchases import RecurringPack

KIND, PACKS = "kind", "packs"
"""What the metadata of a pack subscription, and of its Checkout session, says that it is."""

LATE = timedelta(hours=3)
"""How long after a renewal was due we ask for it: its invoice is a draft for an hour, then the card is charged."""


def listed(session: Session, organization: Organization) -> list[RecurringPack]:
    """What renews, and what has been cancelled but is paid until later; ended ones are left out."""
    owner = organization.pk
    return [row for row in store.of_organization(session, owner) if row.state != State.ENDED]


def one(session: Session, organization: Organization, pack_id: str) -> RecurringPack:
    """One of them, ended or not. Raises NotFoundError `recurring_pack_not_found`."""
    found = store.one(session, organization.pk, pack_id)
    if found is None:
        raise NotFoundError("There is no such recurring pack here.", code="recurring_pack_not_found")
    return found


def paid(context: Context, invoice: Invoice) -> list[GrantRow]:
    """A pack subscription's invoice was paid: its grants, once, and where its packs stand. Tells of a renewal."""
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    organization, now = locks.hold_row(session, owner, now)
    known = _known(store.of_subscription(session, owner, invoice.subscription_id))
    grants = invoice_grants.grant_lines(
        replace(context, organization=organization, now=now), invoice, once=invoice_grants.PURCHASE, known=known
    )
    for line in invoice.lines:
        sold = invoice_grants.sold(line, known)
        if line.recurring and not line.proration and sold is not None and line.price is not None:
            _renew(session, owner, invoice, line, line.price, sold, now, actor)
    session.flush()
    _end_what_was_left_out(session, owner, invoice, now)
    if invoice.reason == "subscription_cycle":
        _notify(session, owner, invoice, "recurring_pack.renewed", invoice_grants.paid_at(invoice, now), now, grants)
    organizations.raise_revision(session, owner)
    return grants


def unpaid(context: Context, invoice: Invoice) -> None:
    """A pack subscription's renewal was not paid: its packs are past due until it is. Nothing else is touched."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    now = locks.hold(session, owner, now)
    if invoice.paid_at is not None or invoice.reason == "subscription_create":
        return
    for row in store.of_subscription(session, owner, invoice.subscription_id):
        if row.state != State.ENDED:
            row.state, row.failure, row.pay_url = State.PAST_DUE.value, invoice.failure, invoice.hosted_url
            session.add(row)
    _notify(session, owner, invoice, f"recurring_pack.payment_failed:{invoice.attempts}", now, now, [])
    organizations.raise_revision(session, owner)


def mirror(context: Context, subscription: Subscription) -> None:
    """Brings the packs of a subscription to where it stands at Stripe."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    now = locks.hold(session, owner, now)
    if subscription.status is Status.INCOMPLETE:
        return  # nobody has paid for anything yet
    rows = {row.pack: row for row in store.of_subscription(session, owner, subscription.id)}
    collected = not any(row.collection for row in rows.values())
    known, over, unknown = _known(rows.values()), subscription.status in ENDED, 0
    for item in subscription.items:
        sold = invoice_grants.sold_by(item.price, known)
        unknown += sold is None
        if sold is None or (over and sold.pack not in rows):
            continue
        row = rows.pop(sold.pack, None) or _new(owner, subscription.id, item.price, sold, item.count, now)
        _follow(row, item, subscription, now)
        _state(session, row, subscription, now)
    for row in rows.values():
        if unknown and row.state != State.ENDED:
            # Its price may have been replaced by one that nobody knows: it stays what it was until somebody decides.
            _state(session, row, subscription, now)
        else:
            _gone(session, row, subscription, now)
    if subscription.status not in ENDED and subscription.cancel_at is None:
        endings.again(session, owner, now)
    session.flush()
    if collected and not over:
        notices.packs_not_collected(session, owner, store.of_subscription(session, owner, subscription.id), now)
    organizations.raise_revision(session, owner)


def _known(rows: Iterable[RecurringPack]) -> invoice_grants.Known:
    """What the prices of packs sell, as it was when they were bought."""
    return {row.price_id: Sold(row.pack, row.metric, row.quantity) for row in rows}


def _new(owner: int, subscription_id: str, price: Price, sold: Sold, count: int, now: datetime) -> RecurringPack:
    return RecurringPack(
        organization_id=owner, id=f"rp_{new_id().hex}", subscription_id=subscription_id, pack=sold.pack,
        metric=sold.metric, quantity=sold.quantity, price_cents=price.price_cents, currency=price.currency,
        price_id=price.id, count=count, next_count=count, started_at=now, renews_at=now,
    )  # fmt: skip


def _renew(
    session: Session,
    owner: int,
    invoice: Invoice,
    line: InvoiceLine,
    price: Price,
    sold: Sold,
    now: datetime,
    actor: str,
) -> None:
    """A paid line of a pack's own item. One of an earlier period than is known changes nothing."""
    rows = store.of_subscription(session, owner, invoice.subscription_id)
    row = next((each for each in rows if each.pack == sold.pack), None)
    if row is None:
        row = _new(owner, invoice.subscription_id, price, sold, line.count, now)
        row.started_at, row.actor = invoice_grants.paid_at(invoice, now), actor
    if row.state == State.ENDED or line.end < row.renews_at:
        return
    if line.end > row.renews_at:
        row.count, row.renews_at = line.count, line.end
        if row.stripe_revision == row.revision and row.next_count:
            row.next_count = line.count
    row.state, row.failure, row.pay_url = State.ACTIVE.value, "", ""
    row.actor = row.actor or actor
    row.check_at = row.renews_at + LATE
    session.add(row)


def _end_what_was_left_out(session: Session, owner: int, invoice: Invoice, now: datetime) -> None:
    """Packs that were to end with the period before this invoice's, and are not on it."""
    if invoice.reason != "subscription_cycle":
        return
    rows = store.of_subscription(session, owner, invoice.subscription_id)
    known = _known(rows)
    billed = {sold.pack for line in invoice.lines if (sold := invoice_grants.sold(line, known)) is not None}
    for row in rows:
        if row.pack not in billed and row.next_count == 0 and row.renews_at <= invoice.period_start:
            _end(session, row, row.renews_at, now)


def _follow(row: RecurringPack, item: Item, subscription: Subscription, now: datetime) -> None:
    """Count and dates of an item. What was decided here and Stripe has not heard of yet stands."""
    ends = subscription.cancel_at_period_end or subscription.cancel_at is not None
    if item.period_end > row.renews_at and item.period_start >= row.renews_at:
        row.count = item.count
    row.renews_at = max(row.renews_at, item.period_end)
    row.price_id = item.price.id
    if row.stripe_revision == row.revision:
        row.next_count = 0 if ends else item.count
    row.check_at = row.renews_at + LATE


def _state(session: Session, row: RecurringPack, subscription: Subscription, now: datetime) -> None:
    if subscription.status in ENDED:
        _end(session, row, subscription.ended_at or now, now)
        return
    latest = subscription.latest_invoice
    row.collection, row.collection_resumes_at = subscription.collection, subscription.collection_resumes_at
    row.latest_invoice_status = latest.status if latest else ""
    unpaid = subscription.status in (Status.PAST_DUE, Status.UNPAID)
    if not unpaid:
        row.failure = row.pay_url = ""
    row.state = (State.PAST_DUE if unpaid else State.ACTIVE).value
    session.add(row)


def _gone(session: Session, row: RecurringPack, subscription: Subscription, now: datetime) -> None:
    """A pack that the subscription has no item for: it was removed, and ends with the period that is paid."""
    if row.stripe_revision == row.revision:
        row.next_count = 0
    period = max((item.period_start for item in subscription.items), default=now)
    if subscription.status in ENDED or (row.next_count == 0 and row.renews_at <= period):
        _end(session, row, min(row.renews_at, subscription.ended_at or row.renews_at), now)
    else:
        session.add(row)


def _end(session: Session, row: RecurringPack, at: datetime, now: datetime) -> None:
    """For good; its grants stay what they are."""
    if row.state == State.ENDED:
        return
    row.state, row.next_count, row.ended_at, row.check_at = State.ENDED.value, 0, at, None
    row.stripe_revision = row.revision
    session.add(row)
    payload = {"recurring_pack": row.id, "pack": row.pack, "metric": row.metric}
    key = f"recurring_pack.ended:{row.id}"
    outbox.add(session, row.organization_id, "recurring_pack.ended", key, payload, at, now, row.metric)


def _notify(
    session: Session, owner: int, invoice: Invoice, kind: str, at: datetime, now: datetime, grants: list[GrantRow]
) -> None:
    """Once per invoice, and per attempt to pay it."""
    payload = {
        "subscription": invoice.subscription_id,
        "invoice": invoice.id,
        "total_cents": invoice.total_cents,
        "currency": invoice.currency,
        "failure": invoice.failure if kind.startswith("recurring_pack.payment_failed") else "",
        "pay_url": invoice.hosted_url if not invoice.paid_at else "",
        "grants": [invoice_grants.payload(grant) for grant in grants],
    }
    name = kind.partition(":")[0]
    outbox.add(session, owner, name, f"invoice:{invoice.id}:{kind}", payload, at, now)
