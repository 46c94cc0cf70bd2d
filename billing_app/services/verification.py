"""Proves that what is stored follows from grants and raw usage (credits.md, The ledger: `billing verify`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, select

from billing_app.domain.credits import Aggregation, History
from billing_app.domain.engine_state import State
from billing_app.domain.postings import buckets, differences
from billing_app.domain.usage import fold
from billing_app.services import accounts, catalog, meters, recounts
from billing_app.store import ledger as ledger_store
from billing_app.store import meters as meter_store
from billing_app.store import rollups
from billing_app.store import usage as usage_store
from billing_app.store.rollups import HOUR, hour_of
from billing_app.store.tables.ledger import LedgerEntry
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.orgs import Organization


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where stored and computed differ. `where` names organization, metric and what was compared."""

    organization: str
    metric: str
    what: str
    stored: str
    computed: str

    def __str__(self) -> str:
        """The difference as a line for a person."""
        return f"{self.organization} {self.metric}: {self.what}: stored {self.stored}, computed {self.computed}"


def organizations(session: Session) -> list[str]:
    """The addresses of all organizations, in order."""
    return list(session.exec(select(Organization.address).order_by(col(Organization.address))))


def verify(session: Session, organization: Organization, now: datetime) -> Iterator[Difference]:
    """Recomputes everything of one organization from its facts, and yields every difference. Writes nothing."""
    held = accounts.plans(session, accounts.organization_id(organization))
    rows = {row.metric: row for row in meter_store.of_organization(session, accounts.organization_id(organization))}
    for metric in (*catalog.current(session, now).metric_ids, *_others(session, organization, now)):
        found = _verify_metric(session, organization, metric, rows.get(metric), held, now)
        yield from found


def _others(session: Session, organization: Organization, now: datetime) -> list[str]:
    """Metrics with meters or entries that the catalogue does not count by itself, such as tokens."""
    owner = accounts.organization_id(organization)
    known = {row.metric for row in meter_store.of_organization(session, owner)}
    known |= set(ledger_store.balances(session, owner))
    return sorted(known - set(catalog.current(session, now).metric_ids))


def _verify_metric(
    session: Session,
    organization: Organization,
    metric: str,
    row: MeterRow | None,
    held: accounts.Plans,
    now: datetime,
) -> Iterator[Difference]:
    """The engine on raw events is what everything else is compared with."""
    stored = accounts.history(session, organization, metric, now, held=held)
    owner = accounts.organization_id(organization)
    raw = fold(stored.aggregation, organization.anchor, usage_store.events_between(session, owner, metric))
    facts = replace(stored, usage=raw)
    yield from _verify_hours(session, organization, metric, stored.aggregation)
    yield from _verify_conservation(organization, metric, accounts.traced(facts, now), facts, now)
    if row is not None:
        yield from _verify_meter(session, organization, row, facts, now)
    yield from _verify_ledger(session, organization, metric, row, facts, now)


def _verify_hours(
    session: Session, organization: Organization, metric: str, aggregation: Aggregation
) -> Iterator[Difference]:
    """Every roll-up against the events of its hour."""
    owner = accounts.organization_id(organization)
    if aggregation is Aggregation.UNIQUE:
        return  # what an hour counts depends on the period; the meter and the ledger are compared with raw events
    stored = {hour.hour: hour for hour in rollups.hours(session, owner, metric)}
    computed: dict[datetime, int] = {}
    for event in usage_store.events_between(session, owner, metric):
        hour = hour_of(event.at)
        if aggregation is Aggregation.SUM:
            computed[hour] = computed.get(hour, 0) + event.quantity
        else:
            computed[hour] = max(computed.get(hour, 0), event.quantity)
    for hour in sorted(stored.keys() | computed.keys()):
        have = stored[hour].quantity if hour in stored else 0
        want = computed.get(hour, 0)
        if have != want:
            what = f"roll-up of {hour.isoformat()} to {(hour + HOUR).isoformat()}"
            yield Difference(organization.address, metric, what, str(have), str(want))


def _verify_conservation(
    organization: Organization, metric: str, state: State, facts: History, now: datetime
) -> Iterator[Difference]:
    """quantity = pending + left + burned + held + expired + voided + clawed back, none negative."""
    for grant in state.account(facts, now).grants.values():
        parts = (
            grant.pending, grant.left, grant.burned, grant.held, grant.expired, grant.voided, grant.clawed_back,
        )  # fmt: skip
        if sum(parts) != grant.quantity or min(parts) < 0:
            yield Difference(
                organization.address, metric, f"conservation of grant {grant.id}", str(grant.quantity), str(parts)
            )


def _verify_meter(
    session: Session, organization: Organization, row: MeterRow, facts: History, now: datetime
) -> Iterator[Difference]:
    """A meter that may be used says what the engine says."""
    if not meters.usable(row, now) or now < row.valid_from:
        return
    account = accounts.traced(facts, now).account(facts, now)
    pairs = {
        "used": (row.used, account.used),
        "allowance": (row.allowance, account.allowance),
        "left": (row.left, account.left),
        "level": (row.level, account.level),
        "debt": (row.debt, account.debt),
        "deficit": (row.deficit, meters.shown_deficit(account)),
        "reserved": (row.reserved, meter_store.reserved(session, row.organization_id, row.metric, now)[0]),
    }
    for what, (have, want) in pairs.items():
        if have != want:
            yield Difference(organization.address, row.metric, f"meter's {what}", str(have), str(want))


def _verify_ledger(
    session: Session,
    organization: Organization,
    metric: str,
    row: MeterRow | None,
    facts: History,
    now: datetime,
) -> Iterator[Difference]:
    """Running sums, numbers without a gap, and, where nothing is waiting to be posted, every bucket."""
    owner = accounts.organization_id(organization)
    yield from _verify_running_sums(session, organization, metric)
    if row is None or row.changed or row.posted_at is None:
        return  # the next recount posts what came since
    state = accounts.traced(facts, row.posted_at)
    held = recounts.held_buckets(session, owner, ledger_store.bucket_sums(session, owner, metric), facts)
    for posting in differences(buckets(state), held, None):
        name = posting.bucket.name
        have = held[name].quantity if name in held else 0
        yield Difference(organization.address, metric, f"ledger bucket {name}", str(have), str(have + posting.quantity))


def _verify_running_sums(session: Session, organization: Organization, metric: str) -> Iterator[Difference]:
    owner = accounts.organization_id(organization)
    query = (
        select(LedgerEntry.number, LedgerEntry.quantity, LedgerEntry.balance_after)
        .where(LedgerEntry.organization_id == owner, LedgerEntry.metric == metric)
        .order_by(col(LedgerEntry.number))
        .execution_options(yield_per=5_000)
    )
    balance = 0
    for number, quantity, balance_after in session.exec(query):
        balance += quantity
        if balance != balance_after:
            yield Difference(
                organization.address, metric, f"balance after ledger entry {number}", str(balance_after), str(balance)
            )
