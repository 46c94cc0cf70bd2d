"""Organizations: the customers of the SaaS company. A shared table: every tenant table points at it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


class Organization(Table, table=True):
    """One customer. `address` is its public name in URLs and is never given to another.

    `anchor` fixes its metering periods for ever (credits.md, Words). `revision` grows with every transaction that
    changes what its pages show. `recounted_at` is the moment up to which its ledger is complete; None before the first.
    """

    __tablename__ = "organizations"

    id: int | None = Field(default=None, primary_key=True, sa_type=Big)
    address: str = Field(max_length=64, unique=True)
    name: str = Field(max_length=200)
    type: str = Field(default="", max_length=100)
    description: str = Field(default="", max_length=2_000)
    size: str = Field(default="", max_length=50)
    color: str = Field(default="", max_length=50)
    logo: str = Field(default="", max_length=2_000)
    subdomain: str = Field(default="", max_length=63)
    timezone: str = Field(default="UTC", max_length=64)
    country: str = Field(default="", max_length=2)
    active: bool = Field(default=True)
    anchor: datetime = Field(sa_type=Moment)
    stripe_customer_id: str | None = Field(default=None, max_length=255, unique=True)
    revision: int = Field(default=0, sa_type=Big)
    created_at: datetime = Field(sa_type=Moment)
    recounted_at: datetime | None = Field(default=None, sa_type=Moment)
