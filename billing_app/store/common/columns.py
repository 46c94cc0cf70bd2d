"""Many rows of one table at once, past the ORM, which would look at each row by itself.

Rows are given by column, values as Python has them. SQLite's driver repeats a statement for each row; PostgreSQL is
sent a COPY, or a statement over arrays: one however many rows there are. Statements are made of names of tables and
columns alone; values are always bound.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine, Uuid
from sqlmodel import Session

from billing_app.store.tables.base import Moment, moment_as_text

Columns = Sequence[Sequence[Any]]
"""The values of each column, all of one length. None is for columns that may be null."""


def insert(session: Session, table: Any, names: tuple[str, ...], columns: Columns) -> None:
    """Adds rows. What is there already is an IntegrityError."""
    if not columns[0]:
        return
    connection, of = session.connection(), table.__table__
    ready = _ready(_kinds(of, names), columns, connection.dialect)
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {_into(of, names, connection.dialect)} FROM STDIN", ready)
    else:
        rows = list(zip(*ready, strict=True))
        connection.exec_driver_sql(_row_by_row(of, names, connection.dialect), rows)


def merge(
    session: Session, table: Any, names: tuple[str, ...], columns: Columns, key: tuple[str, ...], to: str
) -> None:
    """Adds rows, or where one of `key` is there sets it `to` what SQL says of it and of the `excluded` one."""
    if not columns[0]:
        return
    connection, of = session.connection(), table.__table__
    ready = _ready(_kinds(of, names), columns, connection.dialect)
    conflict = f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {to}"
    if connection.dialect.name == "postgresql":
        source = _arrays(_kinds(of, names), connection.dialect)
        into = f"INSERT INTO {_into(of, names, connection.dialect)} SELECT * FROM {source}"
        connection.exec_driver_sql(into + conflict, tuple(map(_array, ready)))
    else:
        rows = list(zip(*ready, strict=True))
        connection.exec_driver_sql(_row_by_row(of, names, connection.dialect) + conflict, rows)


def matching(
    session: Session,
    table: Any,
    key: tuple[str, ...],
    columns: Columns,
    wanted: tuple[str, ...],
    *,
    locked: bool = False,
) -> list[tuple[Any, ...]]:
    """Those of the given keys that are there, in their order: the key, and what is wanted of its row, which may be
    `locked` until the transaction ends. `key` is unique in the table.

    Each is looked up in the key's index, whatever the database believes of the size of the table: a plan made for the
    statistics of yesterday would read all of it.
    """
    if not columns[0]:
        return []
    connection, of = session.connection(), table.__table__
    source, values = given(session, {name: of.c[name].type for name in key}, columns)
    chosen = ", ".join(f"found.{_quoted(name, connection.dialect)}" for name in (*key, *wanted))
    same = " AND ".join(f"stored.{_quoted(name, connection.dialect)} = given.{name}" for name in key)
    if connection.dialect.name == "postgresql":
        one = f"SELECT * FROM {of.name} AS stored WHERE {same} LIMIT 1{' FOR UPDATE' if locked else ''}"
        there = f"{source}, LATERAL ({one}) AS found"
    else:
        there = f"{source} CROSS JOIN {of.name} AS found ON {same.replace('stored.', 'found.')}"
    rows = connection.exec_driver_sql(f"SELECT {chosen} FROM {there}", values)
    readers = _readers(of, (*key, *wanted), connection.dialect)
    return [
        tuple(value if read is None else read(value) for read, value in zip(readers, row, strict=True)) for row in rows
    ]


LOW = 2**32 - 1
"""The lower half of 64 bits."""


def totals(
    session: Session, table: Any, moment: str, spans: Sequence[tuple[int, str, datetime, datetime]]
) -> list[int]:
    """The quantities of each organization and metric in `[start, end)` together; one statement."""
    if not spans:
        return []
    of = table.__table__
    kinds = {"place": of.c.quantity.type, "owner": of.c.organization_id.type, "name": of.c.metric.type}
    kinds |= dict.fromkeys(("first", "last"), of.c[moment].type)
    source, values = given(session, kinds, [range(len(spans)), *zip(*spans, strict=True)])
    there = (
        "stored.organization_id = given.owner AND stored.metric = given.name "
        f"AND stored.{moment} >= given.first AND stored.{moment} < given.last"
    )
    if session.connection().dialect.name == "postgresql":
        total = f"(SELECT sum(stored.quantity) FROM {of.name} AS stored WHERE {there})"
        statement = f"SELECT given.place, 0, {total} FROM {source}"
    else:  # halves apart: with corrections a sum may leave 64 bits on its way to one that does not
        halves = f"sum(stored.quantity >> 32), sum(stored.quantity & {LOW})"
        statement = f"SELECT given.place, {halves} FROM {source} LEFT JOIN {of.name} AS stored ON {there} GROUP BY 1"
    found = session.connection().exec_driver_sql(f"{statement} ORDER BY given.place", values)
    return [(int(high or 0) << 32) + int(low or 0) for _, high, low in found]


def fitting(
    session: Session,
    table: Any,
    kinds: Mapping[str, TypeEngine[Any]],
    columns: Columns,
    fits: str,
    wanted: tuple[str, ...],
) -> list[tuple[Any, ...]]:
    """What is `wanted` of the rows `found` that fit the given ones, by a condition of SQL on both.

    Each given one is looked up by itself, as in `matching`.
    """
    if not columns[0]:
        return []
    connection, of = session.connection(), table.__table__
    source, values = given(session, kinds, columns)
    chosen = ", ".join(f"found.{_quoted(name, connection.dialect)}" for name in wanted)
    if connection.dialect.name == "postgresql":  # OFFSET 0: it stays a look-up for each
        there = f"{source}, LATERAL (SELECT * FROM {of.name} AS found WHERE {fits} OFFSET 0) AS found"
    else:
        there = f"{source} CROSS JOIN {of.name} AS found ON {fits}"
    rows = connection.exec_driver_sql(f"SELECT {chosen} FROM {there}", values)
    readers = _readers(of, wanted, connection.dialect)
    return [
        tuple(value if read is None else read(value) for read, value in zip(readers, row, strict=True)) for row in rows
    ]


def given(session: Session, kinds: Mapping[str, TypeEngine[Any]], columns: Columns) -> tuple[str, tuple[Any, ...]]:
    """Rows as a relation `given` of a statement, with columns of these names, and the values that it is sent with."""
    dialect = session.connection().dialect
    ready = _ready(tuple(kinds.values()), columns, dialect)
    if dialect.name == "postgresql":
        arrays = _arrays(tuple(kinds.values()), dialect)
        return f"{arrays} AS given ({', '.join(kinds)})", tuple(map(_array, ready))
    cells = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(kinds))
    return f"(SELECT {cells} FROM json_each(?)) AS given", (json.dumps(list(zip(*ready, strict=True))),)


def _copy(connection: Connection, statement: str, columns: Columns) -> None:
    """PostgreSQL's own way in, in the transaction of the connection."""
    import psycopg  # who has SQLite does without

    try:
        cursor: Any = connection.connection.cursor()
        with cursor, cursor.copy(statement) as copy:
            for row in zip(*columns, strict=True):
                copy.write_row(row)
    except psycopg.Error as error:  # as SQLAlchemy tells it, without the rows
        raise DBAPIError.instance(statement, None, error, psycopg.Error, hide_parameters=True) from error


def _kinds(table: Table, names: tuple[str, ...]) -> tuple[TypeEngine[Any], ...]:
    return tuple(table.c[name].type for name in names)


def _ready(kinds: tuple[TypeEngine[Any], ...], columns: Columns, dialect: Dialect) -> list[Sequence[Any]]:
    """As the driver takes them without asking each value what it is."""
    zone = "" if dialect.name == "sqlite" else "+00:00"
    return [
        _moments(column, zone)
        if isinstance(kind, Moment)
        else [each if isinstance(each, str) else each.hex for each in column]
        if isinstance(kind, Uuid)
        else column
        for kind, column in zip(kinds, columns, strict=True)
    ]


def _moments(column: Sequence[datetime | None], zone: str) -> list[str | None]:
    """Most moments of a batch are the same few: each is written once."""
    written: dict[datetime | None, str | None] = {None: None}
    for each in set(column):
        if each is not None:
            written[each] = f"{moment_as_text(each)}{zone}"
    return [written[each] for each in column]


def _array(values: Iterable[Any]) -> str:
    """PostgreSQL's way to write an array; its driver would ask each value what it is."""
    texts = ["\0" if value is None else str(value) for value in values]
    joined = "".join(texts)
    if '"' in joined or "\\" in joined:
        texts = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return ('{"' + '","'.join(texts) + '"}').replace('"\0"', "NULL")


@lru_cache
def _readers(table: Table, names: tuple[str, ...], dialect: Dialect) -> list[Callable[[Any], Any] | None]:
    """How what a driver gives becomes a value."""
    return [table.c[name].type.dialect_impl(dialect).result_processor(dialect, None) for name in names]


@lru_cache
def _arrays(kinds: tuple[TypeEngine[Any], ...], dialect: Dialect) -> str:
    return f"unnest({', '.join(f'CAST(%s AS {kind.compile(dialect)}[])' for kind in kinds)})"


@lru_cache
def _row_by_row(table: Table, names: tuple[str, ...], dialect: Dialect) -> str:
    return f"INSERT INTO {_into(table, names, dialect)} VALUES ({', '.join('?' * len(names))})"


def _into(table: Table, names: tuple[str, ...], dialect: Dialect) -> str:
    return f"{table.name} ({', '.join(_quoted(name, dialect) for name in names)})"


def _quoted(name: str, dialect: Dialect) -> str:
    return dialect.identifier_preparer.quote(name)
