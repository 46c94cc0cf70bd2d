"""Importing usage from files: idempotent, in short transactions, good rows kept and bad ones named by line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlmodel import Session

from billing_app.domain.common.errors import BillingError, FactRefusedError, NotFoundError
from billing_app.domain.common.periods import month_start
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context, Transaction
from billing_app.services.credits import grants
from billing_app.services.usage import meters, recounts, reporting
from billing_app.services.usage.files import Line, lines
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters as meter_store

BATCH = 500
"""Rows of one transaction: a batch commits within 200 ms, so that other writers wait no longer for it."""


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


def import_usage(
    path: Path,
    transaction: Transaction,
    now: Callable[[], datetime],
    *,
    backfill: bool = False,
    create: NewOrganizations | None = None,
    progress: Callable[[int], None] = lambda _bytes: None,
) -> Imported:
    """Imports a file of `usage_files`. Importing it again changes nothing; after a crash the same call goes on.

    `progress` is told how many bytes of the file were read. Raises InvalidError `invalid_file`, NotFoundError
    `plan_not_found`.
    """
    outcome = Imported()
    with transaction() as session:
        if create is not None:
            versions.current(session, now()).plan(create.plan)
    refused = {} if create is None else _create_missing(path, transaction, now(), create, outcome)
    touched: set[str] = set()
    for batch in _batches(_counted(lines(path, progress), outcome)):
        with transaction() as session:
            for address, rows in _by_organization(batch).items():
                _report(session, address, rows, now(), backfill, outcome, touched, refused)
    _follow(transaction, now, touched)
    outcome.bad.sort(key=lambda bad: bad.line)
    return outcome


def _counted(found: Iterator[Line], outcome: Imported) -> Iterator[Line]:
    """The lines that name an organization; the others are noted."""
    for line in found:
        outcome.rows += 1
        if isinstance(line.event, FactRefusedError) and not line.address:
            outcome.bad.append(BadRow(line.number, line.event.code, line.event.detail))
        else:
            yield line


def _batches(rows: Iterator[Line]) -> Iterator[list[Line]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _by_organization(batch: list[Line]) -> dict[str, list[Line]]:
    """In the order of their addresses: whoever locks several meters does it in one order."""
    found: dict[str, list[Line]] = {}
    for row in sorted(batch, key=lambda row: (row.address, row.number)):
        found.setdefault(row.address, []).append(row)
    return found


def _report(
    session: Session,
    address: str,
    rows: list[Line],
    now: datetime,
    backfill: bool,
    outcome: Imported,
    touched: set[str],
    refused: Mapping[str, BillingError],
) -> None:
    try:
        organization = organizations.by_address(session, address)
    except NotFoundError as found:
        error = refused.get(address, found)
        outcome.bad += [BadRow(row.number, error.code, error.detail) for row in rows]
        return
    report = reporting.report(
        Context(session, organization, now), [row.event for row in rows], backfill=backfill, watch=False
    )
    outcome.accepted += report.accepted
    report.reject_what_differs()
    outcome.duplicates += sum(not duplicate.differs for duplicate in report.duplicates)
    for rejected in report.rejected:
        outcome.bad.append(BadRow(rows[rejected.index].number, rejected.code, rejected.detail))
    unrecorded = {rejected.index for rejected in report.rejected}
    if len(unrecorded) < len(rows):
        touched.add(address)


def _create_missing(
    path: Path, transaction: Transaction, now: datetime, create: NewOrganizations, outcome: Imported
) -> dict[str, BillingError]:
    """Makes the organizations that the file names, with their first event's month as anchor unless told otherwise.

    In the order of the file, so that of two addresses that differ in case the first is made. Gives why some were not.
    """
    refused: dict[str, BillingError] = {}
    first: dict[str, tuple[datetime, int]] = {}
    for line in lines(path):
        if isinstance(line.event, reporting.ReportedEvent):
            moment, place = line.event.at or now, line.number
            earliest, named = first.get(line.address, (moment, place))
            first[line.address] = (min(moment, earliest), named)
    for address, (moment, _) in sorted(first.items(), key=lambda named: named[1][1]):
        with transaction() as session:
            try:
                organizations.by_address(session, address)
            except NotFoundError:
                anchor = create.anchor or month_start(moment)
                try:
                    with session.begin_nested():
                        organization = organizations.create(session, now, address=address, anchor=anchor)
                        grants.change_plan(Context(session, organization, now), create.plan, reason="imported")
                except BillingError as error:
                    refused[address] = error
                else:
                    outcome.created.append(address)
    return refused


def _follow(transaction: Transaction, now: Callable[[], datetime], touched: set[str]) -> None:
    """Meters, ledgers and pages of the organizations that the file touched come up to date at the end."""
    for address in sorted(touched):
        with transaction() as session:
            organization: Organization = organizations.by_address(session, address)
            moment = now()
            for row in meter_store.of_organization(session, organization.pk):
                meters.fresh(Context(session, organization, moment), row.metric)
            recounts.post(Context(session, organization, moment))
            organizations.raise_revision(session, organization.pk)
