"""The tables a database has, against those the code knows: migrations run from here, by start and by tests."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.exc import DatabaseError

from billing_app.db import Database
from billing_app.domain.common.errors import UnavailableError
from billing_app.locations import ROOT
from billing_app.store import tables
from billing_app.store.common import triggers
from billing_app.store.tables.base import Table

MIGRATIONS = ROOT / "migrations"

RESTORE = "stop the console, and put a backup back with `billing db restore FILE --replace`"
"""What to do about a damaged file."""

MIGRATION_LOCK = 0x42494C4C
"""Key of the advisory lock that lets one process at a time migrate a PostgreSQL database ("BILL")."""


MISTAKES = 3
"""How many of a damaged file's are told: the first says enough."""


def metadata() -> MetaData:
    """Every table of the product: all modules of `store.tables`, imported."""
    for module in pkgutil.iter_modules(tables.__path__, f"{tables.__name__}."):
        importlib.import_module(module.name)
    return Table.metadata


def create(database: Database) -> None:
    """All tables and triggers at once, for a database that lives shorter than a migration takes."""
    with database.engine.begin() as connection:
        metadata().create_all(connection)
        dialect = connection.dialect.name
        for statement in (*triggers.statements(dialect), *triggers.added(dialect, *triggers.LATER)):
            connection.exec_driver_sql(statement)


def upgrade(database: Database) -> bool:
    """Brings the database to the code's version; says whether anything was done."""
    with database.engine.connect() as connection:
        _lock(connection)
        try:
            with connection.begin():
                found = _revision(connection)
            _refuse_newer(found)
            if found == known_revisions()[-1]:
                return False
            _run_migrations(connection)
        finally:
            _unlock(connection)
    return True


def is_new(database: Database) -> bool:
    """Whether the database has never been migrated."""
    with database.engine.connect() as connection:
        return not _revision(connection)


def check(database: Database) -> None:
    """Refuses a database that is older or newer than the code."""
    with database.engine.connect() as connection:
        found = _revision(connection)
    _refuse_newer(found)
    if not found:
        raise UnavailableError("The database has no tables yet: run `billing db upgrade` first.")
    if found != known_revisions()[-1]:
        raise UnavailableError("The database is older than the program: run `billing db upgrade` first.")


def known_revisions() -> list[str]:
    """The code's migrations in order: their files are named by number."""
    return sorted(file.name.split("_")[0] for file in (MIGRATIONS / "versions").glob("*.py"))


def differences(database: Database) -> list[Any]:
    """What autogenerate would change: nothing, when migrations and tables agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata()))


def integrity(database: Database, *, quick: bool = False) -> str:
    """What SQLite finds wrong with its file, or nothing; PostgreSQL looks after its own.

    `quick` reads every page but does not compare indexes with their tables: for a start.
    """
    if not database.sqlite:
        return ""
    try:
        with database.reading() as session:
            pragma = f"PRAGMA {'quick_check' if quick else 'integrity_check'}({MISTAKES})"
            found = [str(row[0]) for row in session.connection().execute(text(pragma))]
    except DatabaseError as error:
        return str(error.orig)
    # One line: its own has line feeds where it names the page.
    return "" if found == ["ok"] else " ".join("; ".join(found).split())


def require_sound(database: Database, *, quick: bool = False) -> None:
    """Refuses a damaged file: what is decided or written on it cannot be trusted."""
    wrong = integrity(database, quick=quick)
    if wrong:
        raise UnavailableError(f"The database {database_file(database)} is damaged ({wrong}): {RESTORE}.")


def _run_migrations(connection: Connection) -> None:
    # Imported where it is needed: every start looks whether there is something to do, few have.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str:
    """The database's own version, or nothing before the first migration."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def _refuse_newer(found: str) -> None:
    if found and found not in known_revisions():
        raise UnavailableError(
            "The database is newer than this program: a later version has migrated it. "
            "Run that version, or restore a backup made before the update."
        )


def _lock(connection: Connection) -> None:
    """PostgreSQL: one process at a time. SQLite: BEGIN IMMEDIATE does it."""
    if connection.dialect.name == "postgresql":
        with connection.begin():
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})


def _unlock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        with connection.begin():
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})


def database_file(database: Database) -> Path | None:
    """The file of a SQLite database."""
    name = database.url.database
    return Path(name) if database.sqlite and name and name != ":memory:" else None
