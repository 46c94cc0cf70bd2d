"""The engine's state kept at a period's turn, and indexes for what happened since

Revision: 0023
Follows: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "engine_snapshots",
        sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("rules", sa.String(length=64), nullable=False),
        sa.Column("grants", BIG, nullable=False),
        sa.Column("actions", BIG, nullable=False),
        sa.Column("ledger_number", BIG, nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_engine_snapshots_organization_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", "metric", name=op.f("pk_engine_snapshots")),
    )
    op.create_table(
        "grant_snapshots",
        sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "grant_id"],
            ["grants.organization_id", "grants.id"],
            name=op.f("fk_grant_snapshots_organization_id_grant_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "grant_id", name=op.f("pk_grant_snapshots")),
    )
    is_open = sa.text("NOT closed")
    op.create_index(
        "ix_grant_snapshots_organization_id_metric",
        "grant_snapshots",
        ["organization_id", "metric"],
        postgresql_where=is_open,
        sqlite_where=is_open,
    )
    op.create_index(
        "ix_grants_organization_id_metric_effective_at", "grants", ["organization_id", "metric", "effective_at"]
    )
    op.drop_index("ix_grants_organization_id_metric", table_name="grants")
    op.create_index("ix_grant_actions_organization_id_metric_at", "grant_actions", ["organization_id", "metric", "at"])
    op.drop_index("ix_grant_actions_organization_id_metric", table_name="grant_actions")
    op.create_index("ix_ledger_entries_organization_id_bucket", "ledger_entries", ["organization_id", "bucket"])


def downgrade() -> None:
    op.drop_index("ix_ledger_entries_organization_id_bucket", table_name="ledger_entries")
    op.create_index("ix_grant_actions_organization_id_metric", "grant_actions", ["organization_id", "metric"])
    op.drop_index("ix_grant_actions_organization_id_metric_at", table_name="grant_actions")
    op.create_index("ix_grants_organization_id_metric", "grants", ["organization_id", "metric"])
    op.drop_index("ix_grants_organization_id_metric_effective_at", table_name="grants")
    op.drop_table("grant_snapshots")
    op.drop_table("engine_snapshots")
