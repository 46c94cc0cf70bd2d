"""Which organization is part of which: dated facts, because late use belongs to whoever paid when it occurred."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


class OrganizationParent(Table, table=True):
    """From `at` on the organization is a part of `parent_id`. Append-only; the first one has always been held.

    `organizations.parent_id` is the latest of them, kept where every request reads it.
    """

    __tablename__ = "organization_parents"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        ForeignKeyConstraint(["parent_id"], ["organizations.id"]),
        Index("ix_organization_parents_parent_id", "parent_id"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    number: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    parent_id: int = Field(sa_type=Big)
    at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)


class SourceTotal(Table, table=True):
    """What one sub-organization used of a `sum` metric in one period of the organization that pays for it.

    Written with the events. What the paying organization used itself is the rest of its total, so that organizations
    without sub-organizations have no rows here.
    """

    __tablename__ = "source_totals"

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    metric: str = Field(primary_key=True)
    period: int = Field(primary_key=True)
    source: str = Field(primary_key=True, max_length=64)
    quantity: int = Field(sa_type=Big)
