"""Events that came from outside: stored before anything is done about them."""

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
