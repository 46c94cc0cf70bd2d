"""Proves that what is stored follows from grants and raw usage (credits.md, The ledger: `billing verify`)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, select

from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.credits import snapshots
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.facts import History
from billing_app.domain.credits.postings import buckets, differences, entry_kind, parse_bucket_name
from billing_app.domain.usage.aggregation import UsageEvent, fold
from billing_app.services.catalogue import versions
from billing_app.services.common.context import Context
from billing_app.services.usage import accounts, meters, plans_in_force, recounts
from billing_app.services.usage.plans_in_force import Plans
from billing_app.services.verification import allowed, usage
from billing_app.services.verification.usage import Finding, Tally
from billing_app.store.credits import grants as credit_store
from billing_app.store.credits import ledger as ledger_store
from billing_app.store.credits import ledger as store
from billing_app.store.credits import snapshots as snapshot_store
from billing_app.store.tables.credits import LedgerEntry
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import events as usage_store
from billing_app.store.usage import meters as meter_store


def ledger_rows(session: Session, organization: Organization) -> Iterator[tuple[str, Finding]]:
    """Numbers without a gap, running sums, and what a row says of itself beside what its bucket says; by metric."""
    last = 0
    balances: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    for entry in store.all_entries(session, organization.pk):
        what = f"ledger entry {entry.number}"
        if entry.number != last + 1:
            yield entry.metric, (f"number of the entry after {last}", str(entry.number), str(last + 1))
        last = entry.number
        balances[entry.metric] += entry.quantity
        counted[entry.bucket] += 1
        if entry.balance_after != balances[entry.metric]:
            found = (f"balance after {what}", str(entry.balance_after), str(balances[entry.metric]))
            balances[entry.metric] = entry.balance_after  # one wrong row is one difference, not all that follow
            yield entry.metric, found
        for name, have, want in _of_bucket(entry, counted[entry.bucket]):
            if have != want:
                yield entry.metric, (f"{name} of {what}", have, want)


def _of_bucket(entry: LedgerEntry, count: int) -> Iterator[Finding]:
    kind, grant_id, _origin = parse_bucket_name(entry.bucket)
    yield "kind", entry.kind, entry_kind(kind, entry.quantity)
    yield "grant", entry.grant_id or "none", grant_id or "none"
    yield "key", entry.idempotency_key, f"{entry.bucket}#{count}"
    if kind == "burn":
        yield "period", str(entry.period), entry.bucket.split(":")[1]


def sums(
    session: Session, organization: Organization, metric: str, row: MeterRow | None, facts: History
) -> Iterator[Finding]:
    """Every bucket, where nothing is waiting to be posted, and that the next boundary will be posted when it passes."""
    if row is None or row.changed or row.posted_at is None:
        return  # the next recount posts what came since
    owner = organization.pk
    state = accounts.traced(facts, row.posted_at)
    held = recounts.held_buckets(session, owner, store.bucket_sums(session, owner, metric), facts)
    for posting in differences(buckets(state, facts.anchor), held, None):
        name = posting.bucket.name
        have = held[name].quantity if name in held else 0
        yield f"ledger bucket {name}", str(have), str(have + posting.quantity)
    due = meters.next_look(facts, state, row.posted_at)
    if row.post_due_at is None or row.post_due_at > due:
        yield "next posting", "none" if row.post_due_at is None else row.post_due_at.isoformat(), due.isoformat()


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


def verify(context: Context) -> Iterator[Difference]:
    """Recomputes everything of one organization from its facts, and yields every difference. Writes nothing."""
    session, organization, now = context.session, context.organization, context.now
    held = plans_in_force.plans(session, organization.pk)
    rows = {row.metric: row for row in meter_store.of_organization(session, organization.pk)}
    for metric in (*versions.current(session, now).metric_ids, *_others(context)):
        for finding in _verify_metric(context, metric, rows.get(metric), held):
            yield Difference(organization.address, metric, *finding)
    for metric, finding in ledger_rows(session, organization):
        yield Difference(organization.address, metric, *finding)
    for finding in usage.keys(session, organization):
        yield Difference(organization.address, "usage", *finding)


def _others(context: Context) -> list[str]:
    """Metrics with meters, grants or entries that the catalogue does not count by itself, such as tokens."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    known = {row.metric for row in meter_store.of_organization(session, owner)}
    known |= set(ledger_store.balances(session, owner))
    known |= {grant.metric for grant in credit_store.grants(session, owner)}
    return sorted(known - set(versions.current(session, now).metric_ids))


def _verify_metric(context: Context, metric: str, row: MeterRow | None, held: Plans) -> Iterator[Finding]:
    """The engine on raw events is what everything else is compared with.

    Where the roll-ups are what raw events say, it is run on them: the same (tests/laws), in memory that does not grow
    with events.
    """
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    try:
        looked_at = [] if row is None else [at for at in (row.posted_at, row.watched_at) if at is not None]
        facts = accounts.history(session, organization, metric, now, held=held, looked_at=looked_at)
    except NotFoundError:
        yield "metric", "something of it", "none in the catalogue"
        return
    tally = Tally(facts.aggregation, organization.anchor, now)
    tally.read(usage_store.recorded(session, owner, metric))
    wrong = list(tally.findings(session, owner, metric))
    if wrong:
        raw = (UsageEvent(*event[:4]) for event in usage_store.recorded(session, owner, metric))
        facts = replace(facts, usage=fold(facts.aggregation, organization.anchor, raw))
    yield from wrong
    yield from tally.misdated
    yield from _verify_conservation(accounts.traced(facts, now), facts, now)
    if row is not None:
        yield from _verify_meter(session, row, facts, now)
    elif facts.grants or facts.usage:
        yield "meter", "none", "one"
    yield from sums(session, organization, metric, row, facts)
    yield from _verify_snapshot(session, owner, metric, facts)
    yield from allowed.findings(context, metric, facts, rolled=not wrong)


def _verify_snapshot(session: Session, owner: int, metric: str, facts: History) -> Iterator[Finding]:
    """A snapshot that would be taken up says what the engine says from the beginning (law of splitting)."""
    (stored,) = snapshot_store.Latest.answer(session, [snapshot_store.Latest(owner, metric)])
    if stored is None or not stored.holds(snapshots.rules_until(facts, stored.at)):
        return  # whoever comes next removes it
    wanted = snapshots.snapshot_of(accounts.traced(facts, stored.at), facts)
    for name, want in json.loads(json.dumps(wanted.head)).items():
        if (have := stored.head.get(name)) != want:
            yield f"snapshot's {name}", str(have), str(want)
    kept = snapshot_store.kept_positions(session, owner, metric)
    begun = {grant.id for grant in facts.grants if grant.effective_at <= stored.at}
    for grant_id, want in json.loads(json.dumps(wanted.positions)).items():
        if grant_id in begun or grant_id in kept:  # others may have been recorded since
            closed, have = kept.get(grant_id, (False, {}))
            if have != want or closed > (grant_id in wanted.closed):
                yield f"snapshot of grant {grant_id}", str(have), str(want)


def _verify_conservation(state: State, facts: History, now: datetime) -> Iterator[Finding]:
    """quantity = pending + left + burned + held + expired + voided + clawed back, none negative."""
    for grant in state.account(facts, now).grants.values():
        parts = (
            grant.pending, grant.left, grant.burned, grant.held, grant.expired, grant.voided, grant.clawed_back,
        )  # fmt: skip
        if sum(parts) != grant.quantity or min(parts) < 0:
            yield f"conservation of grant {grant.id}", str(grant.quantity), str(parts)


def _verify_meter(session: Session, row: MeterRow, facts: History, now: datetime) -> Iterator[Finding]:
    """A meter that may be used says what the engine says, and is not used beyond the next boundary."""
    if not meters.usable(row, now) or now < row.valid_from:
        return
    seen_at = meters.seen_at(row, now)
    state = accounts.traced(facts, seen_at)
    account = state.account(facts, seen_at)
    pairs = {
        "period": (row.period, account.period.number),
        "used": (row.used, account.used),
        "allowance": (row.allowance, account.allowance),
        "left": (row.left, account.left),
        "level": (row.level, account.level),
        "debt": (row.debt, account.debt),
        "deficit": (row.deficit, meters.shown_deficit(account)),
        "reserved": (row.reserved, meter_store.reserved(session, row.organization_id, row.metric, seen_at)[0]),
    }
    for what, (have, want) in pairs.items():
        if have != want:
            yield f"meter's {what}", str(have), str(want)
    boundary = meters.next_look(facts, state, seen_at)
    if row.valid_until > boundary:
        yield "meter's end", row.valid_until.isoformat(), boundary.isoformat()
