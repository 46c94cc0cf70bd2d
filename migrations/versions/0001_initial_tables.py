"""Initial tables

Revision: 0001
Follows: 
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from billing_app.store.common import triggers


revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('catalogue_versions',
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('file_digest', sa.String(length=64), nullable=True),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('source', sa.String(length=300), nullable=False),
    sa.Column('corrects', sa.Integer(), nullable=True),
    sa.CheckConstraint('corrects < version', name=op.f('ck_catalogue_versions_corrects_an_earlier_one')),
    sa.CheckConstraint('version > 0', name=op.f('ck_catalogue_versions_version_positive')),
    sa.ForeignKeyConstraint(['corrects'], ['catalogue_versions.version'], name=op.f('fk_catalogue_versions_corrects')),
    sa.PrimaryKeyConstraint('version', name=op.f('pk_catalogue_versions'))
    )
    op.create_index('ix_catalogue_versions_effective_at', 'catalogue_versions', ['effective_at'], unique=False)
    op.create_index('uq_catalogue_versions_corrects', 'catalogue_versions', ['corrects'], unique=True)

    op.create_table('idempotency_keys',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('space', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('answer', sa.String(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('organization_id', 'space', 'key', name=op.f('pk_idempotency_keys'))
    )
    op.create_table('leases',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('holder', sa.String(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_leases'))
    )
    op.create_table('operator_keys',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('hint', sa.String(length=32), nullable=False),
    sa.Column('key_hash', sa.String(length=64), nullable=False),
    sa.Column('created_by', sa.String(length=254), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_operator_keys')),
    sa.UniqueConstraint('key_hash', name=op.f('uq_operator_keys_key_hash'))
    )
    op.create_table('organizations',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('type', sa.String(length=100), nullable=False),
    sa.Column('description', sa.String(length=2000), nullable=False),
    sa.Column('size', sa.String(length=50), nullable=False),
    sa.Column('color', sa.String(length=50), nullable=False),
    sa.Column('logo', sa.String(length=2000), nullable=False),
    sa.Column('subdomain', sa.String(length=63), nullable=False),
    sa.Column('timezone', sa.String(length=64), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('anchor', sa.DateTime(timezone=True), nullable=False),
    sa.Column('stripe_customer_id', sa.String(length=255), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recounted_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organizations')),
    sa.UniqueConstraint('address', name=op.f('uq_organizations_address')),
    sa.UniqueConstraint('stripe_customer_id', name=op.f('uq_organizations_stripe_customer_id'))
    )
    op.create_table('page_revisions',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('revision', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('organization_id', name=op.f('pk_page_revisions'))
    )
    op.create_table('payment_account',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('account_id', sa.String(length=255), nullable=False),
    sa.Column('livemode', sa.Boolean(), nullable=False),
    sa.Column('first_used_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_payment_account_single_row')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payment_account'))
    )
    op.create_table('recount_runs',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('trigger', sa.String(), nullable=False),
    sa.Column('as_of', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('organizations_seen', sa.Integer(), nullable=False),
    sa.Column('organizations_changed', sa.Integer(), nullable=False),
    sa.Column('entries', sa.Integer(), nullable=False),
    sa.Column('duration_ms', sa.Integer(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recount_runs'))
    )
    op.create_table('sign_in_attempts',
    sa.Column('subject_hash', sa.String(length=64), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('subject_hash', name=op.f('pk_sign_in_attempts'))
    )
    op.create_index(op.f('ix_sign_in_attempts_started_at'), 'sign_in_attempts', ['started_at'], unique=False)

    op.create_table('usage_hours',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('metric', sa.String(), nullable=False),
    sa.Column('hour', sa.DateTime(timezone=True), nullable=False),
    sa.Column('quantity', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('level', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('events', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('exact', sa.Boolean(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('organization_id', 'metric', 'hour', name=op.f('pk_usage_hours'))
    )
    op.create_table('usage_keys',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('organization_id', 'key', name=op.f('pk_usage_keys'))
    )
    op.create_table('usage_subjects',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('metric', sa.String(), nullable=False),
    sa.Column('period', sa.Integer(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('organization_id', 'metric', 'period', 'subject', name=op.f('pk_usage_subjects'))
    )
    op.create_index('ix_usage_subjects_first_seen', 'usage_subjects', ['organization_id', 'metric', 'first_seen_at'], unique=False)

    op.create_table('users',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=True),
    sa.Column('operator', sa.Boolean(), nullable=False),
    sa.Column('demo', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users')),
    sa.UniqueConstraint('email', name=op.f('uq_users_email'))
    )
    op.create_table('api_keys',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('scopes', sa.String(length=200), nullable=False),
    sa.Column('hint', sa.String(length=32), nullable=False),
    sa.Column('key_hash', sa.String(length=64), nullable=False),
    sa.Column('created_by', sa.String(length=254), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_api_keys_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_api_keys'))
    )
    op.create_index('ix_api_keys_key_hash', 'api_keys', ['key_hash'], unique=False)

    op.create_table('grants',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('metric', sa.String(), nullable=False),
    sa.Column('quantity', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('paid_cents', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('source_key', sa.String(), nullable=False),
    sa.Column('payment_id', sa.String(), nullable=False),
    sa.Column('pack', sa.String(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.CheckConstraint('expires_at IS NULL OR expires_at > effective_at', name=op.f('ck_grants_expiry_after_start')),
    sa.CheckConstraint('paid_cents >= 0', name=op.f('ck_grants_paid_cents_not_negative')),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_grants_quantity_positive')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_grants_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_grants'))
    )
    op.create_index('ix_grants_organization_id_metric', 'grants', ['organization_id', 'metric'], unique=False)
    op.create_index('ix_grants_organization_id_payment_id', 'grants', ['organization_id', 'payment_id'], unique=False)
    op.create_index('uq_grants_organization_id_source_key', 'grants', ['organization_id', 'source_key'], unique=True)

    op.create_table('inbox',
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.Column('id', sa.String(length=255), nullable=False),
    sa.Column('type', sa.String(length=255), nullable=False),
    sa.Column('object_id', sa.String(length=255), nullable=False),
    sa.Column('subject', sa.String(length=255), nullable=False),
    sa.Column('livemode', sa.Boolean(), nullable=False),
    sa.Column('payload', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('next_try_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('handled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.Text(), nullable=False),
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint("state IN ('new', 'handled', 'failed', 'ignored')", name=op.f('ck_inbox_state')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_inbox_organization_id')),
    sa.PrimaryKeyConstraint('source', 'id', name=op.f('pk_inbox'))
    )
    op.create_index('ix_inbox_next_try_at', 'inbox', ['next_try_at'], unique=False)
    op.create_index('ix_inbox_subject_next_try_at', 'inbox', ['subject', 'next_try_at'], unique=False)

    op.create_table('ledger_entries',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('metric', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('quantity', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('balance_after', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('grant_id', sa.String(), nullable=True),
    sa.Column('period', sa.Integer(), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('bucket', sa.String(), nullable=False),
    sa.Column('idempotency_key', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_ledger_entries_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'number', name=op.f('pk_ledger_entries'))
    )
    op.create_index('ix_ledger_entries_organization_id_grant_id', 'ledger_entries', ['organization_id', 'grant_id'], unique=False)
    op.create_index('ix_ledger_entries_organization_id_metric_number', 'ledger_entries', ['organization_id', 'metric', 'number'], unique=False)
    op.create_index('uq_ledger_entries_organization_id_idempotency_key', 'ledger_entries', ['organization_id', 'idempotency_key'], unique=True)

    op.create_table('memberships',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("role IN ('admin', 'billing', 'member')", name=op.f('ck_memberships_role')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_memberships_organization_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_memberships_user_id')),
    sa.PrimaryKeyConstraint('organization_id', 'user_id', name=op.f('pk_memberships'))
    )
    op.create_index(op.f('ix_memberships_user_id'), 'memberships', ['user_id'], unique=False)

    op.create_table('meters',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('metric', sa.String(), nullable=False),
    sa.Column('stale', sa.Boolean(), nullable=False),
    sa.Column('period', sa.Integer(), nullable=False),
    sa.Column('valid_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('valid_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('allowance', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('used', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('level', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('left', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reserved', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('debt', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('deficit', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('told_at_used', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('watched_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('posted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('post_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('changed', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_meters_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'metric', name=op.f('pk_meters'))
    )
    op.create_table('one_time_links',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=True),
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('return_to', sa.String(length=2000), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_one_time_links_organization_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_one_time_links_user_id')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_one_time_links'))
    )
    op.create_index(op.f('ix_one_time_links_expires_at'), 'one_time_links', ['expires_at'], unique=False)
    op.create_index(op.f('ix_one_time_links_user_id'), 'one_time_links', ['user_id'], unique=False)

    op.create_table('orders',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('items', sa.Text(), nullable=False),
    sa.Column('total_cents', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('session_id', sa.String(length=255), nullable=True),
    sa.Column('url', sa.Text(), nullable=True),
    sa.Column('payment_id', sa.String(length=255), nullable=True),
    sa.Column('failure', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_check_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checks', sa.Integer(), nullable=False),
    sa.Column('actor', sa.String(length=254), nullable=False),
    sa.CheckConstraint("state IN ('open', 'paid', 'expired', 'failed')", name=op.f('ck_orders_state')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_orders_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_orders'))
    )
    op.create_index('ix_orders_next_check_at', 'orders', ['next_check_at'], unique=False)
    op.create_index('ix_orders_organization_id_payment_id', 'orders', ['organization_id', 'payment_id'], unique=False)
    op.create_index('uq_orders_organization_id_session_id', 'orders', ['organization_id', 'session_id'], unique=True)

    op.create_table('outbox',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('metric', sa.String(), nullable=True),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('payload', sa.Text(), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_outbox_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_outbox'))
    )
    op.create_index('uq_outbox_organization_id_key', 'outbox', ['organization_id', 'key'], unique=True)

    op.create_table('plan_changes',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('plan', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_plan_changes_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'number', name=op.f('pk_plan_changes'))
    )
    op.create_table('reservations',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('metric', sa.String(), nullable=False),
    sa.Column('quantity', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('holds_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('confirmed_quantity', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_reservations_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_reservations'))
    )
    op.create_index('ix_reservations_organization_id_metric_holds_until', 'reservations', ['organization_id', 'metric', 'holds_until'], unique=False)

    op.create_table('sessions',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_sessions_organization_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_sessions_user_id')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_sessions'))
    )
    op.create_index(op.f('ix_sessions_expires_at'), 'sessions', ['expires_at'], unique=False)
    op.create_index(op.f('ix_sessions_user_id'), 'sessions', ['user_id'], unique=False)

    op.create_table('threshold_marks',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('metric', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('percent', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_threshold_marks_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'metric', 'name', name=op.f('pk_threshold_marks'))
    )
    op.create_table('usage_events',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('metric', sa.String(), nullable=False),
    sa.Column('quantity', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('subject', sa.String(), nullable=True),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('key', sa.String(), nullable=True),
    sa.Column('source', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_usage_events_organization_id')),
    sa.PrimaryKeyConstraint('organization_id', 'id', name=op.f('pk_usage_events'))
    )
    op.create_index('ix_usage_events_organization_id_metric_occurred_at', 'usage_events', ['organization_id', 'metric', 'occurred_at'], unique=False)

    op.create_table('grant_actions',
    sa.Column('organization_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('grant_id', sa.String(), nullable=False),
    sa.Column('metric', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('refunded_cents', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('dispute_id', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=True),
    sa.Column('amount_cents', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('source_key', sa.String(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id', 'grant_id'], ['grants.organization_id', 'grants.id'], name=op.f('fk_grant_actions_organization_id_grant_id')),
    sa.PrimaryKeyConstraint('organization_id', 'number', name=op.f('pk_grant_actions'))
    )
    op.create_index('ix_grant_actions_organization_id_metric', 'grant_actions', ['organization_id', 'metric'], unique=False)
    op.create_index('uq_grant_actions_organization_id_source_key', 'grant_actions', ['organization_id', 'source_key'], unique=True)

    connection = op.get_bind()
    for statement in triggers.statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    op.drop_index('uq_grant_actions_organization_id_source_key', table_name='grant_actions')
    op.drop_index('ix_grant_actions_organization_id_metric', table_name='grant_actions')

    op.drop_table('grant_actions')
    op.drop_index('ix_usage_events_organization_id_metric_occurred_at', table_name='usage_events')

    op.drop_table('usage_events')
    op.drop_table('threshold_marks')
    op.drop_index(op.f('ix_sessions_user_id'), table_name='sessions')
    op.drop_index(op.f('ix_sessions_expires_at'), table_name='sessions')

    op.drop_table('sessions')
    op.drop_index('ix_reservations_organization_id_metric_holds_until', table_name='reservations')

    op.drop_table('reservations')
    op.drop_table('plan_changes')
    op.drop_index('uq_outbox_organization_id_key', table_name='outbox')

    op.drop_table('outbox')
    op.drop_index('uq_orders_organization_id_session_id', table_name='orders')
    op.drop_index('ix_orders_organization_id_payment_id', table_name='orders')
    op.drop_index('ix_orders_next_check_at', table_name='orders')

    op.drop_table('orders')
    op.drop_index(op.f('ix_one_time_links_user_id'), table_name='one_time_links')
    op.drop_index(op.f('ix_one_time_links_expires_at'), table_name='one_time_links')

    op.drop_table('one_time_links')
    op.drop_table('meters')
    op.drop_index(op.f('ix_memberships_user_id'), table_name='memberships')

    op.drop_table('memberships')
    op.drop_index('uq_ledger_entries_organization_id_idempotency_key', table_name='ledger_entries')
    op.drop_index('ix_ledger_entries_organization_id_metric_number', table_name='ledger_entries')
    op.drop_index('ix_ledger_entries_organization_id_grant_id', table_name='ledger_entries')

    op.drop_table('ledger_entries')
    op.drop_index('ix_inbox_subject_next_try_at', table_name='inbox')
    op.drop_index('ix_inbox_next_try_at', table_name='inbox')

    op.drop_table('inbox')
    op.drop_index('uq_grants_organization_id_source_key', table_name='grants')
    op.drop_index('ix_grants_organization_id_payment_id', table_name='grants')
    op.drop_index('ix_grants_organization_id_metric', table_name='grants')

    op.drop_table('grants')
    op.drop_index('ix_api_keys_key_hash', table_name='api_keys')

    op.drop_table('api_keys')
    op.drop_table('users')
    op.drop_index('ix_usage_subjects_first_seen', table_name='usage_subjects')

    op.drop_table('usage_subjects')
    op.drop_table('usage_keys')
    op.drop_table('usage_hours')
    op.drop_index(op.f('ix_sign_in_attempts_started_at'), table_name='sign_in_attempts')

    op.drop_table('sign_in_attempts')
    op.drop_table('recount_runs')
    op.drop_table('payment_account')
    op.drop_table('page_revisions')
    op.drop_table('organizations')
    op.drop_table('operator_keys')
    op.drop_table('leases')
    op.drop_table('idempotency_keys')
    op.drop_index('uq_catalogue_versions_corrects', table_name='catalogue_versions')
    op.drop_index('ix_catalogue_versions_effective_at', table_name='catalogue_versions')

    op.drop_table('catalogue_versions')
