"""Organizations: the customers of the SaaS company. A shared table: every tenant table points at it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


def _key(context: Any) -> str:
    return context.get_current_parameters()["address"].lower()


class Organization(Table, table=True):
    """One customer. `address` is its public name in URLs and is never given to another, nor is one that differs from
    it in case alone: `address_key` is unique, too. (Of two that were there before, the later one's key has its id.)

    `anchor` fixes its metering periods for ever (credits.md, Words). `recounted_at` is the moment up to
    which its ledger is complete; None before the first. `held_at` is the latest moment of an operation under its lock
    (credits.md, fine point 17). `parent_id` is the organization that this one is a part of.
    """

    __tablename__ = "organizations"
    __table_args__ = (
        Index(
            "uq_organizations_subdomain",
            "subdomain",
            unique=True,
            sqlite_where=text("subdomain <> ''"),
            postgresql_where=text("subdomain <> ''"),
        ),
        Index("uq_organizations_address_key", "address_key", unique=True),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Big)
    address: str = Field(max_length=64, unique=True)
    address_key: str | None = Field(
        default=None, max_length=96, nullable=False, sa_column_kwargs={"default": _key, "server_default": text("''")}
    )
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
    created_at: datetime = Field(sa_type=Moment)
    recounted_at: datetime | None = Field(default=None, sa_type=Moment)
    held_at: datetime | None = Field(default=None, sa_type=Moment)
    parent_id: int | None = Field(default=None, sa_type=Big, foreign_key="organizations.id", index=True)


class PageRevision(Table, table=True):
    """Grows with every transaction that changes what the organization's pages show.

    A table of its own, written last in its transaction: whoever debits a meter never waits for whoever holds the
    organization's row, and the order of locks is the same everywhere (organization, meters by name, revision).
    """

    __tablename__ = "page_revisions"

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    revision: int = Field(default=0, sa_type=Big)
