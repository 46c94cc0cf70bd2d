"""Queries on refunds and disputes, and on what they did to grants."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from billing_app.store.tables.credits import GrantAction, GrantRow
from billing_app.store.tables.purchases import Order, SavedCard
from billing_app.store.tables.reversals import PaymentDispute, PaymentRefund, RefundRequest


def refund(session: Session, organization_id: int, refund_id: str) -> PaymentRefund | None:
    """A refund as it is in the database now."""
    return session.get(PaymentRefund, (organization_id, refund_id), populate_existing=True)


def dispute(session: Session, organization_id: int, dispute_id: str) -> PaymentDispute | None:
    """A dispute as it is in the database now."""
    return session.get(PaymentDispute, (organization_id, dispute_id), populate_existing=True)


def refunds_of(session: Session, organization_id: int, payment_ids: Iterable[str]) -> list[PaymentRefund]:
    """Refunds of these payments, oldest first."""
    query = select(PaymentRefund).where(
        PaymentRefund.organization_id == organization_id, col(PaymentRefund.payment_id).in_(set(payment_ids))
    )
    return list(session.exec(query.order_by(col(PaymentRefund.created_at), col(PaymentRefund.id))))


def disputes_of(session: Session, organization_id: int, payment_ids: Iterable[str]) -> list[PaymentDispute]:
    """Disputes of these payments, oldest first."""
    query = select(PaymentDispute).where(
        PaymentDispute.organization_id == organization_id, col(PaymentDispute.payment_id).in_(set(payment_ids))
    )
    return list(session.exec(query.order_by(col(PaymentDispute.created_at), col(PaymentDispute.id))))


def paid_by(session: Session, organization_id: int, payment_id: str) -> list[GrantRow]:
    """What a payment paid for: grants with a price, in a stable order."""
    query = select(GrantRow).where(
        GrantRow.organization_id == organization_id,
        GrantRow.payment_id == payment_id,
        col(GrantRow.paid_cents) > 0,
    )
    return list(session.exec(query.order_by(col(GrantRow.source_key))))


def knows_payment(session: Session, organization_id: int, payment_id: str) -> bool:
    """Whether a purchase or a grant of the organization was paid by this payment."""
    order = select(Order.id).where(Order.organization_id == organization_id, Order.payment_id == payment_id)
    grant = select(GrantRow.id).where(GrantRow.organization_id == organization_id, GrantRow.payment_id == payment_id)
    return session.exec(order.limit(1)).first() is not None or session.exec(grant.limit(1)).first() is not None


def actions_on(session: Session, organization_id: int, grant_ids: Iterable[str]) -> list[GrantAction]:
    """Refunds and disputes of these grants, in recorded order."""
    query = select(GrantAction).where(
        GrantAction.organization_id == organization_id,
        col(GrantAction.grant_id).in_(set(grant_ids)),
        col(GrantAction.kind).in_(("refund", "dispute")),
    )
    return list(session.exec(query.order_by(col(GrantAction.number))))


def owner_of_card(session: Session, payment_method_id: str) -> int | None:
    """Who has saved this card for its auto top-ups."""
    query = select(SavedCard.organization_id).where(SavedCard.payment_method_id == payment_method_id)
    return session.exec(query.limit(1)).first()


def request(session: Session, organization_id: int, request_id: str) -> RefundRequest | None:
    """A refund that somebody set out to make, as it is in the database now."""
    return session.get(RefundRequest, (organization_id, request_id), populate_existing=True)


def request_by_key(session: Session, organization_id: int, key: str) -> RefundRequest | None:
    """The refund that was asked for under this key."""
    query = select(RefundRequest).where(RefundRequest.organization_id == organization_id, RefundRequest.key == key)
    return session.exec(query).first()


def requests_on(session: Session, organization_id: int, grant_ids: Iterable[str]) -> list[RefundRequest]:
    """Refunds that were set out to be made of these grants, oldest first."""
    query = select(RefundRequest).where(
        RefundRequest.organization_id == organization_id, col(RefundRequest.grant_id).in_(set(grant_ids))
    )
    return list(session.exec(query.order_by(col(RefundRequest.created_at), col(RefundRequest.id))))


def due_requests(session: Session, now: datetime, limit: int) -> list[RefundRequest]:
    """Refunds that were left in their middle, longest due first."""
    query = select(RefundRequest).where(col(RefundRequest.next_try_at) <= now)
    return list(session.exec(query.order_by(col(RefundRequest.next_try_at)).limit(limit)))
