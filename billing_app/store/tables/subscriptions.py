"""Subscriptions as they stand at Stripe, and since when an organization's plan is owed for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table

CURRENT = text("current")


class Subscription(Table, table=True):
    """A subscription as it was last read from Stripe; `id` is Stripe's. Only `current` is ours to decide.

    `kind` is "plan", or "packs" for recurring packs. `plan` is what its price sells; where that is none of our plans
    (`price_known` is false) it stays the last one known, unless an operator has decided about this very price
    (`decided_price_id`). `current` is the one subscription whose plan the organization holds. `scheduled_*` is what
    its period end will bring; `cancel_at` when it ends. `past_due_at` is the first failure of what is owed now.
    `collection` is what Stripe does with invoices while it collects nothing (`pause_collection`); empty: it collects.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index(
            "uq_subscriptions_organization_id_current", "organization_id",
            unique=True, sqlite_where=CURRENT, postgresql_where=CURRENT,
        ),
        Index("ix_subscriptions_id", "id"),
        CheckConstraint("kind IN ('plan', 'packs')", name="kind"),
        CheckConstraint("kind = 'plan' OR NOT current", name="only_plans_are_current"),
    )  # fmt: skip

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True, max_length=255)
    kind: str = Field(max_length=10)
    current: bool = False
    status: str = Field(max_length=30, description="Stripe's")
    interval: str = Field(default="", max_length=10, description="month or year")
    plan: str = Field(default="", max_length=100)
    price_id: str = Field(default="", max_length=255)
    price_cents: int = Field(default=0, sa_type=Big, description="per interval, before discounts and taxes")
    currency: str = Field(default="", max_length=3)
    started_at: datetime = Field(sa_type=Moment)
    period_start: datetime = Field(sa_type=Moment)
    period_end: datetime = Field(sa_type=Moment)
    trial_end: datetime | None = Field(default=None, sa_type=Moment)
    cancel_at_period_end: bool = False
    cancel_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    paused: bool = False
    past_due_at: datetime | None = Field(default=None, sa_type=Moment)
    scheduled_plan: str = Field(default="", max_length=100)
    scheduled_interval: str = Field(default="", max_length=10)
    scheduled_at: datetime | None = Field(default=None, sa_type=Moment)
    latest_invoice_id: str = Field(default="", max_length=255)
    latest_invoice_status: str = Field(default="", max_length=30, sa_column_kwargs={"server_default": text("''")})
    price_known: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    decided_price_id: str = Field(default="", max_length=255, sa_column_kwargs={"server_default": text("''")})
    collection: str = Field(default="", max_length=30, sa_column_kwargs={"server_default": text("''")})
    collection_resumes_at: datetime | None = Field(default=None, sa_type=Moment)
    read_at: datetime = Field(sa_type=Moment, description="when it was last read from Stripe")


class PlanPreview(Table, table=True):
    """A change of plan that somebody looked at: what its price was made of (a hash), until it can be accepted no more.

    A change is charged only if it is still made of the same.
    """

    __tablename__ = "plan_previews"
    __table_args__ = (ForeignKeyConstraint(["organization_id"], ["organizations.id"]),)

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    plan: str = Field(primary_key=True, max_length=100)
    interval: str = Field(primary_key=True, max_length=10)
    at: datetime = Field(primary_key=True, sa_type=Moment)
    made_of: str = Field(max_length=64)


class PastDueChange(Table, table=True):
    """From `at` on the organization's plan is owed for (`past_due`), or paid again. Append-only, like plan changes."""

    __tablename__ = "past_due_changes"
    __table_args__ = (ForeignKeyConstraint(["organization_id"], ["organizations.id"]),)

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    number: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    past_due: bool
    at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)
    reason: str = Field(default="", sa_type=Text)
