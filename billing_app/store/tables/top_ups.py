"""Auto top-up: what an organization set, the card it saved for it, and every attempt to charge that."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table

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
