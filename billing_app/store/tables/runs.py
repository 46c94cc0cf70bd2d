"""Jobs: the lease that lets one run at a time, and a row for each run."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


class Lease(Table, table=True):
    """Who may run a job, and until when. A holder that dies loses it by time."""

    __tablename__ = "leases"

    name: str = Field(primary_key=True)
    holder: str
    expires_at: datetime = Field(sa_type=Moment)


class RecountRun(Table, table=True):
    """One recount: when, why, what it saw and changed, how long it took, and what went wrong."""

    __tablename__ = "recount_runs"

    id: int | None = Field(default=None, primary_key=True, sa_type=Big)
    trigger: str = Field(description="schedule, catch_up, demand")
    as_of: datetime = Field(sa_type=Moment)
    started_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    organizations_seen: int = 0
    organizations_changed: int = 0
    entries: int = 0
    repaired: int = Field(
        default=0,
        sa_column_kwargs={"server_default": text("0")},
        description="organizations that a clock which was ahead had left with figures of a moment that has not come",
    )
    duration_ms: int | None = None
    error: str | None = Field(default=None, sa_type=Text)
