"""One open plan order an organization; what Stripe says of subscriptions and customers; ids of theirs are found by themselves

Revision: 0017
Follows: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN_PLAN = sa.text("kind = 'plan' AND state = 'open'")
EMPTY = sa.text("('')")

# Of several plan orders that were left open the newest stays so. What is paid of another is still found by its session.
CLOSE_OLDER = """
UPDATE orders SET state = 'expired', closed_at = created_at, next_check_at = NULL
WHERE kind = 'plan' AND state = 'open' AND EXISTS (
    SELECT 1 FROM orders AS newer
    WHERE newer.organization_id = orders.organization_id AND newer.kind = 'plan' AND newer.state = 'open'
    AND (newer.created_at > orders.created_at OR (newer.created_at = orders.created_at AND newer.id > orders.id))
)
"""


def upgrade() -> None:
    op.execute(CLOSE_OLDER)
    op.create_index(
        "uq_orders_organization_id_open_plan", "orders", ["organization_id"], unique=True,
        sqlite_where=OPEN_PLAN, postgresql_where=OPEN_PLAN,
    )
    op.create_index("ix_orders_payment_id", "orders", ["payment_id"], unique=False)
    op.create_index("ix_orders_subscription_id", "orders", ["subscription_id"], unique=False)
    op.create_index("ix_grants_payment_id", "grants", ["payment_id"], unique=False)
    op.create_index("ix_recurring_packs_subscription_id", "recurring_packs", ["subscription_id"], unique=False)
    op.create_index("ix_top_up_attempts_invoice_id", "top_up_attempts", ["invoice_id"], unique=False)
    op.create_index("ix_subscriptions_id", "subscriptions", ["id"], unique=False)
    op.add_column("subscriptions", sa.Column("latest_invoice_status", sa.String(length=30), server_default=EMPTY, nullable=False))
    op.add_column("subscriptions", sa.Column("price_known", sa.Boolean(), server_default=sa.text("(true)"), nullable=False))
    op.add_column("subscriptions", sa.Column("decided_price_id", sa.String(length=255), server_default=EMPTY, nullable=False))
    op.add_column("subscriptions", sa.Column("collection", sa.String(length=30), server_default=EMPTY, nullable=False))
    op.add_column("subscriptions", sa.Column("collection_resumes_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payment_disputes", sa.Column("plan", sa.String(length=100), server_default=EMPTY, nullable=False))
    op.create_table("stripe_customers",
    sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
    sa.Column("customer_id", sa.String(length=255), nullable=False),
    sa.Column("name", sa.String(length=500), nullable=False),
    sa.Column("email", sa.String(length=512), nullable=False),
    sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_stripe_customers_organization_id")),
    sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_stripe_customers"))
    )


def downgrade() -> None:
    op.drop_table("stripe_customers")
    op.drop_column("payment_disputes", "plan")
    for name in ("collection_resumes_at", "collection", "decided_price_id", "price_known", "latest_invoice_status"):
        op.drop_column("subscriptions", name)
    op.drop_index("ix_subscriptions_id", table_name="subscriptions")
    op.drop_index("ix_top_up_attempts_invoice_id", table_name="top_up_attempts")
    op.drop_index("ix_recurring_packs_subscription_id", table_name="recurring_packs")
    op.drop_index("ix_grants_payment_id", table_name="grants")
    op.drop_index("ix_orders_subscription_id", table_name="orders")
    op.drop_index("ix_orders_payment_id", table_name="orders")
    op.drop_index("uq_orders_organization_id_open_plan", table_name="orders")
