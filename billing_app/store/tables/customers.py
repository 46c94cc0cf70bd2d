"""Customers at Stripe: as they were last read there; and those that organizations had before they were deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, Text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


class FormerCustomer(Table, table=True):
    """A customer that was deleted at Stripe. Its payments, refunds and disputes go on being the organization's.

    `had` says in words what ended with it, empty for nothing; `reported_at` is when a comparison told operators so.
    """

    __tablename__ = "former_customers"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("ix_former_customers_customer_id", "customer_id"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    customer_id: str = Field(primary_key=True, max_length=255)
    gone_at: datetime = Field(sa_type=Moment, description="when we noticed")
    had: str = Field(default="", sa_type=Text)
    reported_at: datetime | None = Field(default=None, sa_type=Moment)


class StripeCustomer(Table, table=True):
    """The customer of an organization: the name and e-mail that Stripe writes on invoices and receipts."""

    __tablename__ = "stripe_customers"
    __table_args__ = (ForeignKeyConstraint(["organization_id"], ["organizations.id"]),)

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    customer_id: str = Field(max_length=255)
    name: str = Field(default="", max_length=500)
    email: str = Field(default="", max_length=512)
    read_at: datetime = Field(sa_type=Moment)
