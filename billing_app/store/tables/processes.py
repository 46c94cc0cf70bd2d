"""Processes, and what an organization has switched off of what its plan includes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table, new_id


class Process(Table, table=True):
    """One process. `content` is what was filled in, as JSON (domain.processes.processes); `revision` grows with every
    change.

    `emails` and `sms` are what publishing took of these metrics; closing gives back what was not sent.
    """

    __tablename__ = "processes"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("ix_processes_organization_id_state", "organization_id", "state"),
        CheckConstraint("state IN ('draft', 'published', 'closed', 'cancelled')", name="state"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: UUID = Field(default_factory=new_id, primary_key=True)
    state: str = Field(default="draft", max_length=20)
    content: str = Field(sa_type=Text)
    title: str = Field(default="", max_length=200)
    census: int = Field(default=0, sa_type=Big)
    revision: int = 1
    emails: int = Field(default=0, sa_type=Big)
    sms: int = Field(default=0, sa_type=Big)
    created_at: datetime = Field(sa_type=Moment)
    changed_at: datetime = Field(sa_type=Moment)
    published_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    created_by: str = Field(default="", max_length=300)


class SwitchedOff(Table, table=True):
    """A feature or way of voting that an admin has switched off. It says nothing about whether the plan has it."""

    __tablename__ = "switched_off"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        CheckConstraint("kind IN ('feature', 'voting_type')", name="kind"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(primary_key=True, max_length=20)
    name: str = Field(primary_key=True, max_length=64)
    at: datetime = Field(sa_type=Moment)
