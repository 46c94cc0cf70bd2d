"""Importing usage from files: idempotent, in short transactions, good rows kept and bad ones named by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path

from sqlmodel import Session

from billing_app.domain.common.errors import BillingError, FactRefusedError, NotFoundError
from billing_app.domain.common.periods import month_start
from billing_app.domain.usage.reported import ReportedEvent
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context, Transaction
from billing_app.services.credits import grants
from billing_app.services.usage import meters, recounts, reporting
from billing_app.services.usage.files import Line, blocks
from billing_app.store.organizations import tree
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters as meter_store

FIRST_ROWS, FEWEST_ROWS, MOST_ROWS = 2_000, 2_000, 20_000
"""Rows of the first transaction, and of any: what has been found to take SECONDS lies between."""

SECONDS = 0.15
"""How long a transaction should take: other writers of SQLite wait no longer for it."""


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
    size = FIRST_ROWS
    batch: list[Line] = []
    for block in chain(blocks(path, progress), [[]]):
        batch += _counted(block, outcome)
        while batch and (len(batch) >= size or not block):
            with transaction() as session:
                begun = now()  # after it has had to wait for its turn
                _record(session, batch[:size], begun, backfill, outcome, touched, refused)
            del batch[:size]
            size = _next_size(size, (now() - begun).total_seconds())
    _follow(transaction, now, touched)
    outcome.bad.sort(key=lambda bad: bad.line)
    return outcome


def _next_size(size: int, took: float) -> int:
    """So many rows as would have taken SECONDS, but not many more than last time."""
    return min(MOST_ROWS, 2 * size, max(FEWEST_ROWS, int(size * SECONDS / max(took, 0.001))))


def _counted(block: list[Line], outcome: Imported) -> Iterator[Line]:
    """The lines that name an organization; the others are noted."""
    outcome.rows += len(block)
    for line in block:
        if line.address or not isinstance(line.event, FactRefusedError):
            yield line
        else:
            outcome.bad.append(BadRow(line.number, line.event.code, line.event.detail))


def _by_organization(batch: list[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for line in batch:
        found[line.address].append(line)
    return found


def _record(
    session: Session,
    batch: list[Line],
    now: datetime,
    backfill: bool,
    outcome: Imported,
    touched: set[str],
    refused: Mapping[str, BillingError],
) -> None:
    """Records the lines of a transaction, all organizations together."""
    by_address = _by_organization(batch)
    known = organizations.by_addresses(session, sorted(by_address))
    for address in by_address.keys() - known.keys():
        error = refused.get(address) or organizations.not_found(address)
        outcome.bad += [BadRow(line.number, error.code, error.detail) for line in by_address.pop(address)]
    batches = [(known[address], [line.event for line in rows]) for address, rows in by_address.items()]
    reports = reporting.report_many(session, batches, now, backfill=backfill)
    for (address, rows), report in zip(by_address.items(), reports, strict=True):
        report.reject_what_differs()
        outcome.accepted += report.accepted
        outcome.duplicates += sum(not duplicate.differs for duplicate in report.duplicates)
        for rejected in report.rejected:
            outcome.bad.append(BadRow(rows[rejected.index].number, rejected.code, rejected.detail))
        if len({rejected.index for rejected in report.rejected}) < len(rows):
            touched.add(address)


def _create_missing(
    path: Path, transaction: Transaction, now: datetime, create: NewOrganizations, outcome: Imported
) -> dict[str, BillingError]:
    """Makes the organizations that the file names, with their first event's month as anchor unless told otherwise.

    In the order of the file, so that of two addresses that differ in case the first is made. Gives why some were not.
    """
    refused: dict[str, BillingError] = {}
    first: dict[str, datetime] = {}
    for line in chain.from_iterable(blocks(path)):
        if isinstance(line.event, ReportedEvent):
            moment, earliest = line.event.at or now, first.get(line.address)
            if earliest is None or moment < earliest:
                first[line.address] = moment
    for address, moment in first.items():
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
    """Meters, ledgers and pages of the organizations that the file touched, and of what they are parts of, whose meters
    may count their use, come up to date at the end.
    """
    owners: set[int] = set()
    with transaction() as session:
        for organization in organizations.by_addresses(session, sorted(touched)).values():
            owners |= {organization.pk, *(each.pk for each in tree.ancestors(session, organization))}
    for owner in sorted(owners):
        with transaction() as session:
            organization = session.get_one(Organization, owner)
            moment = now()
            recounts.post(Context(session, organization, moment))
            for row in meter_store.of_organization(session, organization.pk):  # and what there was nothing to post of
                meters.fresh(Context(session, organization, moment), row.metric)
            organizations.raise_revision(session, organization.pk)
