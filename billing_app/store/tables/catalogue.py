"""The catalogue as dated facts: every version that was ever loaded, whole (docs/decisions/0002). And what plans are
called at Stripe, once they are there.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table


class CatalogueVersion(Table, table=True):
    """One version. Append-only: an edit is a new row, and so is a correction of an earlier row.

    `document` is the whole catalogue as JSON, with what is kept because it is in use; `digest` names it by what it
    says. `file_digest` names the file that it was loaded from, before anything was kept; null for the editor's.
    A row that `corrects` another stands in its place as if the other had never held: it has the other's `effective_at`.
    """

    __tablename__ = "catalogue_versions"
    __table_args__ = (
        ForeignKeyConstraint(["corrects"], ["catalogue_versions.version"]),
        # One correction per version: a correction of a correction corrects the correction.
        Index("uq_catalogue_versions_corrects", "corrects", unique=True),
        Index("ix_catalogue_versions_effective_at", "effective_at"),
        CheckConstraint("version > 0", name="version_positive"),
        CheckConstraint("corrects < version", name="corrects_an_earlier_one"),
    )

    version: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    document: str = Field(sa_type=Text)
    digest: str = Field(max_length=64)
    file_digest: str | None = Field(default=None, max_length=64)
    effective_at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)
    source: str = Field(max_length=300, description="where it came from: a file's name, an operator")
    corrects: int | None = Field(default=None, sa_type=Big)


class StripePlan(Table, table=True):
    """A plan that was brought to Stripe: the product there. Of the whole console, as the catalogue is."""

    __tablename__ = "stripe_plans"

    plan: str = Field(primary_key=True, max_length=255)
    product_id: str = Field(max_length=255)
    pushed_at: datetime = Field(sa_type=Moment, description="when it was first seen there")
