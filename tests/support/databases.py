"""Databases of one test's own: migrated and empty, on either kind, made without waiting for disks."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import Dialect, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from billing_app import schema
from billing_app.db import Database

TEMPLATE = "template_billing"
"""The database that every test's own PostgreSQL database is a copy of."""

EMPTY = """
DO $$ DECLARE each record; BEGIN
    IF (SELECT stats_reset IS NULL FROM pg_stat_database WHERE datname = current_database())
        OR pg_database_size(current_database()) > 30000000 THEN
        RAISE 'not counted since it was empty, or grown large';
    END IF;
    SET LOCAL session_replication_role = replica;  -- no trigger and no reference looks at what goes
    FOR each IN SELECT relname, relnamespace = 'public'::regnamespace AND relname <> 'alembic_version' AS is_ours
        FROM pg_class WHERE relkind = 'r' AND NOT relisshared
        AND relnamespace IN ('public'::regnamespace, 'pg_catalog'::regnamespace)
        AND relname NOT LIKE 'pg_statistic%'  -- which ANALYZE writes by itself
        AND pg_stat_get_tuples_inserted(oid) + pg_stat_get_tuples_updated(oid) + pg_stat_get_tuples_deleted(oid) > 0
    LOOP
        IF NOT each.is_ours THEN
            RAISE 'changed in %', each.relname;
        END IF;
        EXECUTE format('DELETE FROM %I', each.relname);
    END LOOP;
    FOR each IN SELECT seqrelid::regclass AS name, seqstart FROM pg_sequence LOOP
        PERFORM setval(each.name, each.seqstart, false);
    END LOOP;
    PERFORM pg_stat_reset();
END $$
"""
"""Leaves a database as its migrations made it: none of them writes rows.

The server counts what each table was written, so that only those are opened that a test wrote. One whose tables,
triggers or functions were changed is not used again: such a change is a write to the server's own tables.
"""


class PostgresDatabases:
    """Copies of the template, used again: a new copy costs the file system 700 files, an emptied one none."""

    def __init__(self, uri: str) -> None:
        """Has none yet on the server at `uri`."""
        self._uri = uri
        self._left: list[str] = []
        self._server = psycopg.connect(uri, autocommit=True)
        atexit.register(self._server.close)

    @contextmanager
    def one(self) -> Generator[str]:
        """The name of an empty database. No earlier test reaches it: its name is new and whoever was in it is out."""
        name = self._emptied() or self._copied()
        yield name
        self._left.append(name)

    def _copied(self) -> str:
        name = f"test_{uuid4().hex}"
        self._server.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy".encode())
        with psycopg.connect(plain_url(self._uri, name)) as connection:
            connection.execute("SELECT pg_stat_reset()")
        return name

    def _emptied(self) -> str | None:
        while self._left:
            left, name = self._left.pop(), f"test_{uuid4().hex}"
            self._server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [left])
            with suppress(psycopg.errors.ObjectInUse, psycopg.errors.RaiseException):
                self._server.execute(f"ALTER DATABASE {left} RENAME TO {name}".encode())  # in use if somebody came back
                with psycopg.connect(plain_url(self._uri, name)) as connection:
                    connection.execute(EMPTY)
                return name
        return None


@lru_cache
def postgres_databases(uri: str) -> PostgresDatabases:
    """Those of this process."""
    return PostgresDatabases(uri)


def plain_url(uri: str, name: str) -> str:
    """PostgreSQL's address of the database `name` on the server that `uri` reaches."""
    return uri.replace("/postgres?", f"/{name}?")


def postgres_url(uri: str, name: str) -> str:
    """The same for SQLAlchemy."""
    return plain_url(uri, name).replace("postgresql://", "postgresql+psycopg://")


def make_postgres_template(uri: str) -> None:
    """Creates the migrated database that tests copy."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}".encode())
    _migrate(postgres_url(uri, TEMPLATE))


@contextmanager
def postgres_database(uri: str) -> Generator[str]:
    """The address of a migrated, empty database of one test's own."""
    with postgres_databases(uri).one() as name:
        yield postgres_url(uri, name)


@contextmanager
def bare_postgres_database(uri: str) -> Generator[str]:
    """The address of a database without any table."""
    name = f"bare_{uuid4().hex}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy".encode())
        yield postgres_url(uri, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def make_sqlite_template(file: Path) -> None:
    """Creates the migrated file that tests copy."""
    _migrate(f"sqlite:///{file}")


def sqlite_database(template: Path, folder: Path) -> str:
    """The address of a SQLite file of one test's own."""
    file = folder / "billing.db"
    shutil.copyfile(template, file)
    return f"sqlite:///{file}"


_compiled: dict[str, tuple[Dialect, dict[Any, Any]]] = {}


def opened(url: str) -> Database:
    """`Database(url)` as tests can have it: it waits for no disk, and knows what SQL the tests before have compiled."""
    return _quick(_Quick(url))


class _Quick(Database):
    """Whose parts are as quick."""

    def part(self, connections: int) -> Database:
        part = super().part(connections)
        return part if part is self else _quick(part)


def _quick(database: Database) -> Database:
    engine = database.engine
    if database.sqlite:
        event.listen(engine, "connect", _needs_no_disk)
    if engine.name not in _compiled:
        engine.connect().close()  # the dialect learns what the server can
        _compiled[engine.name] = engine.dialect, {}
    vars(engine.dialect)["initialize"] = lambda _connection: None  # which need not ask again
    engine.dialect, known = _compiled[engine.name]
    engine.update_execution_options(compiled_cache=known)
    return database


def _needs_no_disk(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.close()


def _migrate(url: str) -> None:
    database = Database(url)
    schema.upgrade(database)
    database.close()
