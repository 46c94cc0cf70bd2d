"""Reconciliation

Revision: 0004
Follows: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_index("ix_inbox_received_at", "inbox", ["received_at", "id"])
    op.create_index("ix_grants_id", "grants", ["id"])
    op.create_index("ix_orders_session_id", "orders", ["session_id"])
    op.create_index("ix_orders_created_at", "orders", ["created_at"])

    op.create_table('payment_refunds',
    sa.Column('organization_id', BIG, autoincrement=False, nullable=False),
    sa.Column('id', sa.String(length=255), nullable=False),
    sa.Column('payment_id', sa.String(length=255), nullable=False),
    sa.Column('grant_id', sa.String(length=255), nullable=False),
    sa.Column('amount_cents', BIG, nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('failure', sa.String(length=255), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('changed_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_payment_refunds_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_payment_refunds'))
    )
    op.create_index('ix_payment_refunds_id', 'payment_refunds', ['id'])
    op.create_index('ix_payment_refunds_organization_id_payment_id', 'payment_refunds', ['organization_id', 'payment_id'])

    op.create_table('payment_disputes',
    sa.Column('organization_id', BIG, autoincrement=False, nullable=False),
    sa.Column('id', sa.String(length=255), nullable=False),
    sa.Column('payment_id', sa.String(length=255), nullable=False),
    sa.Column('amount_cents', BIG, nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('reason', sa.String(length=255), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('changed_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_payment_disputes_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_payment_disputes'))
    )
    op.create_index('ix_payment_disputes_id', 'payment_disputes', ['id'])
    op.create_index('ix_payment_disputes_organization_id_payment_id', 'payment_disputes', ['organization_id', 'payment_id'])

    op.create_table('refund_requests',
    sa.Column('organization_id', BIG, autoincrement=False, nullable=False),
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('grant_id', sa.String(), nullable=False),
    sa.Column('payment_id', sa.String(length=255), nullable=False),
    sa.Column('amount_cents', BIG, nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('actor', sa.String(length=254), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('refund_id', sa.String(length=255), nullable=False),
    sa.Column('error', sa.Text(), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('closed_at', MOMENT, nullable=True),
    sa.Column('next_try_at', MOMENT, nullable=True),
    sa.CheckConstraint("state IN ('open', 'done', 'refused')", name=op.f('ck_refund_requests_state')),
    sa.CheckConstraint('amount_cents > 0', name=op.f('ck_refund_requests_amount_positive')),
    sa.ForeignKeyConstraint(['organization_id', 'grant_id'], ['grants.organization_id', 'grants.id'], name=op.f('fk_refund_requests_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_refund_requests'))
    )
    op.create_index('uq_refund_requests_organization_id_key', 'refund_requests', ['organization_id', 'key'], unique=True)
    op.create_index('ix_refund_requests_organization_id_grant_id', 'refund_requests', ['organization_id', 'grant_id'])
    op.create_index('ix_refund_requests_next_try_at', 'refund_requests', ['next_try_at'])

    op.create_table('reconciliation_runs',
    sa.Column('id', BIG, nullable=False),
    sa.Column('trigger', sa.String(length=20), nullable=False),
    sa.Column('dry', sa.Boolean(), nullable=False),
    sa.Column('since', MOMENT, nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('stage', sa.String(length=40), nullable=False),
    sa.Column('cursor', sa.String(length=255), nullable=False),
    sa.Column('started_at', MOMENT, nullable=False),
    sa.Column('renewed_at', MOMENT, nullable=False),
    sa.Column('finished_at', MOMENT, nullable=True),
    sa.Column('compared', sa.Integer(), nullable=False),
    sa.Column('repaired', sa.Integer(), nullable=False),
    sa.Column('remaining', sa.Integer(), nullable=False),
    sa.Column('error', sa.Text(), nullable=False),
    sa.CheckConstraint("state IN ('running', 'finished', 'failed')", name=op.f('ck_reconciliation_runs_state')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reconciliation_runs'))
    )
    op.create_table('reconciliation_findings',
    sa.Column('run_id', BIG, autoincrement=False, nullable=False),
    sa.Column('number', BIG, autoincrement=False, nullable=False),
    sa.Column('code', sa.String(length=60), nullable=False),
    sa.Column('repaired', sa.Boolean(), nullable=False),
    sa.Column('object_id', sa.String(length=255), nullable=False),
    sa.Column('organization_id', BIG, nullable=True),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('found_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_reconciliation_findings_organization_id')),
    sa.ForeignKeyConstraint(['run_id'], ['reconciliation_runs.id'], name=op.f('fk_reconciliation_findings_run_id')),
    sa.PrimaryKeyConstraint('run_id', 'number', name=op.f('pk_reconciliation_findings'))
    )


def downgrade() -> None:
    op.drop_table('reconciliation_findings')
    op.drop_table('reconciliation_runs')
    op.drop_index('ix_refund_requests_next_try_at', table_name='refund_requests')
    op.drop_index('ix_refund_requests_organization_id_grant_id', table_name='refund_requests')
    op.drop_index('uq_refund_requests_organization_id_key', table_name='refund_requests')
    op.drop_table('refund_requests')
    op.drop_index('ix_payment_disputes_id', table_name='payment_disputes')
    op.drop_index('ix_payment_disputes_organization_id_payment_id', table_name='payment_disputes')
    op.drop_table('payment_disputes')
    op.drop_index('ix_payment_refunds_id', table_name='payment_refunds')
    op.drop_index('ix_payment_refunds_organization_id_payment_id', table_name='payment_refunds')
    op.drop_table('payment_refunds')
    op.drop_index('ix_orders_created_at', table_name='orders')
    op.drop_index('ix_orders_session_id', table_name='orders')
    op.drop_index('ix_grants_id', table_name='grants')
    op.drop_index('ix_inbox_received_at', table_name='inbox')
