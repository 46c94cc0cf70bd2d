"""Organizations, members, audit

Revision: 0005
Follows: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from billing_app.store.common import triggers

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("audit_entries", "organization_parents")


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    # SQLite can add a column that refers to a table, but only in one statement, which Alembic does not write.
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("organizations")}
    if "parent_id" not in columns:
        op.execute(
            f"ALTER TABLE organizations ADD COLUMN parent_id {'INTEGER' if sqlite else 'BIGINT'} "
            "CONSTRAINT fk_organizations_parent_id REFERENCES organizations (id)"
        )
    op.create_index("ix_organizations_parent_id", "organizations", ["parent_id"], unique=False)
    chosen = sa.text("subdomain <> ''")
    op.create_index("uq_organizations_subdomain", "organizations", ["subdomain"], unique=True, sqlite_where=chosen, postgresql_where=chosen)
    op.add_column("reservations", sa.Column("source", sa.String(length=64), server_default=sa.text("''"), nullable=False))
    op.add_column("usage_subjects", sa.Column("source", sa.String(length=64), server_default=sa.text("''"), nullable=False))

    op.create_table("organization_parents",
    sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
    sa.Column("number", BIG, autoincrement=False, nullable=False),
    sa.Column("parent_id", BIG, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_organization_parents_organization_id")),
    sa.ForeignKeyConstraint(["parent_id"], ["organizations.id"], name=op.f("fk_organization_parents_parent_id")),
    sa.PrimaryKeyConstraint("organization_id", "number", name=op.f("pk_organization_parents"))
    )
    op.create_index("ix_organization_parents_parent_id", "organization_parents", ["parent_id"], unique=False)

    op.create_table("source_totals",
    sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
    sa.Column("metric", sa.String(), nullable=False),
    sa.Column("period", sa.Integer(), nullable=False),
    sa.Column("source", sa.String(length=64), nullable=False),
    sa.Column("quantity", BIG, nullable=False),
    sa.PrimaryKeyConstraint("organization_id", "metric", "period", "source", name=op.f("pk_source_totals"))
    )

    op.create_table("organization_overrides",
    sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
    sa.Column("id", sa.Uuid(), nullable=False),
    sa.Column("kind", sa.String(length=20), nullable=False),
    sa.Column("name", sa.String(length=64), nullable=False),
    sa.Column("value", BIG, nullable=True),
    sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("actor", sa.String(length=300), nullable=False),
    sa.CheckConstraint("kind IN ('limit', 'feature', 'voting_type')", name=op.f("ck_organization_overrides_kind")),
    sa.CheckConstraint("value >= 0", name=op.f("ck_organization_overrides_value_not_negative")),
    sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_organization_overrides_end_after_start")),
    sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_organization_overrides_organization_id")),
    sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_organization_overrides"))
    )
    op.create_index("ix_organization_overrides_organization_id_kind_name", "organization_overrides", ["organization_id", "kind", "name"], unique=False)

    op.create_table("audit_entries",
    sa.Column("organization_id", BIG, autoincrement=False, nullable=False),
    sa.Column("id", sa.Uuid(), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("actor", sa.String(length=300), nullable=False),
    sa.Column("action", sa.String(length=60), nullable=False),
    sa.Column("subject", sa.String(length=300), nullable=False),
    sa.Column("before", sa.Text(), nullable=False),
    sa.Column("after", sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_audit_entries"))
    )
    op.create_index("ix_audit_entries_organization_id_at", "audit_entries", ["organization_id", "at", "id"], unique=False)
    op.create_index("ix_audit_entries_at", "audit_entries", ["at", "id"], unique=False)

    for statement in triggers.added(op.get_bind().dialect.name, *APPEND_ONLY):
        op.execute(statement)


def downgrade() -> None:
    for table in ("audit_entries", "organization_overrides", "source_totals", "organization_parents"):
        op.drop_table(table)
    op.drop_column("usage_subjects", "source")
    op.drop_column("reservations", "source")
    op.drop_index("uq_organizations_subdomain", table_name="organizations")
    op.drop_index("ix_organizations_parent_id", table_name="organizations")
    if op.get_bind().dialect.name != "sqlite":
        op.drop_column("organizations", "parent_id")
    # SQLite cannot drop a column that refers to a table: it stays, and the next upgrade finds it there.
