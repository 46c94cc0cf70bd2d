"""The statements of consume: meter, event, roll-up and key together (credits.md, The fast path; decision 15).

They are SQL, the same for both databases: PostgreSQL gets them as one statement, SQLite one after the other, which
costs nothing there because it lives in this process. Whatever arithmetic may not decide makes them write nothing: the
caller then locks the meter and asks the engine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect, Engine, Uuid

from billing_app.domain.common.moments import AHEAD, latest
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.store.tables.base import Moment
from billing_app.store.usage import rollups


class Debit(NamedTuple):
    """What is to be taken whole from the meter of `organization_id`.

    `catalogue` is the digest of the newest catalogue that the caller knows: beside another nothing is taken. `key` is
    kept for the `reporter`, who sent it: that organization, or a sub-organization of it with the address `source`,
    whose share of the `period` grows.
    """

    organization_id: int
    metric: str
    quantity: int
    now: datetime
    hour: datetime
    catalogue: str
    event_id: UUID
    source: str
    period: int
    reporter: int
    key: str | None
    digest: str

    @property
    def ahead(self) -> datetime:
        """A meter that was looked at later than this was written by a clock that was wrong."""
        return self.now + AHEAD


class Figures(NamedTuple):
    """A meter right after a debit."""

    used: int
    left: int
    allowance: int | None


FITS = """organization_id = :organization_id AND metric = :metric AND NOT stale
    AND valid_from <= :now AND :now < valid_until AND used <= :most - :quantity
    AND (watched_at IS NULL OR watched_at <= :ahead)
    AND (allowance IS NULL
         OR :quantity - CASE WHEN allowance > used THEN allowance - used ELSE 0 END <= "left" - reserved)
    AND (next_alert_at_used IS NULL OR used + :quantity < next_alert_at_used)
    AND (SELECT digest FROM catalogue_versions ORDER BY version DESC LIMIT 1) = :catalogue"""
"""The meter may be used as it is, the whole quantity fits, and nothing is to be told when it is taken.

No side of a comparison can leave 64 bits this way round.
"""

AFTER = """used + :quantity AS used,
    "left" - CASE WHEN allowance IS NULL OR used + :quantity <= allowance THEN 0
                  WHEN used >= allowance THEN :quantity
                  ELSE used + :quantity - allowance END AS "left",
    allowance"""
"""The meter's figures after it: what the overage grows by is burned."""

KEY = """INSERT INTO idempotency_keys (organization_id, space, key, digest, answer, recorded_at)
    SELECT :reporter, 'consume', :key, :digest, {answer}, {moment}"""

EVENT = """INSERT INTO usage_events (organization_id, id, metric, quantity, occurred_at, recorded_at, source)
    SELECT :organization_id, :event_id, :metric, :quantity, {moment}, {moment}, :source {where}"""

HOUR = """INSERT INTO usage_hours
           (organization_id, metric, hour, quantity, level, last_at, events, exact, recorded_at)
    SELECT :organization_id, :metric, {hour}, :quantity, 0, {moment}, 1, true, {moment} {where}
    ON CONFLICT (organization_id, metric, hour) DO UPDATE SET
        quantity = usage_hours.quantity + excluded.quantity, events = usage_hours.events + 1,
        last_at = CASE WHEN usage_hours.last_at < excluded.last_at THEN excluded.last_at ELSE usage_hours.last_at END,
        recorded_at = CASE WHEN usage_hours.recorded_at < excluded.recorded_at THEN excluded.recorded_at
                           ELSE usage_hours.recorded_at END"""

SOURCE = """INSERT INTO source_totals (organization_id, metric, period, source, quantity)
    SELECT :organization_id, :metric, :period, :source, :quantity {where}
    ON CONFLICT (organization_id, metric, period, source) DO UPDATE SET
        quantity = source_totals.quantity + excluded.quantity"""

PAGE = """INSERT INTO page_revisions (organization_id, revision) SELECT :reporter, 1 {where}
    ON CONFLICT (organization_id) DO UPDATE SET revision = page_revisions.revision + 1"""
"""The sub-organization's pages; those of the payer hear of it from the meter."""

AT_ONCE = """
WITH locked AS (SELECT {after}, watched_at, valid_until FROM meters WHERE {fits} FOR NO KEY UPDATE),
timed AS (
    SELECT used, "left", allowance, valid_until, GREATEST(watched_at, :now + CASE
        WHEN clock_timestamp() - statement_timestamp() > interval '5 ms'
        THEN clock_timestamp() - statement_timestamp() ELSE interval '0' END) AS moment
    FROM locked
),
meter AS (SELECT used, "left", allowance, moment FROM timed WHERE moment < valid_until),
taken AS ({taken}),
debited AS (
    UPDATE meters SET used = meter.used, "left" = meter."left", watched_at = meter.moment,
        changed = true, debits = meters.debits + 1
    FROM meter, taken WHERE meters.organization_id = :organization_id AND meters.metric = :metric
    RETURNING meter.used, meter."left", meter.allowance, meter.moment
),
{written}
SELECT used, "left", allowance FROM debited"""
"""PostgreSQL: one way there and back.

The lock comes first, so that the figures are those that nobody else changes any more. The moment of the operation is
that of the lock (fine point 17): `now`, later by as long as it was waited for, never earlier than the meter's latest.
Then the key decides: if it was taken, were it by somebody who has only just finished, nothing is written.
"""

ANSWER = """CAST(json_build_object(
    'accepted', :quantity, 'used', used, 'allowance', allowance, 'credits', "left") AS text)"""

METER = """UPDATE meters SET (used, "left", allowance) = (SELECT {after}),
    watched_at = max(:now, COALESCE(watched_at, :now)), changed = true, debits = debits + 1
WHERE {fits} AND COALESCE(watched_at, :now) < valid_until AND {unknown} RETURNING used, "left", allowance, watched_at"""
"""SQLite: it has one writer, so what is asked here still holds when the rest is written. `now` is of its lock, and the
moment of the operation the meter's own where that is later (fine point 17).
"""

UNKNOWN = """NOT EXISTS (SELECT 1 FROM idempotency_keys
    WHERE organization_id = :reporter AND space = 'consume' AND key = :key)"""


LOCK = "SELECT 1 FROM meters WHERE organization_id = :organization_id AND metric = :metric FOR NO KEY UPDATE"

STANDS = """SELECT used, "left", allowance, reserved, next_alert_at_used, watched_at FROM meters
    WHERE organization_id = :organization_id AND metric = :metric AND NOT stale
    AND valid_from <= :now AND :now < valid_until
    AND (watched_at IS NULL OR watched_at <= :ahead AND watched_at < valid_until)
    AND (SELECT digest FROM catalogue_versions ORDER BY version DESC LIMIT 1) = :catalogue"""
"""The meter may be used as it is, `now` or at the moment at which it was last used, if that is later."""

USED = """UPDATE meters SET used = :used, "left" = :left, watched_at = :now, changed = true, debits = debits + :count
    WHERE organization_id = :organization_id AND metric = :metric"""

EVENT_OF_MANY = """INSERT INTO usage_events
    (organization_id, id, metric, quantity, occurred_at, recorded_at, source)
    VALUES (:organization_id, :event_id, :metric, :quantity, :now, :now, :source)"""

KEY_OF_MANY = """INSERT INTO idempotency_keys (organization_id, space, key, digest, answer, recorded_at)
    VALUES (:reporter, 'consume', :key, :digest, :answer, :now)"""

HOUR_OF_MANY = """INSERT INTO usage_hours
           (organization_id, metric, hour, quantity, level, last_at, events, exact, recorded_at)
    VALUES (:organization_id, :metric, :hour, :quantity, 0, :now, :count, true, :now)
    ON CONFLICT (organization_id, metric, hour) DO UPDATE SET
        quantity = usage_hours.quantity + excluded.quantity, events = usage_hours.events + excluded.events,
        last_at = CASE WHEN usage_hours.last_at < excluded.last_at THEN excluded.last_at ELSE usage_hours.last_at END,
        recorded_at = CASE WHEN usage_hours.recorded_at < excluded.recorded_at THEN excluded.recorded_at
                           ELSE usage_hours.recorded_at END"""

KNOWN = "SELECT key FROM idempotency_keys WHERE organization_id = :reporter AND space = 'consume' AND key IN ({keys})"

TYPES = {
    "used": "bigint", "left": "bigint", "count": "bigint", "answer": "text",
    "organization_id": "bigint", "metric": "text", "quantity": "bigint", "now": "timestamptz", "hour": "timestamptz",
    "catalogue": "text", "event_id": "uuid", "source": "text", "period": "bigint", "reporter": "bigint", "key": "text",
    "digest": "text", "most": "bigint", "ahead": "timestamptz",
}  # fmt: skip
"""Of the parameters on PostgreSQL, where an integer of Python would be as long as its value needs."""


def take(connection: Connection, debit: Debit) -> Figures | None:
    """Takes the whole quantity, or writes nothing and answers None."""
    given, kind = _given(debit, connection.dialect), (debit.key is not None, debit.source != "")
    if connection.dialect.name == "postgresql":
        if _is_spread(connection):
            return None
        row = connection.exec_driver_sql(_at_once(*kind), given).first()
        return None if row is None else Figures._make(row)
    meter, *others = _one_by_one(*kind)
    row = connection.exec_driver_sql(meter, given).first()
    if row is None:
        return None
    *after, watched_at = row
    figures = Figures._make(after)
    given["answer"] = _answer(debit.quantity, figures)
    if watched_at != given["now"]:
        given |= _at(debit, watched_at, connection.dialect)
    for statement in others:
        connection.exec_driver_sql(statement, given)
    return figures


def lock(connection: Connection, organization_id: int, metric: str) -> bool:
    """Waits for the meter, so that a moment read afterwards is that of the lock; whether there is one to be locked.

    SQLite's writer has waited already.
    """
    if connection.dialect.name != "postgresql":
        return True
    given = {"organization_id": organization_id, "metric": metric}
    return connection.exec_driver_sql(_typed(LOCK), given).first() is not None


def take_many(connection: Connection, debits: Sequence[Debit]) -> list[Figures]:
    """Takes the first of `debits` that fit one after the other, and answers the meter right after each.

    It stops before one that must be decided otherwise: see `take`. All are of one meter, which is locked, of one moment
    and without a source; each has a key. That moment is the meter's own where it is later: another server's clock may
    be ahead (fine point 17). A key that somebody takes meanwhile is an IntegrityError.
    """
    first = debits[0]
    given = _given(first, connection.dialect)
    row = connection.exec_driver_sql(_for(connection, STANDS), given).first()
    if row is None:
        return []
    *figures, watched_at = row
    found = _fitting(figures, debits, _known(connection, debits))
    if not found:
        return []
    given |= _at(first, watched_at, connection.dialect)
    taken = debits[: len(found)]
    kept_id = _kept(connection.dialect).get("event_id", lambda each: each)
    rows = [
        given
        | {
            "event_id": kept_id(debit.event_id), "quantity": debit.quantity, "key": debit.key, "digest": debit.digest,
            "answer": _answer(debit.quantity, figures),
        }
        for debit, figures in zip(taken, found, strict=True)
    ]  # fmt: skip
    total = {"quantity": sum(debit.quantity for debit in taken), "count": len(taken)}
    after = {"used": found[-1].used, "left": found[-1].left}
    connection.exec_driver_sql(_for(connection, USED), given | after | total)
    connection.exec_driver_sql(_for(connection, HOUR_OF_MANY), given | total)
    connection.exec_driver_sql(_for(connection, EVENT_OF_MANY), rows)
    rows.sort(key=itemgetter("key"))  # in one order, so that two that want the same keys do not wait for each other
    connection.exec_driver_sql(_for(connection, KEY_OF_MANY), rows)
    return found


def _fitting(row: Any, debits: Sequence[Debit], known: set[str | None]) -> list[Figures]:
    """FITS and AFTER for one after the other."""
    used, left, allowance, reserved, alert_at = row
    found: list[Figures] = []
    for debit in debits:
        after = used + debit.quantity
        room = None if allowance is None else max(0, allowance - used) + left - reserved
        reaches_alert = alert_at is not None and after >= alert_at
        if debit.key in known or after > MAX_QUANTITY or reaches_alert or (room is not None and debit.quantity > room):
            break
        over = 0 if allowance is None else max(0, after - max(allowance, used))
        known.add(debit.key)
        used, left = after, left - over
        found.append(Figures(used, left, allowance))
    return found


def _known(connection: Connection, debits: Sequence[Debit]) -> set[str | None]:
    """The keys that were used before."""
    keys = {f"key_{number}": debit.key for number, debit in enumerate(debits)}
    names = (f"%({name})s" if connection.dialect.name == "postgresql" else f":{name}" for name in keys)
    statement = KNOWN.format(keys=", ".join(names))
    reporter = {"reporter": debits[0].reporter}
    return {row[0] for row in connection.exec_driver_sql(_for(connection, statement), keys | reporter)}


def _for(connection: Connection, statement: str) -> str:
    return _typed(statement) if connection.dialect.name == "postgresql" else statement


_spread: WeakKeyDictionary[Engine, bool] = WeakKeyDictionary()


def _is_spread(connection: Connection) -> bool:
    """Whether Citus spreads the tables: it takes no INSERT below WITH."""
    if connection.engine not in _spread:
        asked = connection.exec_driver_sql("SELECT count(*) FROM pg_extension WHERE extname = 'citus'")
        _spread[connection.engine] = asked.scalar_one() > 0
    return _spread[connection.engine]


@lru_cache
def _at_once(keyed: bool, sourced: bool) -> str:
    """PostgreSQL's statement, with parameters as psycopg writes them."""
    written = _written(sourced, "FROM debited", "moment", "date_trunc('hour', moment, 'UTC')")
    statement = AT_ONCE.format(
        after=AFTER,
        fits=FITS,
        taken=f"{KEY.format(answer=ANSWER, moment='moment')} FROM meter ON CONFLICT DO NOTHING RETURNING 1"
        if keyed
        else "SELECT 1",
        written=",\n".join(f"{name} AS ({statement})" for name, statement in written.items()),
    )
    return _typed(statement)


@lru_cache(maxsize=64)
def _typed(statement: str) -> str:
    """The statement with parameters as psycopg writes them."""
    return re.sub(r":(\w+)", lambda found: f"CAST(%({found[1]})s AS {TYPES[found[1]]})", statement)


@lru_cache
def _one_by_one(keyed: bool, sourced: bool) -> list[str]:
    """SQLite's statements: the meter's, and what follows where it took something."""
    meter = METER.format(after=AFTER, fits=FITS, unknown=UNKNOWN if keyed else "true")
    key = [KEY.format(answer=":answer", moment=":now")] if keyed else []
    return [meter, *_written(sourced, "WHERE true", ":now", ":hour").values(), *key]


def _written(sourced: bool, where: str, moment: str, hour: str) -> dict[str, str]:
    """What is written beside meter and key. SQLite takes ON CONFLICT for a join without a WHERE."""
    statements = {"event": EVENT, "hour": HOUR} | ({"source": SOURCE, "page": PAGE} if sourced else {})
    return {name: statement.format(where=where, moment=moment, hour=hour) for name, statement in statements.items()}


def _answer(accepted: int, figures: Figures) -> str:
    """What a key keeps of the request that took it."""
    answer = {"accepted": accepted, "used": figures.used, "allowance": figures.allowance, "credits": figures.left}
    return json.dumps(answer)


def _at(debit: Debit, watched_at: Any, dialect: Dialect) -> dict[str, Any]:
    """The moment of a debit from a meter that was last used at `watched_at`, both as the driver has them."""
    read, kept = _reader(dialect), _kept(dialect)
    moment = latest(debit.now, watched_at if read is None else read(watched_at))
    moments = {"now": moment, "hour": rollups.hour_of(moment)}
    return {name: kept[name](value) if name in kept else value for name, value in moments.items()}


@lru_cache
def _reader(dialect: Dialect) -> Callable[[Any], datetime | None] | None:
    return Moment().dialect_impl(dialect).result_processor(dialect, None)


def _given(debit: Debit, dialect: Dialect) -> dict[str, Any]:
    """The parameters as the driver takes them."""
    given: dict[str, Any] = debit._asdict() | {"most": MAX_QUANTITY, "ahead": debit.ahead}
    for name, kept in _kept(dialect).items():
        given[name] = kept(given[name])
    return given


@lru_cache
def _kept(dialect: Dialect) -> dict[str, Callable[[Any], Any]]:
    """How moments and ids are kept where the driver does not know it."""
    types = {"now": Moment(), "ahead": Moment(), "hour": Moment(), "event_id": Uuid()}
    found = {name: kind.dialect_impl(dialect).bind_processor(dialect) for name, kind in types.items()}
    return {name: processor for name, processor in found.items() if processor is not None}
