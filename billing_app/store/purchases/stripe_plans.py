"""Queries on what plans are called at Stripe."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, select

from billing_app.store.common.statements import upsert
from billing_app.store.tables.catalogue import StripePlan


def products(session: Session) -> dict[str, str]:
    """The product of each plan that is at Stripe, by plan."""
    return {row.plan: row.product_id for row in session.exec(select(StripePlan))}


def keep(session: Session, plan: str, product_id: str, now: datetime) -> None:
    """Writes down that a plan is this product, once."""
    values = {"plan": plan, "product_id": product_id, "pushed_at": now}
    statement = upsert(session, StripePlan).values(**values).on_conflict_do_nothing()
    session.connection().execute(statement)
