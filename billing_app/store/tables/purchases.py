"""What an organization set out to buy and what became of it, packs that it buys again every month, and the Stripe
account that is spoken to.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table

OPEN_PLAN = text("kind = 'plan' AND state = 'open'")
"""An order of a plan that somebody may still pay."""


class Order(Table, table=True):
    """One purchase on its way. Written before Stripe is asked; `id` is the idempotency key there.

    `kind` is "packs" or "plan"; of a plan an organization has one open order at most. `items` are the packs as they
    were offered then, as JSON (domain.purchases.baskets); a plan has none, but `plan` and `interval`.
    `session_id` and `url` are Checkout's, null until Stripe has answered. `next_check_at` is when the sweep asks Stripe
    how it went; null once that is known.
    """

    __tablename__ = "orders"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("uq_orders_organization_id_session_id", "organization_id", "session_id", unique=True),
        Index(
            "uq_orders_organization_id_open_plan", "organization_id",
            unique=True, sqlite_where=OPEN_PLAN, postgresql_where=OPEN_PLAN,
        ),
        Index("ix_orders_organization_id_payment_id", "organization_id", "payment_id"),
        Index("ix_orders_session_id", "session_id"),
        Index("ix_orders_payment_id", "payment_id"),
        Index("ix_orders_subscription_id", "subscription_id"),
        Index("ix_orders_created_at", "created_at"),
        Index("ix_orders_next_check_at", "next_check_at"),
        CheckConstraint("state IN ('open', 'paid', 'expired', 'failed')", name="state"),
    )  # fmt: skip

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True, max_length=64)
    items: str = Field(sa_type=Text)
    total_cents: int = Field(sa_type=Big, description="of the offer; once it is paid, what was paid")
    currency: str = Field(max_length=3)
    state: str = Field(default="open", max_length=20)
    session_id: str | None = Field(default=None, max_length=255)
    url: str | None = Field(default=None, sa_type=Text)
    payment_id: str | None = Field(default=None, max_length=255, description="Stripe's payment intent")
    failure: str = Field(default="", sa_type=Text, description="why the last attempt to pay failed, for the payer")
    kind: str = Field(default="packs", max_length=10, sa_column_kwargs={"server_default": text("'packs'")})
    plan: str = Field(default="", max_length=100, sa_column_kwargs={"server_default": text("''")})
    interval: str = Field(
        default="", max_length=10, sa_column_kwargs={"server_default": text("''")}, description="month or year"
    )
    subscription_id: str | None = Field(default=None, max_length=255, description="what it began at Stripe")
    invoice_id: str | None = Field(default=None, max_length=255, description="of a subscription's first payment")
    created_at: datetime = Field(sa_type=Moment)
    paid_at: datetime | None = Field(default=None, sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    next_check_at: datetime | None = Field(default=None, sa_type=Moment)
    checks: int = Field(default=0, description="how often the sweep has asked")
    actor: str = Field(default="", max_length=254)


class PaymentAccount(Table, table=True):
    """The one Stripe account, and test or live mode, that this database has dealings with: a single row."""

    __tablename__ = "payment_account"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    account_id: str = Field(max_length=255)
    livemode: bool
    first_used_at: datetime = Field(sa_type=Moment)


class RecurringPack(Table, table=True):
    """One pack of a pack subscription at Stripe (decision 7): the packs of one basket share a subscription.

    `quantity`, `price_cents` and `price_id` are of one pack, as it was sold, for ever. `count` is billed now,
    `next_count` from the next renewal on: 0 says that it ends then. `revision` counts what was decided here,
    `stripe_revision` what Stripe knows of. `check_at` is when the sweep looks after it; null once it has ended.
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
    stripe_revision: int = Field(default=0)
    actor: str = Field(default="", max_length=254)
    collection: str = Field(default="", max_length=30, sa_column_kwargs={"server_default": text("''")})
    collection_resumes_at: datetime | None = Field(default=None, sa_type=Moment)
    latest_invoice_status: str = Field(default="", max_length=30, sa_column_kwargs={"server_default": text("''")})
