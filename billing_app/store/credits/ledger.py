"""Queries on the append-only ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, Text, bindparam, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from billing_app.store.common import columns, statements
from billing_app.store.common.questions import (
    OfMetric,
    OfOrganization,
    among,
    grouped,
    listed,
    metric_values,
    of_metrics,
)
from billing_app.store.tables.base import Big
from billing_app.store.tables.credits import LedgerEntry


@dataclass(frozen=True, slots=True)
class BucketSum:
    """What the ledger holds in one bucket, how many rows make it, and the last of them."""

    quantity: int
    rows: int
    last_number: int


def add(session: Session, rows: list[dict[str, Any]]) -> None:
    """Adds entries; one whose key is there already fails in the database."""
    statements.insert(session, LedgerEntry, rows)


@dataclass(frozen=True, slots=True)
class LedgerSums(OfMetric):
    """What the ledger of a metric holds: the sums of all buckets, or of those that are named."""

    named: frozenset[str] | None = None

    @property
    def alike(self) -> bool:
        """Those of all buckets are answered together, and those of named ones."""
        return self.named is None

    @classmethod
    def answer(cls, session: Session, asked: Sequence[LedgerSums]) -> list[dict[str, BucketSum]]:
        """One statement, whatever the number of organizations."""
        connection, keys = session.connection(), [each.key for each in asked]
        if asked[0].named is None:
            dialect = connection.dialect.name
            found: Iterable[Any] = connection.execute(_ledger_sums(dialect), metric_values(dialect, asked))
        else:
            found = _named_sums(session, [(each.organization_id, name) for each in asked for name in each.named or ()])
        groups = grouped(found, keys)
        return [
            {bucket: BucketSum(int(total), count, last) for _, _, bucket, total, count, last in rows} for rows in groups
        ]


@cache
def _ledger_sums(dialect: str) -> Select[*tuple[Any, ...]]:
    row = LedgerEntry
    names = (col(row.organization_id), col(row.metric), col(row.bucket))
    query = select_columns(*names, func.sum(row.quantity), func.count(), func.max(row.number))
    return query.where(*of_metrics(dialect, row)).group_by(*names)


def _named_sums(session: Session, named: Sequence[tuple[int, str]]) -> list[Any]:
    if not named:
        return []
    source, values = columns.given(session, {"owner": Big, "name": Text()}, list(zip(*named, strict=True)))
    join = ", LATERAL (SELECT * FROM ledger_entries AS found WHERE {} OFFSET 0) AS found"
    if session.get_bind().dialect.name != "postgresql":
        join = " CROSS JOIN ledger_entries AS found ON {}"
    fits = join.format("found.organization_id = given.owner AND found.bucket = given.name")
    found = session.connection().exec_driver_sql(
        "SELECT found.organization_id, found.metric, found.bucket, sum(found.quantity), count(*), max(found.number) "  # noqa: S608  nothing of a caller
        f"FROM {source}{fits} GROUP BY found.organization_id, found.metric, found.bucket",
        values,
    )
    return list(found)


@dataclass(frozen=True, slots=True)
class LedgerBalance(OfMetric):
    """What the ledger of a metric sums up to, as its last entry says."""

    @classmethod
    def answer(cls, session: Session, asked: Sequence[LedgerBalance]) -> list[int]:
        """One statement, whatever the number of organizations."""
        keys = [each.key for each in asked]
        of_metric = "organization_id = given.owner AND metric = given.name"
        last = f"(SELECT max(number) FROM ledger_entries WHERE {of_metric})"  # noqa: S608  nothing of a caller
        found = columns.fitting(
            session, LedgerEntry, {"owner": Big, "name": Text()}, list(zip(*keys, strict=True)),
            f"found.organization_id = given.owner AND found.number = {last}",
            ("organization_id", "metric", "balance_after"),
        )  # fmt: skip
        balances = {(owner, metric): balance for owner, metric, balance in found}
        return [balances.get(key, 0) for key in keys]


@dataclass(frozen=True, slots=True)
class Entries(OfOrganization):
    """The entries of an organization with these numbers, by number."""

    numbers: tuple[int, ...]

    @classmethod
    def answer(cls, session: Session, asked: Sequence[Entries]) -> list[dict[int, LedgerEntry]]:
        """One statement, whatever the number of organizations; none where no number is asked for."""
        numbers = {number for each in asked for number in each.numbers}
        found: dict[int, dict[int, LedgerEntry]] = {}
        if numbers:
            dialect, row = session.get_bind().dialect.name, LedgerEntry
            query = select(row).where(
                among(dialect, row.organization_id, "owners"), among(dialect, row.number, "numbers")
            )
            owners = {each.organization_id for each in asked if each.numbers}
            values = {"owners": listed(dialect, owners), "numbers": listed(dialect, numbers)}
            for entry in session.exec(query, params=values):
                found.setdefault(entry.organization_id, {})[entry.number] = entry
        return [
            {number: found[each.organization_id][number] for number in each.numbers} if each.numbers else {}
            for each in asked
        ]


def bucket_sums(session: Session, organization_id: int, metric: str) -> dict[str, BucketSum]:
    """The sums of all buckets of a metric."""
    found = session.connection().execute(_bucket_sums(), {"owner": organization_id, "metric": metric})
    return {bucket: BucketSum(int(total), rows, last) for bucket, total, rows, last in found}


@cache
def _bucket_sums() -> Select[str, int, int, int]:
    row = LedgerEntry
    return (
        select_columns(col(row.bucket), func.sum(row.quantity), func.count(), func.max(row.number))
        .where(col(row.organization_id) == bindparam("owner"), col(row.metric) == bindparam("metric"))
        .group_by(col(row.bucket))
    )


def entries_numbered(session: Session, organization_id: int, numbers: Sequence[int]) -> dict[int, LedgerEntry]:
    """The entries with these numbers."""
    return Entries.answer(session, [Entries(organization_id, tuple(numbers))])[0]


def last_numbers_of(session: Session, organization_ids: Collection[int]) -> dict[int, int]:
    """The number of each organization's newest entry; 0 before the first."""
    if not organization_ids:
        return {}
    dialect = session.get_bind().dialect.name
    found = session.connection().execute(_last_numbers_of(dialect), {"owners": listed(dialect, organization_ids)})
    return dict.fromkeys(organization_ids, 0) | dict(map(tuple, found))


@cache
def _last_numbers_of(dialect: str) -> Select[int, int]:
    row = LedgerEntry
    query = select_columns(col(row.organization_id), func.max(row.number))
    return query.where(among(dialect, row.organization_id, "owners")).group_by(col(row.organization_id))


def last_number(session: Session, organization_id: int) -> int:
    """The number of the organization's newest entry; 0 before the first."""
    query = select(func.max(LedgerEntry.number)).where(LedgerEntry.organization_id == organization_id)
    return session.exec(query).one() or 0


def balance(session: Session, organization_id: int, metric: str) -> int:
    """The posted balance of a metric: the sum of its entries."""
    query = select(func.sum(LedgerEntry.quantity)).where(
        LedgerEntry.organization_id == organization_id, LedgerEntry.metric == metric
    )
    return int(session.exec(query).one() or 0)


def balances(session: Session, organization_id: int) -> dict[str, int]:
    """The posted balances of all metrics."""
    query = (
        select(LedgerEntry.metric, func.sum(LedgerEntry.quantity))
        .where(LedgerEntry.organization_id == organization_id)
        .group_by(col(LedgerEntry.metric))
    )
    return {metric: int(total) for metric, total in session.exec(query)}


def total(session: Session, organization_id: int, metric: str, kind: str, start: datetime, end: datetime) -> int:
    """The sum of a metric's entries of one kind that occurred in `[start, end)`."""
    query = select(func.sum(LedgerEntry.quantity)).where(
        LedgerEntry.organization_id == organization_id,
        LedgerEntry.metric == metric,
        LedgerEntry.kind == kind,
        LedgerEntry.occurred_at >= start,
        LedgerEntry.occurred_at < end,
    )
    return int(session.exec(query).one() or 0)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries a reader wants: all that is None does not filter.

    `text` is looked for in reason and source; an entry of this `number` fits the text, too.
    """

    metric: str | None = None
    kind: str | None = None
    grant_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    text: str | None = None
    number: int | None = None


def entries(
    session: Session, organization_id: int, wanted: Filter, limit: int, before: int | None = None
) -> list[LedgerEntry]:
    """Entries, newest first, `limit` at a time, beginning below the number `before`."""
    query = select(LedgerEntry).where(LedgerEntry.organization_id == organization_id)
    if wanted.metric is not None:
        query = query.where(LedgerEntry.metric == wanted.metric)
    if wanted.kind is not None:
        query = query.where(LedgerEntry.kind == wanted.kind)
    if wanted.grant_id is not None:
        query = query.where(LedgerEntry.grant_id == wanted.grant_id)
    if wanted.start is not None:
        query = query.where(LedgerEntry.occurred_at >= wanted.start)
    if wanted.end is not None:
        query = query.where(LedgerEntry.occurred_at < wanted.end)
    if wanted.text:
        found = col(LedgerEntry.reason).icontains(wanted.text, autoescape=True)
        found |= col(LedgerEntry.source).icontains(wanted.text, autoescape=True)
        if wanted.number is not None:
            found |= col(LedgerEntry.number) == wanted.number
        query = query.where(found)
    if before is not None:
        query = query.where(LedgerEntry.number < before)
    return list(session.exec(query.order_by(col(LedgerEntry.number).desc()).limit(limit)))


def all_entries(session: Session, organization_id: int) -> Iterator[LedgerEntry]:
    """Every entry of an organization by its number."""
    query = (
        select(LedgerEntry)
        .where(LedgerEntry.organization_id == organization_id)
        .order_by(col(LedgerEntry.number))
        .execution_options(yield_per=1_000)
    )
    yield from session.exec(query)


def entries_of_grant(session: Session, organization_id: int, grant_id: str, limit: int) -> list[LedgerEntry]:
    """The first `limit` entries of a grant, oldest first."""
    query = select(LedgerEntry).where(LedgerEntry.organization_id == organization_id, LedgerEntry.grant_id == grant_id)
    return list(session.exec(query.order_by(col(LedgerEntry.number)).limit(limit)))


def sum_of_grant(session: Session, organization_id: int, grant_id: str, kind: str) -> int:
    """The sum of a grant's entries of one kind."""
    query = select(func.sum(LedgerEntry.quantity)).where(
        LedgerEntry.organization_id == organization_id, LedgerEntry.grant_id == grant_id, LedgerEntry.kind == kind
    )
    return int(session.exec(query).one() or 0)


def count_of_grant(session: Session, organization_id: int, grant_id: str) -> int:
    """How many entries a grant has."""
    query = select(func.count()).where(LedgerEntry.organization_id == organization_id, LedgerEntry.grant_id == grant_id)
    return session.exec(query).one()


def last_numbers(session: Session, organization_id: int, metric: str, until: datetime) -> dict[str, int]:
    """Per bucket of a metric the number of its last entry that occurred up to `until`."""
    query = (
        select(LedgerEntry.bucket, func.max(LedgerEntry.number))
        .where(
            LedgerEntry.organization_id == organization_id,
            LedgerEntry.metric == metric,
            LedgerEntry.occurred_at <= until,
        )
        .group_by(col(LedgerEntry.bucket))
    )
    return dict(session.exec(query).all())


def of_metric(session: Session, organization_id: int, metric: str) -> list[LedgerEntry]:
    """All entries of a metric, oldest first: recounts make a handful a day at most."""
    query = select(LedgerEntry).where(LedgerEntry.organization_id == organization_id, LedgerEntry.metric == metric)
    return list(session.exec(query.order_by(col(LedgerEntry.number))))


def entry(session: Session, organization_id: int, number: int) -> LedgerEntry | None:
    """One entry."""
    return session.get(LedgerEntry, (organization_id, number))
