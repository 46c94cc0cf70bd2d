"""Alembic's environment: migrates the connection it is given, or the database of the settings."""

from __future__ import annotations

from typing import Any

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, event
from sqlmodel.sql.sqltypes import AutoString

from billing_app.db import Database
from billing_app.schema import metadata
from billing_app.settings import settings
from billing_app.store.tables.base import Moment


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | bool:
    """Writes our column types as plain SQLAlchemy ones: a migration must not change when our classes do."""
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


def migrate(connection: Connection) -> None:
    """Runs the migrations, each in its own transaction."""
    if connection.dialect.name == "postgresql":
        # Citus, PostgreSQL's distributed form, wants schema changes one node after another; plain PostgreSQL
        # takes the setting for an unknown extension's and ignores it.
        @event.listens_for(connection, "begin")
        def sequential(begun: Connection) -> None:
            begun.exec_driver_sql("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'")
            begun.exec_driver_sql("SET LOCAL citus.enable_unsafe_triggers TO on")

    context.configure(
        connection=connection,
        target_metadata=metadata(),
        render_item=render_item,
        compare_type=True,
        compare_server_default=True,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    database = Database(settings().database_url)
    with database.engine.connect() as opened:
        migrate(opened)
    database.close()
