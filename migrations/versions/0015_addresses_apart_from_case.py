"""Addresses of organizations differ in more than case

Revision: 0015
Follows: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Of those that differ in case alone the first one has the plain key; the others keep their address as it is.
KEYS = (
    "UPDATE organizations SET address_key = lower(address) || CASE WHEN id IN "
    "(SELECT min(id) FROM organizations GROUP BY lower(address)) THEN '' ELSE '#' || CAST(id AS VARCHAR(20)) END"
)


def upgrade() -> None:
    op.add_column("organizations", sa.Column("address_key", sa.String(length=96), nullable=False, server_default=sa.text("''")))
    op.execute(KEYS)
    op.create_index("uq_organizations_address_key", "organizations", ["address_key"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_organizations_address_key", table_name="organizations")
    op.drop_column("organizations", "address_key")
