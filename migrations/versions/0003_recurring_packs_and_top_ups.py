"""Recurring packs and top-ups

Revision: 0003
Follows: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def _of_an_organization(table: str) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    return (
        sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f(f"fk_{table}_organization_id")),
    )


def upgrade() -> None:
    op.add_column("orders", sa.Column("invoice_id", sa.String(length=255), nullable=True))
    op.create_table(
        "recurring_packs",
        *_of_an_organization("recurring_packs"),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("subscription_id", sa.String(length=255), nullable=False),
        sa.Column("pack", sa.String(length=100), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("quantity", BIG, nullable=False),
        sa.Column("price_cents", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("price_id", sa.String(length=255), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("next_count", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("pay_url", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("renews_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("check_at", MOMENT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("told_revision", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.CheckConstraint("state IN ('active', 'past_due', 'ended')", name=op.f("ck_recurring_packs_state")),
        sa.CheckConstraint("next_count >= 0", name=op.f("ck_recurring_packs_next_count_not_negative")),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_recurring_packs")),
    )
    op.create_index(
        "uq_recurring_packs_organization_id_subscription_id_pack",
        "recurring_packs",
        ["organization_id", "subscription_id", "pack"],
        unique=True,
    )
    op.create_index("ix_recurring_packs_check_at", "recurring_packs", ["check_at"])
    _top_ups()


def _top_ups() -> None:
    op.create_table(
        "auto_top_ups",
        *_of_an_organization("auto_top_ups"),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("threshold", BIG, nullable=False),
        sa.Column("pack", sa.String(length=100), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("cap_cents", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("consent_text", sa.Text(), nullable=False),
        sa.Column("consent_by", sa.String(length=254), nullable=False),
        sa.Column("consent_at", MOMENT, nullable=True),
        sa.Column("armed_at", MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("resting_until", MOMENT, nullable=True),
        sa.Column("capped_until", MOMENT, nullable=True),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.CheckConstraint("threshold >= 0", name=op.f("ck_auto_top_ups_threshold_not_negative")),
        sa.CheckConstraint("cap_cents > 0", name=op.f("ck_auto_top_ups_cap_positive")),
        sa.PrimaryKeyConstraint("organization_id", "metric", name=op.f("pk_auto_top_ups")),
    )
    op.create_index("ix_auto_top_ups_armed_at", "auto_top_ups", ["armed_at"])
    op.create_table(
        "saved_cards",
        *_of_an_organization("saved_cards"),
        sa.Column("payment_method_id", sa.String(length=255), nullable=False),
        sa.Column("customer_id", sa.String(length=255), nullable=False),
        sa.Column("brand", sa.String(length=30), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("expires_month", sa.Integer(), nullable=False),
        sa.Column("expires_year", sa.Integer(), nullable=False),
        sa.Column("setup_id", sa.String(length=255), nullable=False),
        sa.Column("saved_by", sa.String(length=254), nullable=False),
        sa.Column("saved_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_saved_cards")),
    )
    op.create_table(
        "top_up_attempts",
        *_of_an_organization("top_up_attempts"),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("pack", sa.String(length=100), nullable=False),
        sa.Column("quantity", BIG, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("amount_cents", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("payment_method_id", sa.String(length=255), nullable=False),
        sa.Column("customer_id", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("invoice_id", sa.String(length=255), nullable=True),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("worked_until", MOMENT, nullable=True),
        sa.Column("paid_at", MOMENT, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('open', 'paid', 'failed')", name=op.f("ck_top_up_attempts_state")),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_top_up_attempts")),
    )
    is_open = sa.text("state = 'open'")
    op.create_index(
        "uq_top_up_attempts_organization_id_metric_open",
        "top_up_attempts",
        ["organization_id", "metric"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("ix_top_up_attempts_worked_until", "top_up_attempts", ["worked_until"])


def downgrade() -> None:
    for table in ("top_up_attempts", "saved_cards", "auto_top_ups", "recurring_packs"):
        op.drop_table(table)
    op.drop_column("orders", "invoice_id")
