"""Comparisons with Stripe: a row for each run, and one for each thing that it found."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


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
