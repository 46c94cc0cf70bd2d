"""Events for the outside: written with the facts that caused them, delivered later."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table, new_id


class OutboxMessage(Table, table=True):
    """Something that an organization is to be told. `key` makes it once: the same key is the same message."""

    __tablename__ = "outbox"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("uq_outbox_organization_id_key", "organization_id", "key", unique=True),
        Index(
            "ix_outbox_waiting",
            "organization_id", "id",
            postgresql_where=text("fanned_out_at IS NULL"), sqlite_where=text("fanned_out_at IS NULL"),
        ),
        Index("ix_outbox_fanned_out_at", "fanned_out_at"),
    )  # fmt: skip

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: UUID = Field(primary_key=True, default_factory=new_id)
    kind: str
    metric: str | None = None
    key: str
    payload: str = Field(sa_type=Text)
    occurred_at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)
    fanned_out_at: datetime | None = Field(default=None, sa_type=Moment, description="when its deliveries were made")


class ThresholdMark(Table, table=True):
    """The highest percentage told so far of a period's plan or of a grant's credits; for `blocked`, 0 or 1."""

    __tablename__ = "threshold_marks"
    __table_args__ = (ForeignKeyConstraint(["organization_id"], ["organizations.id"]),)

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    metric: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    percent: int
