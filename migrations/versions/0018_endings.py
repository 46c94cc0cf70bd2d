"""Organizations that end

Revision: 0018
Follows: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table("organization_endings",
    sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
    sa.Column("scope", sa.String(length=20), nullable=False),
    sa.Column("at_period_end", sa.Boolean(), nullable=False),
    sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("actor", sa.String(length=254), nullable=False),
    sa.Column("revision", sa.Integer(), nullable=False),
    sa.Column("withdrawn", sa.Boolean(), nullable=False),
    sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("subscriptions", sa.Text(), nullable=False),
    sa.Column("tries", sa.Integer(), nullable=False),
    sa.Column("error", sa.Text(), nullable=False),
    sa.CheckConstraint("scope IN ('organization', 'payments')", name=op.f("ck_organization_endings_scope")),
    sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_organization_endings_organization_id")),
    sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_organization_endings"))
    )
    op.create_index("ix_organization_endings_next_try_at", "organization_endings", ["next_try_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_organization_endings_next_try_at", table_name="organization_endings")
    op.drop_table("organization_endings")
