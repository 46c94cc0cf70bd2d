"""Consistent copies of the database, made while it is in use, and put back while it is not."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, OperationalError

from billing_app import private_files, schema
from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError, NotFoundError, UnavailableError
from billing_app.launcher.postgres_tools import tools_for
from billing_app.launcher.single import only_console
from billing_app.locations import started_in

EMPTIED = """
DO $$ DECLARE each record; BEGIN
    FOR each IN SELECT oid::regclass AS name FROM pg_class
        WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
    LOOP EXECUTE 'DROP TABLE IF EXISTS ' || each.name || ' CASCADE'; END LOOP;
    FOR each IN SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    LOOP EXECUTE 'DROP ROUTINE IF EXISTS ' || each.name || ' CASCADE'; END LOOP;
    FOR each IN SELECT oid::regtype AS name FROM pg_type WHERE typtype = 'e' AND typnamespace = 'public'::regnamespace
    LOOP EXECUTE 'DROP TYPE IF EXISTS ' || each.name || ' CASCADE'; END LOOP;
END $$;
"""
"""Takes away what a later version may have added, too: pg_restore's own --clean knows only what the backup holds."""


OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def default_target(database: Database, now: datetime) -> Path:
    """A file beside the data, named by the moment, so that backups sort by age.

    A server's data is elsewhere: then it is in the folder from which the command, and its .env, was started.
    """
    file = schema.database_file(database)
    beside = started_in() if file is None else file.absolute().parent
    return beside / "backups" / f"billing-{now:%Y%m%dT%H%M%SZ}.{'db' if database.sqlite else 'dump'}"


def write(database: Database, target: Path) -> Path:
    """Copies the database to `target`, which must not exist: a backup never replaces another."""
    if target.exists():
        raise ConflictError(f"{target} exists already; a backup never replaces another. Name a new file.")
    try:
        private_files.folder(target.parent)
        # A backup holds everything that the database holds: only its owner reads it.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise UnavailableError(f"{target} cannot be written: {error.strerror}.") from None
    try:
        _vacuum_into(database, target) if database.sqlite else _dump(database, target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def restore(database: Database, source: Path, *, replace: bool) -> None:
    """Makes the database what it was when `source` was written: all of it, or nothing of it when anything fails.

    What it holds now is lost, so `replace` says that this is meant. No console may run with it.
    """
    if not source.is_file():
        raise NotFoundError(f"There is no backup {source}.")
    if not replace and not _is_new(database):
        raise ConflictError(
            "The database is not empty, and what it holds would be lost: say --replace if it should be."
        )
    file = schema.database_file(database)
    if file is None:
        _restore_dump(database, source)
        return
    with only_console(file):
        _copy_back(source, file)


def _is_new(database: Database) -> bool:
    try:
        return schema.is_new(database)
    except OperationalError as error:
        raise UnavailableError(f"The database cannot be opened: {error.orig}") from None
    except DatabaseError:
        return False  # damaged: it held something


def _vacuum_into(database: Database, target: Path) -> None:
    """SQLite's own consistent copy: one read transaction, written compactly (it accepts an empty file as target)."""
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("VACUUM INTO ?", (str(target),))


def _copy_back(source: Path, file: Path) -> None:
    """SQLite's own copy over an open database: one transaction, which a crash leaves as it was before."""
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as backup:
            sound = [row[0] for row in backup.execute("PRAGMA integrity_check")]
            if sound != ["ok"]:
                raise UnavailableError(f"{source} is damaged: {sound[0]}. Nothing was changed.")
            if not backup.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
                raise UnavailableError(f"{source} is not a backup of this program. Nothing was changed.")
            _move_away_what_is_no_database(file)
            private_files.make(file)
            with closing(sqlite3.connect(file)) as database:
                backup.backup(database)
    except sqlite3.Error as error:
        raise UnavailableError(f"{source} could not be put back: {error}. Nothing was changed.") from None


def _move_away_what_is_no_database(file: Path) -> None:
    """SQLite does not write over a file that is none of its own; that is kept, for whoever asks why."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as database:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return  # not there, or in use: the copy itself says so
        for each in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
            if each.exists():
                each.rename(each.with_name(f"{each.name}.damaged"))


def _dump(database: Database, target: Path) -> None:
    with tools_for(database, "pg_dump") as tools:
        tools.dump(target)


def _restore_dump(database: Database, source: Path) -> None:
    with tools_for(database, "pg_restore", "psql") as tools:
        with database.reading() as session:
            if session.connection().execute(text(OTHERS)).scalar_one():
                raise ConflictError("Other programs use this database: stop every console first.")
        database.close()
        tools.replay(EMPTIED, source)
