"""Queries on comparisons with Stripe, and on what is compared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.purchases import Order
from billing_app.store.tables.reversals import PaymentDispute, PaymentRefund
from billing_app.store.tables.stripe import InboxEvent, ReconciliationFinding, ReconciliationRun


def begin(session: Session, row: ReconciliationRun) -> ReconciliationRun:
    """Writes the row of a run that begins."""
    session.add(row)
    session.flush()
    return row


def run(session: Session, run_id: int) -> ReconciliationRun | None:
    """A run as it is in the database now."""
    return session.get(ReconciliationRun, run_id, populate_existing=True)


def unfinished(session: Session, *, dry: bool) -> ReconciliationRun | None:
    """The run that was cut off, if there is one of this kind."""
    query = select(ReconciliationRun).where(ReconciliationRun.state == "running", col(ReconciliationRun.dry).is_(dry))
    return session.exec(query.order_by(col(ReconciliationRun.id).desc()).limit(1)).first()


def runs(session: Session, limit: int, before: int | None = None) -> list[ReconciliationRun]:
    """Runs, newest first, beginning below the number `before`."""
    query = select(ReconciliationRun)
    if before is not None:
        query = query.where(col(ReconciliationRun.id) < before)
    return list(session.exec(query.order_by(col(ReconciliationRun.id).desc()).limit(limit)))


def last_finished(session: Session) -> ReconciliationRun | None:
    """The latest run that came to its end and repaired what it could."""
    query = select(ReconciliationRun).where(
        ReconciliationRun.state == "finished", col(ReconciliationRun.dry).is_(False)
    )
    return session.exec(query.order_by(col(ReconciliationRun.id).desc()).limit(1)).first()


def findings(session: Session, run_id: int, limit: int) -> list[ReconciliationFinding]:
    """What a run found, in the order in which it did."""
    query = select(ReconciliationFinding).where(ReconciliationFinding.run_id == run_id)
    return list(session.exec(query.order_by(col(ReconciliationFinding.number)).limit(limit)))


def has_finding(session: Session, run_id: int, code: str, object_id: str) -> bool:
    """Whether the run found this already, before it was cut off."""
    query = select(ReconciliationFinding.number).where(
        ReconciliationFinding.run_id == run_id,
        ReconciliationFinding.code == code,
        ReconciliationFinding.object_id == object_id,
    )
    return session.exec(query.limit(1)).first() is not None


def next_number(session: Session, run_id: int) -> int:
    """The number of the run's next finding; one holder of the lease writes at a time."""
    query = select(func.max(ReconciliationFinding.number)).where(ReconciliationFinding.run_id == run_id)
    return (session.exec(query).one() or 0) + 1


def received(session: Session, source: str, event_ids: Iterable[str]) -> set[str]:
    """Those of these events that are in the inbox."""
    query = select(InboxEvent.id).where(InboxEvent.source == source, col(InboxEvent.id).in_(set(event_ids)))
    return set(session.exec(query))


def orders_of_sessions(session: Session, session_ids: Iterable[str]) -> dict[str, Order]:
    """Orders by the Checkout session that they are paid in."""
    query = select(Order).where(col(Order.session_id).in_(set(session_ids)))
    return {order.session_id or "": order for order in session.exec(query)}


def paid_orders_between(session: Session, start: datetime, end: datetime, limit: int) -> list[Order]:
    """Paid orders with a session that were made in [start, end), oldest first."""
    query = select(Order).where(
        Order.state == "paid",
        col(Order.session_id).is_not(None),
        col(Order.created_at) >= start,
        col(Order.created_at) < end,
    )
    return list(session.exec(query.order_by(col(Order.created_at)).limit(limit)))


def granted_cents(session: Session, organization_id: int, payment_id: str) -> int:
    """What the grants of a payment cost together."""
    query = select(func.sum(GrantRow.paid_cents)).where(
        GrantRow.organization_id == organization_id, GrantRow.payment_id == payment_id
    )
    return int(session.exec(query).one() or 0)


def invoice_granted(session: Session, organization_id: int, invoice_id: str) -> bool:
    """Whether an invoice has brought grants."""
    query = select(GrantRow.id).where(
        GrantRow.organization_id == organization_id,
        col(GrantRow.source_key).startswith(f"invoice:{invoice_id}:", autoescape=True),
    )
    return session.exec(query.limit(1)).first() is not None


def refunds_by_id(session: Session, refund_ids: Iterable[str]) -> dict[str, PaymentRefund]:
    """Kept refunds by their id at Stripe."""
    query = select(PaymentRefund).where(col(PaymentRefund.id).in_(set(refund_ids)))
    return {row.id: row for row in session.exec(query)}


def disputes_by_id(session: Session, dispute_ids: Iterable[str]) -> dict[str, PaymentDispute]:
    """Kept disputes by their id at Stripe."""
    query = select(PaymentDispute).where(col(PaymentDispute.id).in_(set(dispute_ids)))
    return {row.id: row for row in session.exec(query)}


def open_reversals(session: Session, before: datetime, limit: int) -> list[str]:
    """Payments with a refund on its way or a dispute that is open, both made before a moment: not in any list since."""
    refunds = select(PaymentRefund.payment_id).where(
        col(PaymentRefund.status).in_(("pending", "requires_action")), col(PaymentRefund.created_at) < before
    )
    disputes = select(PaymentDispute.payment_id).where(
        col(PaymentDispute.status).not_in(("won", "lost", "prevented", "warning_closed")),
        col(PaymentDispute.created_at) < before,
    )
    return sorted({*session.exec(refunds.limit(limit)), *session.exec(disputes.limit(limit))})
