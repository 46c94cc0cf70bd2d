"""Organizations that end, and what of theirs is to be ended at Stripe."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


class Ending(Table, table=True):
    """Somebody decided that an organization pays for nothing any more. Written before Stripe is asked.

    `scope` says of what: the "organization" as a whole, which is over at `ends_at`; or its "payments" alone, of a part
    that was deactivated. `at_period_end`: what is paid for stays until it runs out. `next_try_at` is when the job does
    the next thing about it: it tells Stripe (`told_at` is null until Stripe knows), and at `ends_at` it closes the
    organization (`done_at`). `subscriptions` are the ids that it has set to end, as JSON. `withdrawn` says that it
    shall not end after all: then just those go on.
    """

    __tablename__ = "organization_endings"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("ix_organization_endings_next_try_at", "next_try_at"),
        CheckConstraint("scope IN ('organization', 'payments')", name="scope"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    scope: str = Field(max_length=20)
    at_period_end: bool
    decided_at: datetime = Field(sa_type=Moment)
    ends_at: datetime = Field(sa_type=Moment)
    reason: str = Field(default="", sa_type=Text)
    actor: str = Field(default="", max_length=254)
    revision: int = Field(default=1, description="grows with every decision, so that an older one is not carried out")
    withdrawn: bool = False
    told_at: datetime | None = Field(default=None, sa_type=Moment)
    done_at: datetime | None = Field(default=None, sa_type=Moment)
    next_try_at: datetime | None = Field(default=None, sa_type=Moment)
    subscriptions: str = Field(default="[]", sa_type=Text)
    tries: int = 0
    error: str = Field(default="", sa_type=Text)
