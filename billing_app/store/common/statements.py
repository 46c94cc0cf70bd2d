"""Statements as no ORM writes them: many rows at once, INSERT ... ON CONFLICT, and rows read as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import CursorResult, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.sql.base import Executable
from sqlmodel import Session


def insert(session: Session, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Adds rows that all name the same columns, in one statement. What all of them share is sent once."""
    if not rows:
        return
    connection, names = session.connection(), tuple(rows[0])
    values = [[row[name] for row in rows] for name in names]
    # at least one column is a list, for it says how many rows there are
    shared = (False, *(all(value is column[0] for value in column) for column in values[1:]))
    if connection.dialect.name == "postgresql":
        given = {name: column[0] if one else column for name, column, one in zip(names, values, shared, strict=True)}
        connection.exec_driver_sql(_of_lists(table.__table__, names, shared, connection.dialect), given)
    else:
        processors = _processors(table.__table__, names, connection.dialect)
        columns = map(_processed, values, shared, processors)
        statement = _row_by_row(table.__table__, names, connection.dialect)
        connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))


def update(session: Session, table: Any, keys: tuple[str, ...], rows: Sequence[dict[str, Any]]) -> None:
    """Changes rows that are found by `keys`; all of them name the same columns."""
    if not rows:
        return
    connection, names = session.connection(), tuple(rows[0])
    columns = [[row[name] for row in rows] for name in names]
    if connection.dialect.name == "postgresql":
        statement = _update_of_lists(table.__table__, keys, names, connection.dialect)
        connection.exec_driver_sql(statement, dict(zip(names, columns, strict=True)))
    else:
        processors = _processors(table.__table__, names, connection.dialect)
        given = dict(zip(names, map(_processed, columns, (False,) * len(names), processors), strict=True))
        order = [*(name for name in names if name not in keys), *keys]
        statement = _update_row_by_row(table.__table__, keys, names, connection.dialect)
        connection.exec_driver_sql(statement, list(zip(*(given[name] for name in order), strict=True)))


def _processed(values: list[Any], shared: bool, processor: Callable[[Any], Any] | None) -> list[Any]:
    if processor is None:
        return values
    return [processor(values[0])] * len(values) if shared else [processor(value) for value in values]


@lru_cache
def _processors(table: Table, names: tuple[str, ...], dialect: Dialect) -> list[Callable[[Any], Any] | None]:
    """How a driver that does not know a column's type is given its values."""
    return [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]


@lru_cache
def _of_lists(table: Table, names: tuple[str, ...], shared: tuple[bool, ...], dialect: Dialect) -> str:
    """PostgreSQL's statement: a column is given as a list, or as the one value of all rows."""
    chosen, lists, listed = [], [], []
    for name, one in zip(names, shared, strict=True):
        quoted, kind = dialect.identifier_preparer.quote(name), table.c[name].type.compile(dialect)
        chosen.append(f"CAST(%({name})s AS {kind})" if one else f"rows.{quoted}")
        if not one:
            listed.append(quoted)
            lists.append(f"CAST(%({name})s AS {kind}[])")
    source = f"unnest({', '.join(lists)}) AS rows ({', '.join(listed)})"
    return " ".join((_into(table, names, dialect), "SELECT", ", ".join(chosen), "FROM", source))


@lru_cache
def _row_by_row(table: Table, names: tuple[str, ...], dialect: Dialect) -> str:
    """SQLite's statement, which its driver repeats for each row by itself."""
    return f"{_into(table, names, dialect)} VALUES ({', '.join('?' * len(names))})"


def _into(table: Table, names: tuple[str, ...], dialect: Dialect) -> str:
    return f"INSERT INTO {table.name} ({', '.join(map(dialect.identifier_preparer.quote, names))})"


@lru_cache
def _update_of_lists(table: Table, keys: tuple[str, ...], names: tuple[str, ...], dialect: Dialect) -> str:
    quote = dialect.identifier_preparer.quote
    lists = ", ".join(f"CAST(%({name})s AS {table.c[name].type.compile(dialect)}[])" for name in names)
    changes = ", ".join(f"{quote(name)} = rows.{quote(name)}" for name in names if name not in keys)
    found = " AND ".join(f"{table.name}.{quote(name)} = rows.{quote(name)}" for name in keys)
    source = f"unnest({lists}) AS rows ({', '.join(map(quote, names))})"
    return f"UPDATE {table.name} SET {changes} FROM {source} WHERE {found}"  # noqa: S608  names of our own tables


@lru_cache
def _update_row_by_row(table: Table, keys: tuple[str, ...], names: tuple[str, ...], dialect: Dialect) -> str:
    quote = dialect.identifier_preparer.quote
    changes = ", ".join(f"{quote(name)} = ?" for name in names if name not in keys)
    found = " AND ".join(f"{quote(name)} = ?" for name in keys)
    return f"UPDATE {table.name} SET {changes} WHERE {found}"  # noqa: S608  names of our own tables


def upsert(session: Session, table: Any) -> SqliteInsert | PostgresInsert:
    """An INSERT into `table` that knows `on_conflict_do_nothing` and `on_conflict_do_update`.

    Its result's `rowcount` says how many rows were written. SQLAlchemy keeps that only when asked: on PostgreSQL it
    would be -1, which is true and passes for "written".
    """
    return upsert_on(session.get_bind().dialect.name, table)


@lru_cache
def upsert_on(dialect: str, table: Any) -> SqliteInsert | PostgresInsert:
    """The same for a dialect's name: for statements that are made once and used for every request."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).execution_options(preserve_rowcount=True)


def read(session: Session, statement: Executable, values: Mapping[str, Any]) -> CursorResult[*tuple[Any, ...]]:
    """What the statement finds; whatever the session has not written yet is written first, as its own queries do."""
    session.flush()
    return session.connection().execute(statement, values)
