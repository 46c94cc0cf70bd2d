"""Organizations: the customers of the SaaS company. Shared tables: every tenant table points at `Organization`.

Which organization is part of which are dated facts, because late use belongs to whoever paid when it occurred.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table, new_id


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

    @property
    def pk(self) -> int:
        """Its id, of one that is stored. Raises LookupError before that."""
        if self.id is None:
            raise LookupError(f"{self.address} is not stored yet")
        return self.id


class PageRevision(Table, table=True):
    """Grows with every transaction that changes what the organization's pages show.

    A table of its own, written last in its transaction: whoever debits a meter never waits for whoever holds the
    organization's row, and the order of locks is the same everywhere (organization, meters by name, revision).
    """

    __tablename__ = "page_revisions"

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    revision: int = Field(default=0, sa_type=Big)


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


class Ending(Table, table=True):
    """Somebody decided that an organization pays for nothing any more. Written before Stripe is asked.

    `scope` says of what: the "organization" as a whole, which is over at `ends_at`; or its "payments" alone, of a child
    that was deactivated. `at_period_end`: what is paid for stays until it runs out. `next_try_at` is when the job does
    the next thing about it: it notifies Stripe (`stripe_notified_at` is null until Stripe knows), and at `ends_at` it
    closes the organization (`done_at`). `subscriptions` are the ids that it has set to end, as JSON. `withdrawn` says
    that it shall not end after all: then just those go on.
    """

    __tablename__ = "organization_endings"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("ix_organization_endings_next_try_at", "next_try_at"),
        CheckConstraint("scope IN ('organization', 'payments')", name="scope"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    scope: str = Field(max_length=20)
    at_period_end: bool
    decided_at: datetime = Field(sa_type=Moment)
    ends_at: datetime = Field(sa_type=Moment)
    reason: str = Field(default="", sa_type=Text)
    actor: str = Field(default="", max_length=254)
    revision: int = Field(default=1, description="grows with every decision, so that an older one is not carried out")
    withdrawn: bool = False
    stripe_notified_at: datetime | None = Field(default=None, sa_type=Moment)
    done_at: datetime | None = Field(default=None, sa_type=Moment)
    next_try_at: datetime | None = Field(default=None, sa_type=Moment)
    subscriptions: str = Field(default="[]", sa_type=Text)
    tries: int = 0
    error: str = Field(default="", sa_type=Text)
