"""INSERT ... ON CONFLICT, which SQLite and PostgreSQL share but SQLAlchemy spells per dialect."""

from __future__ import annotations

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
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    return insert(table).execution_options(preserve_rowcount=True)
