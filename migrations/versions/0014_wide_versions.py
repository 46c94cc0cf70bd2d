"""Versions of the catalogue in 64 bits, as every other number of a row: what asks for one may say any

Revision: 0014
Follows: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite's whole numbers have 64 bits already
        for name, nullable in (("version", False), ("corrects", True)):
            op.alter_column("catalogue_versions", name, type_=sa.BigInteger(), existing_nullable=nullable)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name, nullable in (("version", False), ("corrects", True)):
            op.alter_column("catalogue_versions", name, type_=sa.Integer(), existing_nullable=nullable)
