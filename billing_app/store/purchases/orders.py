"""Queries on orders, what they brought, and the Stripe account they were made with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from billing_app.store.common.statements import upsert
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.purchases import Order, PaymentAccount


def add(session: Session, order: Order) -> None:
    """Writes a new order."""
    session.add(order)
    session.flush()


def order(session: Session, organization_id: int, order_id: str) -> Order | None:
    """An order as it is in the database now; whoever changes it holds the organization's row."""
    return session.get(Order, (organization_id, order_id), populate_existing=True)


def count_open(session: Session, organization_id: int) -> int:
    """How many orders can still be paid."""
    query = select(func.count()).select_from(Order)
    return session.exec(query.where(Order.organization_id == organization_id, Order.state == "open")).one()


def by_session(session: Session, organization_id: int, session_id: str) -> Order | None:
    """The order that is paid in this Checkout session."""
    query = select(Order).where(Order.organization_id == organization_id, Order.session_id == session_id)
    return session.exec(query).first()


def of_any_session(session: Session, session_id: str) -> Order | None:
    """The order of a Checkout session, whosever it is."""
    return session.exec(select(Order).where(Order.session_id == session_id).limit(1)).first()


def unchecked(session: Session, now: datetime, limit: int) -> list[Order]:
    """Orders of which it is time to ask Stripe how they went, longest due first."""
    query = select(Order).where(col(Order.next_check_at) <= now)
    return list(session.exec(query.order_by(col(Order.next_check_at)).limit(limit)))


def grants_of(session: Session, order: Order) -> list[GrantRow]:
    """What an order brought, line by line: of its Checkout session, or of its subscription's first invoice."""
    prefix = source_key(order.session_id or "", "") if order.invoice_id is None else f"invoice:{order.invoice_id}:"
    query = select(GrantRow).where(
        GrantRow.organization_id == order.organization_id,
        col(GrantRow.source_key).startswith(prefix, autoescape=True),
    )
    return list(session.exec(query.order_by(col(GrantRow.metric), col(GrantRow.quantity), col(GrantRow.id))))


def source_key(session_id: str, line_id: str) -> str:
    """What makes a paid line one grant."""
    return f"checkout:{session_id}:{line_id}"


def account(session: Session) -> PaymentAccount | None:
    """The account that this database has dealings with."""
    return session.get(PaymentAccount, 1)


def first_account(session: Session, account_id: str, livemode: bool, now: datetime) -> PaymentAccount:
    """Writes the account down, unless another transaction was first; the one that counts."""
    row = PaymentAccount(account_id=account_id, livemode=livemode, first_used_at=now)
    session.connection().execute(upsert(session, PaymentAccount).values(**row.model_dump()).on_conflict_do_nothing())
    return session.get_one(PaymentAccount, 1, populate_existing=True)


def latest(session: Session, organization_id: int, limit: int) -> list[Order]:
    """An organization's newest orders, whatever became of them."""
    query = select(Order).where(Order.organization_id == organization_id)
    return list(session.exec(query.order_by(col(Order.created_at).desc(), col(Order.id)).limit(limit)))
