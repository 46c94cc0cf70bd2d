"""Queries on whose an object of Stripe's is, by the ids that are stored."""

from __future__ import annotations

from sqlmodel import Session, col, select

from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.purchases import Order, RecurringPack, TopUpAttempt
from billing_app.store.tables.subscriptions import Subscription


def of_subscription(session: Session, subscription_id: str) -> tuple[int, str] | None:
    """Whose a subscription is, and of which kind: one that is kept, that renews packs, or that an order began."""
    if not subscription_id:
        return None
    kept = select(Subscription.organization_id, Subscription.kind).where(Subscription.id == subscription_id)
    row = session.exec(kept.limit(1)).first()
    if row is not None:
        return row[0], row[1]
    packs = select(RecurringPack.organization_id).where(RecurringPack.subscription_id == subscription_id)
    owner = session.exec(packs.limit(1)).first()
    if owner is not None:
        return owner, "packs"
    order = select(Order.organization_id, Order.kind).where(Order.subscription_id == subscription_id)
    begun = session.exec(order.limit(1)).first()
    return None if begun is None else (begun[0], begun[1])


def of_order(session: Session, order_id: str) -> int | None:
    """Whose an order is; ids of orders are random, and never given twice."""
    query = select(Order.organization_id).where(Order.id == order_id)
    return session.exec(query.limit(1)).first() if order_id else None


def of_payment(session: Session, payment_id: str) -> int | None:
    """Who paid: by what the payment brought."""
    if not payment_id:
        return None
    for table in (Order, GrantRow):
        query = select(col(table.organization_id)).where(col(table.payment_id) == payment_id)
        found = session.exec(query.limit(1)).first()
        if found is not None:
            return found
    return None


def attempt_of_invoice(session: Session, invoice_id: str) -> TopUpAttempt | None:
    """The auto top-up that an invoice is of."""
    query = select(TopUpAttempt).where(TopUpAttempt.invoice_id == invoice_id)
    return session.exec(query.limit(1)).first() if invoice_id else None
