"""What plans are called at Stripe, once they are there."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from billing_app.store.tables.base import Moment, Table


class StripePlan(Table, table=True):
    """A plan that was brought to Stripe: the product there. Of the whole console, as the catalogue is."""

    __tablename__ = "stripe_plans"

    plan: str = Field(primary_key=True, max_length=255)
    product_id: str = Field(max_length=255)
    pushed_at: datetime = Field(sa_type=Moment, description="when it was first seen there")
