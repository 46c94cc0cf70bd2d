"""Who changed what: the audit log, which the database itself keeps from being changed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table, new_id


class AuditEntry(Table, table=True):
    """One change. Append-only. `before` and `after` are JSON objects of what differs; neither ever holds a secret.

    `organization_id` is 0 for what belongs to the console as a whole: people, operators' keys, the catalogue.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_organization_id_at", "organization_id", "at", "id"),
        Index("ix_audit_entries_at", "at", "id"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_type=Moment)
    actor: str = Field(max_length=300, description="an e-mail address, key:<id>, or what part of the console did it")
    action: str = Field(max_length=60, description="noun.verb, as member.invited")
    subject: str = Field(default="", max_length=300, description="what was changed, as a person would name it")
    before: str = Field(default="{}", sa_type=Text)
    after: str = Field(default="{}", sa_type=Text)
