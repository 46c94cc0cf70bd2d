"""Importing usage from CSV: idempotent, in short transactions, good rows kept and bad ones named by line."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

from sqlmodel import Session

from billing_app.domain.errors import BillingError, InvalidError, NotFoundError
from billing_app.domain.periods import month_start
from billing_app.services import accounts, catalog, credits, meters, orgs, recounts, usage
from billing_app.store import meters as meter_store
from billing_app.store.tables.orgs import Organization

COLUMNS = ("organization", "id", "metric", "quantity", "subject", "at")

BATCH = 500
"""Rows of one transaction: a batch commits within 200 ms, so that other writers wait no longer for it."""

Transaction = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not recorded, with its line in the file."""

    line: int
    code: str
    detail: str


@dataclass(slots=True)
class Imported:
    """What became of a file."""

    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    created: list[str] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NewOrganizations:
    """How to make organizations that the file names and that do not exist: their plan and anchor.

    Without an anchor it is the start of the (UTC) month of the organization's first event in the file.
    """

    plan: str
    anchor: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    address: str
    event: usage.ReportedEvent


def import_usage(
    path: Path,
    transaction: Transaction,
    now: Callable[[], datetime],
    *,
    backfill: bool = False,
    create: NewOrganizations | None = None,
    progress: Callable[[int], None] = lambda _bytes: None,
) -> Imported:
    """Imports a CSV file, plain or gzipped. Importing it again changes nothing; after a crash the same call goes on.

    `progress` is told how many bytes of the file were read. Raises InvalidError `invalid_file`, NotFoundError
    `plan_not_found`.
    """
    outcome = Imported()
    with transaction() as session:
        if create is not None:
            catalog.current(session, now()).plan(create.plan)
    if create is not None:
        _create_missing(path, transaction, now(), create, outcome)
    touched: set[tuple[str, str]] = set()
    for batch in _batches(_rows(path, outcome, progress)):
        with transaction() as session:
            for address, rows in _by_organization(batch).items():
                _report(session, address, rows, now(), backfill, outcome, touched)
    _follow(transaction, now, touched)
    outcome.bad.sort(key=lambda bad: bad.line)
    return outcome


def _rows(path: Path, outcome: Imported, progress: Callable[[int], None]) -> Iterator[_Row]:
    """The good rows of a file; what cannot be read is noted."""
    for line, record in _records(path, progress):
        outcome.rows += 1
        try:
            yield _Row(line, record["organization"].strip(), _event(record))
        except (ValueError, AttributeError) as error:
            outcome.bad.append(BadRow(line, "invalid_row", _sentence(error)))


def _records(path: Path, progress: Callable[[int], None]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            unpacked = gzip.GzipFile(fileobj=raw) if packed else raw
            with TextIOWrapper(unpacked, encoding="utf-8", newline="") as stream:
                reader = csv.DictReader(stream)
                missing = set(COLUMNS) - set(reader.fieldnames or ())
                if missing - {"id", "quantity", "subject"}:
                    raise InvalidError(
                        f"{path.name} has no column {', '.join(sorted(missing))}; it needs {','.join(COLUMNS)}.",
                        code="invalid_file",
                    )
                for record in reader:
                    progress(0 if raw.closed else raw.tell())
                    yield reader.line_num, record
    except (OSError, UnicodeDecodeError, csv.Error, EOFError) as error:
        raise InvalidError(f"{path.name} can't be read: {error}", code="invalid_file") from None


def _event(record: dict[str, str]) -> usage.ReportedEvent:
    quantity = record.get("quantity") or None
    if quantity is not None and not quantity.lstrip("-").isdigit():
        raise ValueError(f"quantity is a whole number, not {quantity!r}")
    if not record["metric"]:
        raise ValueError("metric is missing")
    return usage.ReportedEvent(
        metric=record["metric"],
        quantity=None if quantity is None else int(quantity),
        subject=record.get("subject") or None,
        at=_moment(record["at"]),
        id=record.get("id") or None,
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"at is an RFC 3339 moment such as 2024-01-31T12:00:00Z, not {text!r}") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else "the row has too few columns"


def _batches(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _by_organization(batch: list[_Row]) -> dict[str, list[_Row]]:
    """In the order of their addresses: whoever locks several meters does it in one order."""
    found: dict[str, list[_Row]] = {}
    for row in sorted(batch, key=lambda row: (row.address, row.line)):
        found.setdefault(row.address, []).append(row)
    return found


def _report(
    session: Session,
    address: str,
    rows: list[_Row],
    now: datetime,
    backfill: bool,
    outcome: Imported,
    touched: set[tuple[str, str]],
) -> None:
    try:
        organization = orgs.by_address(session, address)
    except NotFoundError as error:
        outcome.bad += [BadRow(row.line, error.code, error.detail) for row in rows]
        return
    report = usage.report(session, organization, [row.event for row in rows], now, backfill=backfill, watch=False)
    outcome.accepted += report.accepted
    for duplicate in report.duplicates:
        if duplicate.differs:
            detail = f"id {duplicate.id!r} was recorded before with other content; that one stands"
            outcome.bad.append(BadRow(rows[duplicate.index].line, "duplicate_differs", detail))
        else:
            outcome.duplicates += 1
    for rejected in report.rejected:
        outcome.bad.append(BadRow(rows[rejected.index].line, rejected.code, rejected.detail))
    refused = {rejected.index for rejected in report.rejected}
    touched |= {(address, row.event.metric) for index, row in enumerate(rows) if index not in refused}


def _create_missing(
    path: Path, transaction: Transaction, now: datetime, create: NewOrganizations, outcome: Imported
) -> None:
    """Makes the organizations that the file names, with their first event's month as anchor unless told otherwise."""
    first: dict[str, datetime] = {}
    for row in _rows(path, Imported(), lambda _bytes: None):
        if row.event.at is not None:
            first[row.address] = min(row.event.at, first.get(row.address, row.event.at))
    for address, moment in sorted(first.items()):
        with transaction() as session:
            try:
                orgs.by_address(session, address)
            except NotFoundError:
                _create(session, address, create.anchor or month_start(moment), create.plan, now, outcome)


def _create(session: Session, address: str, anchor: datetime, plan: str, now: datetime, outcome: Imported) -> None:
    try:
        with session.begin_nested():
            organization = orgs.create(session, now, address=address, anchor=anchor)
            credits.change_plan(session, organization, plan, now, reason="imported")
    except BillingError as error:
        outcome.bad.append(BadRow(1, error.code, f"{address}: {error.detail}"))
    else:
        outcome.created.append(address)


def _follow(transaction: Transaction, now: Callable[[], datetime], touched: set[tuple[str, str]]) -> None:
    """Meters, ledgers and pages of the organizations that the file touched come up to date at the end."""
    for address in sorted({address for address, _ in touched}):
        with transaction() as session:
            organization: Organization = orgs.by_address(session, address)
            moment = now()
            for row in meter_store.of_organization(session, accounts.organization_id(organization)):
                meters.fresh(session, organization, row.metric, moment)
            recounts.post(session, organization, moment)
            orgs.raise_revision(session, accounts.organization_id(organization))
