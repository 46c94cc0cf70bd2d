"""Subscriptions

Revision: 0002
Follows: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from billing_app.store.common import triggers

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
ORDER_COLUMNS = ("kind", "plan", "interval", "subscription_id")


def upgrade() -> None:
    op.create_table("subscriptions",
    sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
    sa.Column("id", sa.String(length=255), nullable=False),
    sa.Column("kind", sa.String(length=10), nullable=False),
    sa.Column("current", sa.Boolean(), nullable=False),
    sa.Column("status", sa.String(length=30), nullable=False),
    sa.Column("interval", sa.String(length=10), nullable=False),
    sa.Column("plan", sa.String(length=100), nullable=False),
    sa.Column("price_id", sa.String(length=255), nullable=False),
    sa.Column("price_cents", BIG, nullable=False),
    sa.Column("currency", sa.String(length=3), nullable=False),
    sa.Column("started_at", MOMENT, nullable=False),
    sa.Column("period_start", MOMENT, nullable=False),
    sa.Column("period_end", MOMENT, nullable=False),
    sa.Column("trial_end", MOMENT, nullable=True),
    sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
    sa.Column("cancel_at", MOMENT, nullable=True),
    sa.Column("ended_at", MOMENT, nullable=True),
    sa.Column("paused", sa.Boolean(), nullable=False),
    sa.Column("past_due_at", MOMENT, nullable=True),
    sa.Column("scheduled_plan", sa.String(length=100), nullable=False),
    sa.Column("scheduled_interval", sa.String(length=10), nullable=False),
    sa.Column("scheduled_at", MOMENT, nullable=True),
    sa.Column("latest_invoice_id", sa.String(length=255), nullable=False),
    sa.Column("read_at", MOMENT, nullable=False),
    sa.CheckConstraint("kind IN ('plan', 'packs')", name=op.f("ck_subscriptions_kind")),
    sa.CheckConstraint("kind = 'plan' OR NOT current", name=op.f("ck_subscriptions_only_plans_are_current")),
    sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_subscriptions_organization_id")),
    sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_subscriptions"))
    )
    current = sa.text("current")
    op.create_index(
        "uq_subscriptions_organization_id_current", "subscriptions", ["organization_id"],
        unique=True, sqlite_where=current, postgresql_where=current,
    )
    op.create_table("past_due_changes",
    sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
    sa.Column("number", BIG, autoincrement=False, nullable=False),
    sa.Column("past_due", sa.Boolean(), nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.Column("recorded_at", MOMENT, nullable=False),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_past_due_changes_organization_id")),
    sa.PrimaryKeyConstraint("organization_id", "number", name=op.f("pk_past_due_changes"))
    )
    for statement in triggers.added(op.get_bind().dialect.name, "past_due_changes"):
        op.execute(statement)
    op.add_column("orders", sa.Column("kind", sa.String(length=10), server_default=sa.text("'packs'"), nullable=False))
    op.add_column("orders", sa.Column("plan", sa.String(length=100), server_default=sa.text("''"), nullable=False))
    op.add_column("orders", sa.Column("interval", sa.String(length=10), server_default=sa.text("''"), nullable=False))
    op.add_column("orders", sa.Column("subscription_id", sa.String(length=255), nullable=True))


def downgrade() -> None:
    for name in ORDER_COLUMNS:
        op.drop_column("orders", name)
    op.drop_table("past_due_changes")
    op.drop_table("subscriptions")
