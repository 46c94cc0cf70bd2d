"""What came from Stripe: events, stored before anything is done about them, comparisons with it, and customers as they
were last read there, with those that organizations had before they were deleted.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


class InboxEvent(Table, table=True):
    """One event of one source, once. Shared: which organization it is about is known only after it was handled.

    `subject` is whom it is about (a customer, else an object): events of one subject are handled one at a time.
    `next_try_at` is when it is due; null when it was handled, ignored or given up. `payload` is what was received.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("ix_inbox_next_try_at", "next_try_at"),
        Index("ix_inbox_received_at", "received_at", "id"),
        Index(
            "ix_inbox_failed",
            "state",
            postgresql_where=text("state = 'failed'"),
            sqlite_where=text("state = 'failed'"),
        ),
        Index("ix_inbox_subject_next_try_at", "subject", "next_try_at"),
        CheckConstraint("state IN ('new', 'handled', 'failed', 'ignored')", name="state"),
    )

    source: str = Field(primary_key=True, max_length=20)
    id: str = Field(primary_key=True, max_length=255)
    type: str = Field(max_length=255)
    object_id: str = Field(default="", max_length=255)
    subject: str = Field(max_length=255)
    livemode: bool
    payload: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Moment, description="when it happened, by the source's clock")
    received_at: datetime = Field(sa_type=Moment)
    state: str = Field(default="new", max_length=20)
    attempts: int = 0
    next_try_at: datetime | None = Field(default=None, sa_type=Moment)
    handled_at: datetime | None = Field(default=None, sa_type=Moment)
    error: str = Field(default="", sa_type=Text)
    organization_id: int | None = Field(default=None, sa_type=Big)


class ReconciliationRun(Table, table=True):
    """One comparison. `stage` and `cursor` are where it stands: a run that was cut off goes on there."""

    __tablename__ = "reconciliation_runs"
    __table_args__ = (CheckConstraint("state IN ('running', 'finished', 'failed')", name="state"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=Big)
    trigger: str = Field(max_length=20, description="schedule, demand")
    dry: bool = Field(default=False, description="found, and left alone")
    since: datetime = Field(sa_type=Moment, description="what Stripe made from then on is compared")
    state: str = Field(default="running", max_length=20)
    stage: str = Field(default="", max_length=40)
    cursor: str = Field(default="", max_length=255)
    started_at: datetime = Field(sa_type=Moment)
    renewed_at: datetime = Field(sa_type=Moment, description="its last sign of life")
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    compared: int = Field(default=0, description="objects looked at")
    repaired: int = 0
    remaining: int = Field(default=0, description="findings that need a person")
    error: str = Field(default="", sa_type=Text)


class ReconciliationFinding(Table, table=True):
    """One difference between Stripe and us. `code` says which kind; `facts` is JSON for whoever looks closer."""

    __tablename__ = "reconciliation_findings"
    __table_args__ = (
        ForeignKeyConstraint(["run_id"], ["reconciliation_runs.id"]),
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
    )

    run_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    number: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    code: str = Field(max_length=60)
    repaired: bool
    object_id: str = Field(default="", max_length=255, description="Stripe's")
    organization_id: int | None = Field(default=None, sa_type=Big)
    detail: str = Field(sa_type=Text, description="a sentence for an operator")
    found_at: datetime = Field(sa_type=Moment)


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
