"""Notifications

Revision: 0007
Follows: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("outbox", sa.Column("fanned_out_at", MOMENT, nullable=True))
    # What was written before there was anybody to tell it to is history, not news.
    op.execute("UPDATE outbox SET fanned_out_at = recorded_at")
    waiting = sa.text("fanned_out_at IS NULL")
    op.create_index(
        "ix_outbox_waiting", "outbox", ["organization_id", "id"], postgresql_where=waiting, sqlite_where=waiting
    )
    # Meters must learn of the moments at which credits that end are spoken of.
    op.execute("UPDATE meters SET stale = true, changed = true")

    op.create_table('notification_choices',
    sa.Column('organization_id', BIG, nullable=False),
    sa.Column('audience', sa.String(length=60), nullable=False),
    sa.Column('kind', sa.String(length=60), nullable=False),
    sa.Column('told', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_notification_choices_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'audience', 'kind', name=op.f('pk_notification_choices'))
    )
    op.create_table('webhook_endpoints',
    sa.Column('organization_id', BIG, nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('url', sa.String(length=2000), nullable=False),
    sa.Column('description', sa.String(length=100), nullable=False),
    sa.Column('secret', sa.String(length=100), nullable=False),
    sa.Column('old_secret', sa.String(length=100), nullable=False),
    sa.Column('old_secret_until', MOMENT, nullable=True),
    sa.Column('created_by', sa.String(length=254), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('failing_since', MOMENT, nullable=True),
    sa.Column('disabled_at', MOMENT, nullable=True),
    sa.Column('disabled_reason', sa.String(length=500), nullable=False),
    sa.Column('deleted_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_webhook_endpoints_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_webhook_endpoints'))
    )
    op.create_table('deliveries',
    sa.Column('organization_id', BIG, autoincrement=False, nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('message_id', sa.Uuid(), nullable=False),
    sa.Column('channel', sa.String(length=20), nullable=False),
    sa.Column('target', sa.Uuid(), nullable=False),
    sa.Column('address', sa.String(length=2000), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('next_try_at', MOMENT, nullable=True),
    sa.Column('claim', sa.String(length=32), nullable=False),
    sa.Column('claimed_until', MOMENT, nullable=True),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('finished_at', MOMENT, nullable=True),
    sa.CheckConstraint("channel IN ('webhook', 'mail')", name=op.f('ck_deliveries_channel')),
    sa.CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name=op.f('ck_deliveries_state')),
    sa.ForeignKeyConstraint(['organization_id', 'message_id'], ['outbox.organization_id', 'outbox.id'], name=op.f('fk_deliveries_organization_id_message_id')),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_deliveries'))
    )
    op.create_index('uq_deliveries_organization_id_message_id_channel_target', 'deliveries', ['organization_id', 'message_id', 'channel', 'target'], unique=True)
    op.create_index('ix_deliveries_next_try_at', 'deliveries', ['next_try_at'], unique=False)
    op.create_table('delivery_attempts',
    sa.Column('organization_id', BIG, autoincrement=False, nullable=False),
    sa.Column('delivery_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('started_at', MOMENT, nullable=False),
    sa.Column('duration_ms', sa.Integer(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('error', sa.String(length=500), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id', 'delivery_id'], ['deliveries.organization_id', 'deliveries.id'], name=op.f('fk_delivery_attempts_organization_id_delivery_id')),
    sa.PrimaryKeyConstraint('organization_id', 'delivery_id', 'number', name=op.f('pk_delivery_attempts'))
    )


def downgrade() -> None:
    op.drop_table("delivery_attempts")
    op.drop_table("deliveries")
    op.drop_table("webhook_endpoints")
    op.drop_table("notification_choices")
    op.drop_index("ix_outbox_waiting", table_name="outbox")
    op.drop_column("outbox", "fanned_out_at")
