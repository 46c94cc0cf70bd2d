"""The meter of an organization's metric, and the quantities that are reserved on it (credits.md, The fast path)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


class MeterRow(Table, table=True):
    """What a decision needs, in one row. A cache: `stale` or outside `[valid_from, valid_until)` it is computed anew.

    `allowance` null is unlimited. `left` are spendable credits, `level` what a `level` metric holds now. `watched_at`
    is the moment up to which thresholds were looked at; `next_alert_at_used` is the next `used` at which somebody is
    notified (null: nobody). `debits` counts what consume took, so that open pages hear of it (docs/decisions/0015).
    """

    __tablename__ = "meters"
    __table_args__ = (ForeignKeyConstraint(["organization_id"], ["organizations.id"]),)

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    metric: str = Field(primary_key=True)
    stale: bool = True
    period: int = 0
    valid_from: datetime = Field(sa_type=Moment)
    valid_until: datetime = Field(sa_type=Moment)
    allowance: int | None = Field(default=None, sa_type=Big)
    used: int = Field(default=0, sa_type=Big)
    level: int = Field(default=0, sa_type=Big)
    left: int = Field(default=0, sa_type=Big)
    reserved: int = Field(default=0, sa_type=Big)
    debt: int = Field(default=0, sa_type=Big)
    deficit: int = Field(default=0, sa_type=Big)
    next_alert_at_used: int | None = Field(default=None, sa_type=Big)
    watched_at: datetime | None = Field(default=None, sa_type=Moment)
    posted_at: datetime | None = Field(default=None, sa_type=Moment, description="the ledger is complete up to here")
    post_due_at: datetime | None = Field(default=None, sa_type=Moment, description="when it next changes by itself")
    changed: bool = Field(
        default=True, description="something was recorded since the ledger was last brought up to date"
    )
    debits: int = Field(default=0, sa_type=Big, sa_column_kwargs={"server_default": text("0")})


class Reservation(Table, table=True):
    """A quantity held in `[opened_at, holds_until)` until it is confirmed or released (fine point 12)."""

    __tablename__ = "reservations"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("ix_reservations_organization_id_metric_holds_until", "organization_id", "metric", "holds_until"),
        Index("ix_reservations_holds_until", "holds_until"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True)
    metric: str
    quantity: int = Field(sa_type=Big)
    opened_at: datetime = Field(sa_type=Moment)
    holds_until: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    confirmed_quantity: int | None = Field(default=None, sa_type=Big)
    source: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": text("''")})
    """Address of the sub-organization that reserved it; empty for the organization itself."""
