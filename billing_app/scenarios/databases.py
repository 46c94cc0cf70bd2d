"""A fresh database for each scenario: in memory, or set up and torn down inside a given one."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import inspect, text

from billing_app import schema
from billing_app.db import Database
from billing_app.domain.common.errors import InvalidError


@contextmanager
def fresh(url: str) -> Generator[Database]:
    """A database with our tables and nothing in them.

    On PostgreSQL a schema of its own that is dropped afterwards; a SQLite file must be empty and is left empty. Raises
    InvalidError `database_not_empty`.
    """
    database = Database(url)
    try:
        if database.sqlite:
            with _sqlite(database):
                yield database
        else:
            with _postgresql(database, url) as inner:
                yield inner
    finally:
        database.close()


@contextmanager
def _sqlite(database: Database) -> Generator[None]:
    if inspect(database.engine).get_table_names():
        raise InvalidError(
            f"{database.url.database} is not empty. Scenarios run on a database of their own: name a new file.",
            code="database_not_empty",
        )
    schema.create(database)
    yield
    with database.engine.begin() as connection:
        schema.metadata().drop_all(connection)


@contextmanager
def _postgresql(database: Database, url: str) -> Generator[Database]:
    name = f"scenario_{secrets.token_hex(8)}"
    with database.engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    inner = Database(url, schema=name)
    try:
        schema.create(inner)
        yield inner
    finally:
        inner.close()
        with database.engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
