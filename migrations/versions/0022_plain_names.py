"""Four columns say what they hold: what was told is what was notified, alerted of, or sent to Stripe

Revision: 0022
Follows: 0021
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

RENAMED = (
    ("meters", "told_at_used", "next_alert_at_used"),
    ("recurring_packs", "told_revision", "stripe_revision"),
    ("organization_endings", "told_at", "stripe_notified_at"),
    ("notification_choices", "told", "notified"),
)


def upgrade() -> None:
    for table, before, after in RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {before} TO {after}")


def downgrade() -> None:
    for table, before, after in RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {after} TO {before}")
