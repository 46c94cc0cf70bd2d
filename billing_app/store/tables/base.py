"""What all tables share: the metadata, the type of a moment, and keys that need no coordination."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from threading import Lock
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Integer, MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Constraint names that a migration can rely on, the same on every database."""


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime: timestamptz on PostgreSQL, sortable text of fixed width on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses naive datetimes: a moment without a zone is a bug, not a default."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment needs a time zone: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Gives every moment back aware and in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Big = BigInteger().with_variant(Integer, "sqlite")
"""64-bit whole number. SQLite numbers rows by itself only for a column declared INTEGER, which is 64 bits there."""


class Table(SQLModel):
    """The base of every table."""

    metadata = MetaData(naming_convention=NAMING)


_last_id = [0]
_last_id_lock = Lock()


def new_id() -> UUID:
    """A time-ordered unique id (RFC 9562, version 7): rows written together lie together in an index.

    Ids of one process grow strictly, so that they also tell the order in which it wrote.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    with _last_id_lock:
        value = max(value, _last_id[0] + 1)
        _last_id[0] = value
    return UUID(int=value)
