"""The append-only ledger (credits.md, The ledger). Triggers refuse UPDATE and DELETE in the database itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, Text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


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
