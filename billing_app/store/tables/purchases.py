"""What an organization set out to buy and what became of it, packs that it buys again every month, auto
top-ups with their card, and the Stripe account that is spoken to.
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


OPEN = text("state = 'open'")


class AutoTopUp(Table, table=True):
    """What is bought of a metric when what is spendable falls to `threshold` or below (credits.md rule 13).

    `count` packs of `pack` each time, for at most `cap_cents` a calendar month (UTC). `armed_at` is since when it is to
    be charged; null while there is enough. After a failure it rests until `resting_until`; `failures` counts those in a
    row, and the third one turns it off. `capped_until` is the start of the month in which it may buy again.
    `consent_text` is what the person `consent_by` agreed to.
    """

    __tablename__ = "auto_top_ups"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("ix_auto_top_ups_armed_at", "armed_at"),
        CheckConstraint("threshold >= 0", name="threshold_not_negative"),
        CheckConstraint("cap_cents > 0", name="cap_positive"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    metric: str = Field(primary_key=True)
    enabled: bool
    threshold: int = Field(sa_type=Big)
    pack: str = Field(max_length=100)
    count: int
    cap_cents: int = Field(sa_type=Big)
    currency: str = Field(max_length=3)
    consent_text: str = Field(default="", sa_type=Text)
    consent_by: str = Field(default="", max_length=254)
    consent_at: datetime | None = Field(default=None, sa_type=Moment)
    armed_at: datetime | None = Field(default=None, sa_type=Moment)
    failures: int = Field(default=0)
    failure: str = Field(default="", sa_type=Text, description="why the last attempt was not paid, for the payer")
    resting_until: datetime | None = Field(default=None, sa_type=Moment)
    capped_until: datetime | None = Field(default=None, sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class SavedCard(Table, table=True):
    """The one card that an organization's auto top-ups are charged to. `customer_id` is whose it is at Stripe."""

    __tablename__ = "saved_cards"
    __table_args__ = (ForeignKeyConstraint(["organization_id"], ["organizations.id"]),)

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    payment_method_id: str = Field(max_length=255)
    customer_id: str = Field(max_length=255)
    brand: str = Field(max_length=30)
    last4: str = Field(max_length=4)
    expires_month: int
    expires_year: int
    setup_id: str = Field(max_length=255, description="Stripe's setup intent: a later one replaces an earlier one")
    saved_by: str = Field(default="", max_length=254)
    saved_at: datetime = Field(sa_type=Moment)


class TopUpAttempt(Table, table=True):
    """One attempt to buy. `id` is the idempotency key at Stripe; one may be open per organization and metric.

    `worked_until` is how long whoever works on it has it for themselves; after that another continues it.
    """

    __tablename__ = "top_up_attempts"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index(
            "uq_top_up_attempts_organization_id_metric_open", "organization_id", "metric",
            unique=True, sqlite_where=OPEN, postgresql_where=OPEN,
        ),
        Index("ix_top_up_attempts_worked_until", "worked_until"),
        Index("ix_top_up_attempts_invoice_id", "invoice_id"),
        CheckConstraint("state IN ('open', 'paid', 'failed')", name="state"),
    )  # fmt: skip

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True, max_length=64)
    metric: str
    pack: str = Field(max_length=100)
    quantity: int = Field(sa_type=Big, description="of one pack")
    count: int
    amount_cents: int = Field(sa_type=Big, description="of all of them, before taxes; once paid, what was paid")
    currency: str = Field(max_length=3)
    payment_method_id: str = Field(max_length=255)
    customer_id: str = Field(max_length=255)
    state: str = Field(default="open", max_length=20)
    invoice_id: str | None = Field(default=None, max_length=255)
    failure: str = Field(default="", sa_type=Text)
    started_at: datetime = Field(sa_type=Moment)
    worked_until: datetime | None = Field(default=None, sa_type=Moment, description="null once it is closed")
    paid_at: datetime | None = Field(default=None, sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
