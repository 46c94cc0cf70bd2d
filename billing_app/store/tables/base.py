"""What all tables share: the metadata, the type of a moment, and keys that need no coordination."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Integer, MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel
from sqlmodel.main import SQLModelConfig

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

    # Whole processors rather than `process_bind_param` and `process_result_value`, which SQLAlchemy calls beside its
    # own: moments are most of what is read.
    def bind_processor(self, dialect: Dialect) -> Any:
        """Refuses naive datetimes: a moment without a zone is a bug, not a default."""
        return moment_as_text if dialect.name == "sqlite" else _in_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Gives every moment back aware and in UTC."""
        return _of_text if dialect.name == "sqlite" else _in_utc


AS_WRITTEN = len("2026-03-10 12:00:00.000000")
"""The width of a moment as SQLite stores it."""


def moment_as_text(value: datetime | None) -> str | None:
    """A moment as SQLite stores it, in UTC without saying so: texts of one width, in the order of time."""
    found = _in_utc(value)
    return None if found is None else found.isoformat(" ", "microseconds")[:26]


def _of_text(text: str | None) -> datetime | None:
    if text is None:
        return None
    if len(text) == AS_WRITTEN:
        return datetime.fromisoformat(f"{text}+00:00")
    read = datetime.fromisoformat(text)  # written by hand
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"a moment needs a time zone: {value!r}")
    return value.astimezone(UTC)


Big = BigInteger().with_variant(Integer, "sqlite")
"""64-bit whole number. SQLite numbers rows by itself only for a column declared INTEGER, which is 64 bits there."""


class Table(SQLModel):
    """The base of every table."""

    metadata = MetaData(naming_convention=NAMING)

    # Rows come from the code and the database: what pydantic would check them with is made for whoever asks for it.
    model_config = SQLModelConfig(defer_build=True)


_last_id = [0]
_last_id_lock = Lock()


def new_id() -> UUID:
    """A time-ordered unique id (RFC 9562, version 7): rows written together lie together in an index.

    Ids of one process grow strictly, so that they also tell the order in which it wrote.
    """
    return UUID(int=_numbers(1)[0])


def new_ids(count: int) -> list[str]:
    """Ids of rows that are written together, as 32 hexadecimal digits, which every database takes for a UUID."""
    return [f"{number:032x}" for number in _numbers(count)]


def _numbers(count: int) -> range:
    """A random number after the time, and those that follow it (RFC 9562, 6.2, monotonic random)."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    with _last_id_lock:
        value = max(value, _last_id[0] + 1)
        _last_id[0] = value + count - 1
    return range(value, value + count)
