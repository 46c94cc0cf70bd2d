"""Features and processes

Revision: 0006
Follows: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table("processes",
    sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
    sa.Column("id", sa.Uuid(), nullable=False),
    sa.Column("state", sa.String(length=20), nullable=False),
    sa.Column("content", sa.Text(), nullable=False),
    sa.Column("title", sa.String(length=200), nullable=False),
    sa.Column("census", BIG, nullable=False),
    sa.Column("revision", sa.Integer(), nullable=False),
    sa.Column("emails", BIG, nullable=False),
    sa.Column("sms", BIG, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("created_by", sa.String(length=300), nullable=False),
    sa.CheckConstraint("state IN ('draft', 'published', 'closed', 'cancelled')", name=op.f("ck_processes_state")),
    sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_processes_organization_id")),
    sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_processes"))
    )
    op.create_index("ix_processes_organization_id_state", "processes", ["organization_id", "state"], unique=False)
    op.create_table("switched_off",
    sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
    sa.Column("kind", sa.String(length=20), nullable=False),
    sa.Column("name", sa.String(length=64), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('feature', 'voting_type')", name=op.f("ck_switched_off_kind")),
    sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_switched_off_organization_id")),
    sa.PrimaryKeyConstraint("organization_id", "kind", "name", name=op.f("pk_switched_off"))
    )


def downgrade() -> None:
    op.drop_table("switched_off")
    op.drop_index("ix_processes_organization_id_state", table_name="processes")
    op.drop_table("processes")
