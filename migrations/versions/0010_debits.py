"""How often consume took from a meter

Revision: 0010
Follows: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("meters", sa.Column("debits", BIG, server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    op.drop_column("meters", "debits")
