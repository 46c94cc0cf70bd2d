"""Money that went back: refunds and disputes as Stripe last told them, and refunds that operators set out to make."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


class PaymentRefund(Table, table=True):
    """One refund of a payment of this organization. `grant_id` is the grant that it names; empty: the payment."""

    __tablename__ = "payment_refunds"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("ix_payment_refunds_id", "id"),
        Index("ix_payment_refunds_organization_id_payment_id", "organization_id", "payment_id"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True, max_length=255, description="Stripe's, re_...")
    payment_id: str = Field(max_length=255)
    grant_id: str = Field(default="", max_length=255)
    amount_cents: int = Field(sa_type=Big)
    currency: str = Field(max_length=3)
    status: str = Field(max_length=40)
    failure: str = Field(default="", max_length=255)
    created_at: datetime = Field(sa_type=Moment, description="by Stripe's clock")
    changed_at: datetime = Field(sa_type=Moment, description="when we heard of its status")


class PaymentDispute(Table, table=True):
    """One dispute of a payment of this organization. `plan` is the plan that the payment was for; empty: credits."""

    __tablename__ = "payment_disputes"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("ix_payment_disputes_id", "id"),
        Index("ix_payment_disputes_organization_id_payment_id", "organization_id", "payment_id"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True, max_length=255, description="Stripe's, du_...")
    payment_id: str = Field(max_length=255)
    amount_cents: int = Field(sa_type=Big)
    currency: str = Field(max_length=3)
    status: str = Field(max_length=40, description="in Stripe's word")
    reason: str = Field(default="", max_length=255)
    plan: str = Field(default="", max_length=100, sa_column_kwargs={"server_default": text("''")})
    created_at: datetime = Field(sa_type=Moment, description="by Stripe's clock")
    changed_at: datetime = Field(sa_type=Moment, description="when we heard of its status")


class RefundRequest(Table, table=True):
    """A refund that an operator set out to make. Written before Stripe is asked; `id` is in the refund's metadata.

    `next_try_at` is when the sweep continues it; null once it is done or refused.
    """

    __tablename__ = "refund_requests"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "grant_id"], ["grants.organization_id", "grants.id"]),
        Index("uq_refund_requests_organization_id_key", "organization_id", "key", unique=True),
        Index("ix_refund_requests_organization_id_grant_id", "organization_id", "grant_id"),
        Index("ix_refund_requests_next_try_at", "next_try_at"),
        CheckConstraint("state IN ('open', 'done', 'refused')", name="state"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True, max_length=64)
    key: str = Field(max_length=255, description="of whoever asked: the same key is the same refund")
    grant_id: str
    payment_id: str = Field(max_length=255)
    amount_cents: int = Field(sa_type=Big)
    currency: str = Field(max_length=3)
    reason: str = Field(sa_type=Text)
    actor: str = Field(max_length=254)
    state: str = Field(default="open", max_length=20)
    refund_id: str = Field(default="", max_length=255)
    error: str = Field(default="", sa_type=Text, description="why Stripe refused it")
    created_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    next_try_at: datetime | None = Field(default=None, sa_type=Moment)
