"""Raw usage, its keys, and the roll-ups that make reading it cheap."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


class UsageRow(Table, table=True):
    """One accepted usage event, for ever. `key` is the caller's id of it."""

    __tablename__ = "usage_events"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("ix_usage_events_organization_id_metric_occurred_at", "organization_id", "metric", "occurred_at"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: UUID = Field(primary_key=True)
    metric: str
    quantity: int = Field(sa_type=Big)
    subject: str | None = None
    occurred_at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)
    key: str | None = None
    source: str = Field(default="", description="address of the sub-organization that it was reported for")


class UsageKey(Table, table=True):
    """A usage key that was seen: the same key is the same event (fine point 15). `digest` tells a differing one."""

    __tablename__ = "usage_keys"

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    key: str = Field(primary_key=True)
    digest: str
    occurred_at: datetime = Field(sa_type=Moment)


class UsageHour(Table, table=True):
    """What an hour's events amount to. Written with the events, in the same transaction.

    `quantity` is the sum (`sum`), the subjects first seen in the period then (`unique`), or the highest level (`max`,
    `level`); `level` is the last level. `exact` is false once the hour holds a correction, so that it must be read
    event by event. `last_at` is the moment of its latest event, `recorded_at` the last time that something was
    counted into it: who asks what was known later than that may take the hour as it is.
    """

    __tablename__ = "usage_hours"

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    metric: str = Field(primary_key=True)
    hour: datetime = Field(primary_key=True, sa_type=Moment)
    quantity: int = Field(sa_type=Big)
    level: int = Field(default=0, sa_type=Big)
    last_at: datetime = Field(sa_type=Moment)
    events: int = Field(default=0, sa_type=Big)
    exact: bool = True
    recorded_at: datetime = Field(sa_type=Moment)


class UsageSubject(Table, table=True):
    """When a subject was first seen in a period, for `unique` metrics. `period` is the period's number."""

    __tablename__ = "usage_subjects"
    __table_args__ = (Index("ix_usage_subjects_first_seen", "organization_id", "metric", "first_seen_at"),)

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    metric: str = Field(primary_key=True)
    period: int = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    first_seen_at: datetime = Field(sa_type=Moment)
    source: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": text("''")})
    """Address of the sub-organization that saw it first; empty for the organization itself."""


class IdempotencyKey(Table, table=True):
    """The first answer to a request that may be repeated. `space` keeps the kinds of request apart (fine point 15)."""

    __tablename__ = "idempotency_keys"
    # Written by every consume, read by the sweep alone: on PostgreSQL the index that costs next to nothing to keep.
    __table_args__ = (Index("ix_idempotency_keys_recorded_at", "recorded_at", postgresql_using="brin"),)

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    space: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    digest: str
    answer: str
    recorded_at: datetime = Field(sa_type=Moment)
