"""Customers that were deleted at Stripe are remembered

Revision: 0012
Follows: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "former_customers",
        sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.String(length=255), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("had", sa.Text(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_former_customers_organization_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", "customer_id", name=op.f("pk_former_customers")),
    )
    op.create_index("ix_former_customers_customer_id", "former_customers", ["customer_id"])


def downgrade() -> None:
    op.drop_table("former_customers")
