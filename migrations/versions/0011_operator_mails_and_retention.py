"""Mails to operators; indexes by which what is kept no longer is found

Revision: 0011
Follows: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

FAILED = sa.text("state = 'failed'")


def upgrade() -> None:
    op.create_table("operator_mails",
    sa.Column("key", sa.String(length=120), nullable=False),
    sa.Column("user_id", sa.Uuid(), nullable=False),
    sa.Column("subject", sa.String(length=200), nullable=False),
    sa.Column("text", sa.Text(), nullable=False),
    sa.Column("page", sa.String(length=200), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("tries", sa.Integer(), nullable=False),
    sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("error", sa.String(length=500), nullable=False),
    sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_operator_mails_user_id")),
    sa.PrimaryKeyConstraint("key", "user_id", name=op.f("pk_operator_mails"))
    )
    op.create_index("ix_operator_mails_next_try_at", "operator_mails", ["next_try_at"], unique=False)
    op.create_index("ix_inbox_failed", "inbox", ["state"], unique=False, postgresql_where=FAILED, sqlite_where=FAILED)
    op.create_index("ix_idempotency_keys_recorded_at", "idempotency_keys", ["recorded_at"], unique=False, postgresql_using="brin")
    op.create_index("ix_reservations_holds_until", "reservations", ["holds_until"], unique=False)
    op.create_index("ix_deliveries_finished_at", "deliveries", ["finished_at"], unique=False)
    op.create_index("ix_outbox_fanned_out_at", "outbox", ["fanned_out_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_outbox_fanned_out_at", table_name="outbox")
    op.drop_index("ix_deliveries_finished_at", table_name="deliveries")
    op.drop_index("ix_reservations_holds_until", table_name="reservations")
    op.drop_index("ix_idempotency_keys_recorded_at", table_name="idempotency_keys")
    op.drop_index("ix_inbox_failed", table_name="inbox")
    op.drop_table("operator_mails")
