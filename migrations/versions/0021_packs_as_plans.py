"""What Stripe says of monthly packs beside their state

Revision: 0021
Follows: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

EMPTY = sa.text("('')")


def upgrade() -> None:
    op.add_column("recurring_packs", sa.Column("collection", sa.String(length=30), server_default=EMPTY, nullable=False))
    op.add_column("recurring_packs", sa.Column("collection_resumes_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("recurring_packs", sa.Column("latest_invoice_status", sa.String(length=30), server_default=EMPTY, nullable=False))


def downgrade() -> None:
    op.drop_column("recurring_packs", "latest_invoice_status")
    op.drop_column("recurring_packs", "collection_resumes_at")
    op.drop_column("recurring_packs", "collection")
