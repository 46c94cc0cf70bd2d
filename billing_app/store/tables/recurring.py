"""Recurring packs: what an organization buys again every month."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


class RecurringPack(Table, table=True):
    """One pack of a pack subscription at Stripe (decision 7): the packs of one basket share a subscription.

    `quantity`, `price_cents` and `price_id` are of one pack, as it was sold, for ever. `count` is billed now,
    `next_count` from the next renewal on: 0 says that it ends then. `revision` counts what was decided here,
    `told_revision` what Stripe knows of. `check_at` is when the sweep looks after it; null once it has ended.
    `collection`, `collection_resumes_at` and `latest_invoice_status` are the subscription's, as of a plan's.
    """

    __tablename__ = "recurring_packs"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index(
            "uq_recurring_packs_organization_id_subscription_id_pack",
            "organization_id", "subscription_id", "pack", unique=True,
        ),
        Index("ix_recurring_packs_check_at", "check_at"),
        Index("ix_recurring_packs_subscription_id", "subscription_id"),
        CheckConstraint("state IN ('active', 'past_due', 'ended')", name="state"),
        CheckConstraint("next_count >= 0", name="next_count_not_negative"),
    )  # fmt: skip

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True, max_length=64)
    subscription_id: str = Field(max_length=255)
    pack: str = Field(max_length=100)
    metric: str
    quantity: int = Field(sa_type=Big)
    price_cents: int = Field(sa_type=Big)
    currency: str = Field(max_length=3)
    price_id: str = Field(max_length=255)
    count: int
    next_count: int
    state: str = Field(default="active", max_length=20)
    failure: str = Field(default="", sa_type=Text, description="why the last renewal was not paid, for the payer")
    pay_url: str = Field(default="", sa_type=Text, description="where the unpaid renewal can be paid")
    started_at: datetime = Field(sa_type=Moment)
    renews_at: datetime = Field(sa_type=Moment, description="the end of the period that is paid for or owed")
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    check_at: datetime | None = Field(default=None, sa_type=Moment)
    revision: int = Field(default=0)
    told_revision: int = Field(default=0)
    actor: str = Field(default="", max_length=254)
    collection: str = Field(default="", max_length=30, sa_column_kwargs={"server_default": text("''")})
    collection_resumes_at: datetime | None = Field(default=None, sa_type=Moment)
    latest_invoice_status: str = Field(default="", max_length=30, sa_column_kwargs={"server_default": text("''")})
