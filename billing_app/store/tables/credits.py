"""Facts about credits: the plans an organization held, its grants, gift cards, and what happened to them.

And the append-only ledger (credits.md, The ledger): triggers refuse UPDATE and DELETE in the database itself.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from billing_app.store.tables.access import HASH_LENGTH
from billing_app.store.tables.base import Big, Moment, Table, new_id


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
        Index("ix_grants_organization_id_metric_effective_at", "organization_id", "metric", "effective_at"),
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
        Index("ix_grant_actions_organization_id_metric_at", "organization_id", "metric", "at"),
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


class LedgerEntry(Table, table=True):
    """One movement of credits. The sum over a grant is what is left of it, over a metric it is the balance.

    `bucket` names what the row belongs to, such as the burns of one grant by one period; a recount posts the difference
    between a bucket's sum and what the engine says. `idempotency_key` is bucket and row count: two recounts that would
    post the same difference collide.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("uq_ledger_entries_organization_id_idempotency_key", "organization_id", "idempotency_key", unique=True),
        Index("ix_ledger_entries_organization_id_metric_number", "organization_id", "metric", "number"),
        Index("ix_ledger_entries_organization_id_grant_id", "organization_id", "grant_id"),
        Index("ix_ledger_entries_organization_id_bucket", "organization_id", "bucket"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    number: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    metric: str
    kind: str
    quantity: int = Field(sa_type=Big)
    balance_after: int = Field(sa_type=Big)
    grant_id: str | None = None
    period: int
    occurred_at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)
    reason: str = Field(sa_type=Text)
    source: str = ""
    bucket: str
    idempotency_key: str


class EngineSnapshot(Table, table=True):
    """The engine's state of a metric at `at`, an instant before a period's turn (decision 27). A cache: it may go.

    It holds while `rules`, the digest of what was in force, and the numbers of `grants` and `actions` until `at` are
    what they were. Entries of the ledger up to `ledger_number` are older than `at`. `head` is a JSON object.
    """

    __tablename__ = "engine_snapshots"
    __table_args__ = (ForeignKeyConstraint(["organization_id"], ["organizations.id"]),)

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    metric: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Moment)
    rules: str = Field(max_length=HASH_LENGTH)
    grants: int = Field(sa_type=Big)
    actions: int = Field(sa_type=Big)
    ledger_number: int = Field(sa_type=Big)
    head: str = Field(sa_type=Text)


class GrantSnapshot(Table, table=True):
    """Where a grant's credits were at the moment of its metric's snapshot; once `closed`, at an earlier one.

    Of a `closed` one nothing was left that time or use could move. `position` is a JSON object.
    """

    __tablename__ = "grant_snapshots"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "grant_id"], ["grants.organization_id", "grants.id"]),
        Index(
            "ix_grant_snapshots_organization_id_metric",
            "organization_id",
            "metric",
            postgresql_where=text("NOT closed"),
            sqlite_where=text("NOT closed"),
        ),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    grant_id: str = Field(primary_key=True)
    metric: str
    closed: bool
    position: str = Field(sa_type=Text)


class GiftCard(Table, table=True):
    """A code that becomes credits. Only its hash is stored; `hint` is what people recognise it by.

    `contents` is a JSON object of metrics and quantities in base units. `redemptions` counts up to `max_redemptions`
    in one statement, so that two who take the last one at once do not both get it.
    """

    __tablename__ = "gift_cards"
    __table_args__ = (
        CheckConstraint("max_redemptions > 0", name="max_redemptions_positive"),
        CheckConstraint("redemptions BETWEEN 0 AND max_redemptions", name="redemptions_within_max"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    batch_id: UUID = Field(index=True)
    name: str = Field(max_length=100)
    code_hash: str = Field(max_length=HASH_LENGTH, unique=True)
    hint: str = Field(max_length=32)
    contents: str = Field(sa_type=Text)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    max_redemptions: int = Field(sa_type=Big)
    redemptions: int = Field(default=0, sa_type=Big)
    created_at: datetime = Field(sa_type=Moment)
    created_by: str = Field(default="", max_length=254)
    voided_at: datetime | None = Field(default=None, sa_type=Moment)
    void_reason: str = Field(default="", sa_type=Text)


class GiftCardRedemption(Table, table=True):
    """An organization redeemed a card: its key says that it does so once."""

    __tablename__ = "gift_card_redemptions"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        ForeignKeyConstraint(["card_id"], ["gift_cards.id"]),
        Index("ix_gift_card_redemptions_card_id", "card_id"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    card_id: UUID = Field(primary_key=True)
    redeemed_at: datetime = Field(sa_type=Moment)
    actor: str = ""
