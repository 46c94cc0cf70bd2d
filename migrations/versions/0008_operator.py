"""Gift cards and what operators do

Revision: 0008
Follows: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("grant_actions", sa.Column("quantity", BIG, nullable=True))
    op.create_table("gift_cards",
    sa.Column("id", sa.Uuid(), nullable=False),
    sa.Column("batch_id", sa.Uuid(), nullable=False),
    sa.Column("name", sa.String(length=100), nullable=False),
    sa.Column("code_hash", sa.String(length=64), nullable=False),
    sa.Column("hint", sa.String(length=32), nullable=False),
    sa.Column("contents", sa.Text(), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("max_redemptions", BIG, nullable=False),
    sa.Column("redemptions", BIG, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("created_by", sa.String(length=254), nullable=False),
    sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("void_reason", sa.Text(), nullable=False),
    sa.CheckConstraint("max_redemptions > 0", name=op.f("ck_gift_cards_max_redemptions_positive")),
    sa.CheckConstraint("redemptions BETWEEN 0 AND max_redemptions", name=op.f("ck_gift_cards_redemptions_within_max")),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_gift_cards")),
    sa.UniqueConstraint("code_hash", name=op.f("uq_gift_cards_code_hash"))
    )
    op.create_index("ix_gift_cards_batch_id", "gift_cards", ["batch_id"], unique=False)
    op.create_table("gift_card_redemptions",
    sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
    sa.Column("card_id", sa.Uuid(), nullable=False),
    sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("actor", sa.String(), nullable=False),
    sa.ForeignKeyConstraint(["card_id"], ["gift_cards.id"], name=op.f("fk_gift_card_redemptions_card_id")),
    sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_gift_card_redemptions_organization_id")),
    sa.PrimaryKeyConstraint("organization_id", "card_id", name=op.f("pk_gift_card_redemptions"))
    )
    op.create_index("ix_gift_card_redemptions_card_id", "gift_card_redemptions", ["card_id"], unique=False)


def downgrade() -> None:
    op.drop_table("gift_card_redemptions")
    op.drop_table("gift_cards")
    op.drop_column("grant_actions", "quantity")
