"""INSERT ... ON CONFLICT, which SQLite and PostgreSQL share but SQLAlchemy spells per dialect."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlmodel import Session


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
