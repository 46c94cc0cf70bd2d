"""What a previewed change of plan was made of

Revision: 0019
Follows: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table("plan_previews",
    sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
    sa.Column("plan", sa.String(length=100), nullable=False),
    sa.Column("interval", sa.String(length=10), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("made_of", sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_plan_previews_organization_id")),
    sa.PrimaryKeyConstraint("organization_id", "plan", "interval", "at", name=op.f("pk_plan_previews"))
    )


def downgrade() -> None:
    op.drop_table("plan_previews")
