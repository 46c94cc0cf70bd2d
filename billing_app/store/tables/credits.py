"""Facts about credits: the plans an organization held, its grants, and what happened to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


class PlanChange(Table, table=True):
    """From `at` on the organization holds `plan`. Append-only; the first one has always been held."""

    __tablename__ = "plan_changes"
    __table_args__ = (ForeignKeyConstraint(["organization_id"], ["organizations.id"]),)

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    number: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    plan: str
    at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)
    reason: str = Field(default="", sa_type=Text)


class GrantRow(Table, table=True):
    """One lot of credits (credits.md, Words). `source_key` is the purchase it stands for: one purchase, one grant."""

    __tablename__ = "grants"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("uq_grants_organization_id_source_key", "organization_id", "source_key", unique=True),
        Index("ix_grants_organization_id_metric", "organization_id", "metric"),
        Index("ix_grants_organization_id_payment_id", "organization_id", "payment_id"),
        Index("ix_grants_id", "id"),
        Index("ix_grants_payment_id", "payment_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("expires_at IS NULL OR expires_at > effective_at", name="expiry_after_start"),
        CheckConstraint("paid_cents >= 0", name="paid_cents_not_negative"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True)
    metric: str
    quantity: int = Field(sa_type=Big)
    effective_at: datetime = Field(sa_type=Moment)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)
    priority: int = 50
    paid_cents: int = Field(default=0, sa_type=Big)
    currency: str = ""
    source: str = Field(description="purchase, recurring, top_up, gift_card, operator, conversion")
    source_key: str = Field(description="the purchase, gift card or request that it stands for")
    payment_id: str = Field(default="", description="Stripe's payment intent: a refund or dispute names only that")
    pack: str | None = None
    reason: str = Field(default="", sa_type=Text)
    actor: str = ""


class GrantAction(Table, table=True):
    """A void, a refund, a dispute's new status or a conversion. Append-only; `number` is the recorded order."""

    __tablename__ = "grant_actions"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "grant_id"], ["grants.organization_id", "grants.id"]),
        Index("uq_grant_actions_organization_id_source_key", "organization_id", "source_key", unique=True),
        Index("ix_grant_actions_organization_id_metric", "organization_id", "metric"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    number: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    grant_id: str
    metric: str
    kind: str = Field(description="void, refund, dispute or convert")
    at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)
    refunded_cents: int | None = Field(default=None, sa_type=Big)
    dispute_id: str = ""
    status: str | None = None
    amount_cents: int | None = Field(default=None, sa_type=Big)
    quantity: int | None = Field(default=None, sa_type=Big, description="what a conversion takes")
    source_key: str
    reason: str = Field(default="", sa_type=Text)
    actor: str = ""
