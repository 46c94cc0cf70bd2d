"""Who sent a key, with what the question at hand needs, in one statement of the driver.

Only what is usual is found: a key that is known, of an active organization that pays for itself, whose use was noted
just now. Whoever finds nothing asks step by step what is wrong.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from billing_app.store.tables.base import Moment

WHO = """SELECT k.id, k.scopes, o.id
    FROM api_keys k JOIN organizations o ON o.id = k.organization_id
    WHERE k.key_hash = :key_hash AND k.revoked_at IS NULL AND k.last_used_at >= :noted_since
    AND o.address = :address AND o.active AND o.parent_id IS NULL"""

WITH_METERS = """SELECT k.id, k.scopes, o.id,
    (SELECT digest FROM catalogue_versions ORDER BY version DESC LIMIT 1), m.metric,
    NOT m.stale AND :now < m.valid_until AND (m.watched_at IS NULL OR m.watched_at <= :ahead),
    m.allowance, m.used, m.level, m."left", m.reserved
    FROM api_keys k JOIN organizations o ON o.id = k.organization_id JOIN meters m ON m.organization_id = o.id
    WHERE k.key_hash = :key_hash AND k.revoked_at IS NULL AND k.last_used_at >= :noted_since
    AND o.address = :address AND o.active AND o.parent_id IS NULL"""

TYPES = {"key_hash": "text", "address": "text", "noted_since": "timestamptz", "now": "timestamptz",
         "ahead": "timestamptz"}  # fmt: skip


class Caller(NamedTuple):
    """The key of a program and its organization."""

    key_id: UUID
    scopes: frozenset[str]
    organization_id: int


class MeterFigures(NamedTuple):
    """What a decision reads of a meter; `usable` says whether it may be used as it is."""

    metric: str
    usable: bool
    allowance: int | None
    used: int
    level: int
    left: int
    reserved: int


def find(connection: Connection, key_hash: str, address: str, noted_since: datetime) -> Caller | None:
    """Whose key it is, if everything about it is usual and its use was noted since."""
    given = {"key_hash": key_hash, "address": address, "noted_since": _moment(connection, noted_since)}
    row = connection.exec_driver_sql(_statement(connection.dialect.name, WHO), given).first()
    return None if row is None else _caller(row)


def with_meters(
    connection: Connection, key_hash: str, address: str, noted_since: datetime, now: datetime, ahead: datetime
) -> tuple[Caller, str, dict[str, MeterFigures]] | None:
    """The same, the digest of the newest catalogue and the figures of all meters beside it."""
    moments = {"noted_since": noted_since, "now": now, "ahead": ahead}
    given = {name: _moment(connection, moment) for name, moment in moments.items()}
    given |= {"key_hash": key_hash, "address": address}
    rows = connection.exec_driver_sql(_statement(connection.dialect.name, WITH_METERS), given).all()
    if not rows:
        return None
    return _caller(rows[0]), rows[0][3], {row[4]: MeterFigures(row[4], bool(row[5]), *row[6:]) for row in rows}


def _caller(row: Any) -> Caller:
    key_id = row[0] if isinstance(row[0], UUID) else UUID(row[0])
    return Caller(key_id, frozenset(row[1].split()), row[2])


@lru_cache
def _statement(dialect: str, statement: str) -> str:
    """The statement with parameters as the driver writes them."""
    if dialect != "postgresql":
        return statement
    return re.sub(r":(\w+)", lambda found: f"CAST(%({found[1]})s AS {TYPES[found[1]]})", statement)


def _moment(connection: Connection, moment: datetime) -> Any:
    processor = _processor(connection)
    return moment if processor is None else processor(moment)


_processors: dict[str, Any] = {}


def _processor(connection: Connection) -> Any:
    name = connection.dialect.name
    if name not in _processors:
        _processors[name] = Moment().dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return _processors[name]
