"""Queries on organizations that end, and on what they still pay for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from billing_app.store.tables.organizations import Ending
from billing_app.store.tables.purchases import AutoTopUp, Order, RecurringPack
from billing_app.store.tables.subscriptions import Subscription


def ending(session: Session, organization_id: int) -> Ending | None:
    """What was decided of an organization, as it is now; whoever changes it holds the organization's row."""
    return session.get(Ending, organization_id, populate_existing=True)


def again(session: Session, organization_id: int, now: datetime) -> None:
    """Something of an organization that ends is billed at Stripe all the same: that is to be told once more."""
    row = ending(session, organization_id)
    if row is not None and not row.withdrawn and row.stripe_notified_at is not None:
        row.stripe_notified_at, row.next_try_at, row.tries = None, now, 0
        session.add(row)


def due(session: Session, now: datetime, limit: int) -> list[int]:
    """Organizations that something is to be done about, those that wait longest first."""
    query = select(Ending.organization_id).where(col(Ending.next_try_at) <= now)
    return list(session.exec(query.order_by(col(Ending.next_try_at)).limit(limit)))


def subscriptions(session: Session, organization_id: int) -> list[Subscription]:
    """Plans that are billed, or would be again."""
    query = select(Subscription).where(
        Subscription.organization_id == organization_id,
        col(Subscription.status).not_in(("canceled", "incomplete_expired", "incomplete")),
    )
    return list(session.exec(query.order_by(col(Subscription.current).desc(), col(Subscription.id))))


def packs(session: Session, organization_id: int) -> list[RecurringPack]:
    """Packs that renew, or are paid until a moment that is to come."""
    query = select(RecurringPack).where(
        RecurringPack.organization_id == organization_id, RecurringPack.state != "ended"
    )
    return list(session.exec(query.order_by(col(RecurringPack.started_at), col(RecurringPack.id))))


def top_ups(session: Session, organization_id: int) -> list[AutoTopUp]:
    """Auto top-ups that are on."""
    query = select(AutoTopUp).where(AutoTopUp.organization_id == organization_id, col(AutoTopUp.enabled))
    return list(session.exec(query.order_by(col(AutoTopUp.metric))))


def open_orders(session: Session, organization_id: int) -> list[Order]:
    """What somebody may still pay on a page of Stripe's."""
    query = select(Order).where(Order.organization_id == organization_id, Order.state == "open")
    return list(session.exec(query.order_by(col(Order.created_at), col(Order.id))))


def of(session: Session, organization_ids: Iterable[int]) -> dict[int, Ending]:
    """What was decided of these organizations."""
    query = select(Ending).where(col(Ending.organization_id).in_(list(organization_ids)))
    return {row.organization_id: row for row in session.exec(query)}
