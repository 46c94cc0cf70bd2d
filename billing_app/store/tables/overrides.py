"""What the operator gives one organization beside its plan."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table, new_id


class OrganizationOverride(Table, table=True):
    """In `[starts_at, ends_at)` this stands in place of what the plan says; null `ends_at` is without end.

    `value` of a limit is a number, null unlimited; of a feature, a voting type or customURL 1 or 0. An override that
    is replaced or taken back before its time has `ended_at`: nothing is deleted.
    """

    __tablename__ = "organization_overrides"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("ix_organization_overrides_organization_id_kind_name", "organization_id", "kind", "name"),
        CheckConstraint("kind IN ('limit', 'feature', 'voting_type')", name="kind"),
        CheckConstraint("value >= 0", name="value_not_negative"),
        CheckConstraint("ends_at > starts_at", name="end_after_start"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str = Field(max_length=20)
    name: str = Field(max_length=64)
    value: int | None = Field(default=None, sa_type=Big)
    starts_at: datetime = Field(sa_type=Moment)
    ends_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    reason: str = Field(sa_type=Text)
    actor: str = Field(max_length=300)
