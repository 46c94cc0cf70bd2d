"""The recount: brings ledgers up to date with what the engine says (credits.md, Recount)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.common.clocks import is_plausible, latest
from billing_app.domain.common.periods import period_at
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.facts import History
from billing_app.domain.credits.postings import Bucket, Posting, buckets, differences, parse_bucket_name
from billing_app.services.common.context import Context, Transaction
from billing_app.services.usage import accounts, meters, plans_in_force, wrong_clocks
from billing_app.services.usage.reasons import conversion_reasons, reason_for
from billing_app.store.common import locks, runs
from billing_app.store.credits import grants as credit_store
from billing_app.store.credits import ledger as store
from billing_app.store.credits import ungranted_meters
from billing_app.store.organizations import organizations
from billing_app.store.tables.credits import GrantRow, LedgerEntry
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters as meter_store

HOURS = (0, 6, 12, 18)
"""When the scheduled recount runs, UTC."""

BATCH = 20
"""Organizations of one transaction: they fit into 200 ms, so that a SQLite writer waits no longer for us."""

QUIET_BATCH = 500
"""Organizations of one transaction that only note that there was nothing to post."""

LEASE = "recount"


def next_scheduled(now: datetime) -> datetime:
    """The next scheduled recount after `now`."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    moments = (midnight + timedelta(hours=hour) for hour in (*HOURS, 24))
    return next(moment for moment in moments if moment > now)


def last_scheduled(now: datetime) -> datetime:
    """The latest moment up to `now` at which a recount was due."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return max(midnight + timedelta(hours=hour) for hour in HOURS if midnight + timedelta(hours=hour) <= now)


def is_missed(session: Session, now: datetime) -> bool:
    """Whether the last moment at which a recount was due passed without one; one from a wrong clock is none."""
    last = runs.last_finished(session)
    return last is None or last_scheduled(now) > last.as_of or not is_plausible(last.as_of, now)


@dataclass(slots=True)
class Outcome:
    """What a recount saw and did."""

    organizations_seen: int = 0
    organizations_changed: int = 0
    entries: int = 0
    repaired: int = 0
    """Organizations that a clock which was ahead had left with meters or ledgers of a moment that has not come."""


def post(context: Context) -> int:
    """Brings one organization's ledger up to date; answers how many rows that took.

    Two at once: both lock the organization's row, so the second finds nothing left to post; should that ever fail,
    the unique keys of the rows let only one of them commit.
    """
    session, organization, now = context.session, context.organization, context.now
    now = locks.hold(session, organization.pk, now)
    return _post(replace(context, now=now))


def _post(context: Context) -> int:
    """The same for an organization that is locked."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    held: plans_in_force.Plans | None = None
    written = 0
    rows = meter_store.lock_all(session, owner)
    for row in rows:
        now = locks.moment_of(session, ("meter", owner, row.metric), now, row.watched_at, row.posted_at)
    for row in rows:
        if not is_due(row, now):
            continue
        held = held or plans_in_force.plans(session, owner)
        written += _post_metric(replace(context, now=now), row, held)
    organization.recounted_at = now
    session.add(organization)
    session.flush()
    return written


def is_due(row: MeterRow, now: datetime) -> bool:
    """Whether the ledger of a metric may be behind: a fact was recorded, or a boundary passed, since it was posted."""
    return row.changed or row.post_due_at is None or row.post_due_at <= now or wrong_clocks.is_ahead(row, now)


def balance(context: Context, metric: str) -> tuple[int, int]:
    """What the ledger of a metric sums up to, and what the engine would post now: the "not yet posted" line."""
    session, organization, now = context.session, context.organization, context.now
    facts = accounts.history(session, organization, metric, now)
    return balance_of(session, organization, metric, facts, accounts.traced(facts, now))


def balance_of(
    session: Session, organization: Organization, metric: str, facts: History, state: State
) -> tuple[int, int]:
    """The same from a state that was run with its trace."""
    owner = organization.pk
    sums = store.bucket_sums(session, owner, metric)
    rows = differences(buckets(state), held_buckets(session, owner, sums, facts), None)
    return sum(each.quantity for each in sums.values()), sum(row.quantity for row in rows)


def _post_metric(context: Context, row: MeterRow, held: plans_in_force.Plans) -> int:
    session, organization, now = context.session, context.organization, context.now
    owner, metric = organization.pk, row.metric
    moment = latest(now, row.posted_at)
    facts = accounts.history(session, organization, metric, moment, held=held)
    if not meters.usable(row, now):
        meters.recompute(context, row, facts if moment == now else None)
    state = accounts.traced(facts, moment)
    sums = store.bucket_sums(session, owner, metric)
    known = held_buckets(session, owner, sums, facts)
    rows = differences(buckets(state), known, row.posted_at)
    _write(context, row, rows, sums)
    row.changed = False
    row.posted_at = moment
    row.post_due_at = meters.next_look(facts, moment)
    session.add(row)
    session.flush()
    return len(rows)


def held_buckets(
    session: Session, owner: int, sums: Mapping[str, store.BucketSum], facts: History
) -> dict[str, Bucket]:
    """The ledger's sums in the engine's terms."""
    last = store.entries_numbered(session, owner, [each.last_number for each in sums.values()])
    found: dict[str, Bucket] = {}
    for name, each in sums.items():
        entry = last[each.last_number]
        kind, grant_id, origin = parse_bucket_name(name)
        period = period_at(facts.anchor, entry.period)
        found[name] = Bucket(name, kind, each.quantity, grant_id, origin, period, entry.occurred_at)
    return found


def _write(context: Context, meter: MeterRow, rows: list[Posting], sums: Mapping[str, store.BucketSum]) -> None:
    session, organization, now = context.session, context.organization, context.now
    if not rows:
        return
    owner = organization.pk
    number = store.last_number(session, owner)
    balance = store.balance(session, owner, meter.metric)
    named = {grant.id: grant for grant in credit_store.grants(session, owner, meter.metric)}
    said = conversion_reasons(credit_store.actions(session, owner, meter.metric))
    counts = {name: each.rows for name, each in sums.items()}
    for posting in rows:
        number += 1
        balance += posting.quantity
        bucket = posting.bucket
        counts[bucket.name] = counts.get(bucket.name, 0) + 1
        session.add(
            LedgerEntry(
                organization_id=owner,
                number=number,
                metric=meter.metric,
                kind=posting.kind,
                quantity=posting.quantity,
                balance_after=balance,
                grant_id=bucket.grant_id,
                period=bucket.period.number,
                occurred_at=bucket.moved_at,
                recorded_at=now,
                reason=said.get(bucket.name) or reason_for(posting, named),
                source=_source(bucket, named),
                bucket=bucket.name,
                idempotency_key=f"{bucket.name}#{counts[bucket.name]}",
            )
        )
    session.flush()


def _source(bucket: Bucket, named: Mapping[str, GrantRow]) -> str:
    """What a row refers to outside: the purchase of its grant, or the refunded grant of a debt."""
    grant = named.get(bucket.grant_id or bucket.origin or "")
    return grant.source_key if grant else ""


def run(
    transaction: Transaction,
    now: Callable[[], datetime],
    holder: str,
    trigger: str,
    progress: Callable[[int], None] = lambda _seen: None,
) -> Outcome:
    """Recounts every organization that needs it, one run at a time across all processes.

    Each batch is a transaction of its own: after a crash the next run continues with what is left. Raises ConflictError
    `recount_running` while another one holds the lease.
    """
    as_of = now()
    with transaction() as session:
        runs.take_lease(session, LEASE, holder, as_of)
        run_id = runs.open_run(session, trigger, as_of)
    outcome, error = Outcome(), None
    try:
        _quiet(transaction, now, holder, as_of, outcome, progress)
        _batches(transaction, now, holder, as_of, outcome, progress)
    except BaseException as failure:
        error = f"{type(failure).__name__}: {failure}"
        raise
    finally:
        with transaction() as session:
            runs.close_run(
                session,
                run_id,
                now(),
                outcome.organizations_seen,
                outcome.organizations_changed,
                outcome.entries,
                error,
                outcome.repaired,
            )
            runs.release_lease(session, LEASE, holder)
    return outcome


def _quiet(
    transaction: Transaction,
    now: Callable[[], datetime],
    holder: str,
    as_of: datetime,
    outcome: Outcome,
    progress: Callable[[int], None],
) -> None:
    """Organizations that no rule about credits concerns, many at once; the engine gets the others."""
    after = 0
    while True:
        with transaction() as session:
            runs.take_lease(session, LEASE, holder, now())
            found = ungranted_meters.lock(session, as_of, after, QUIET_BATCH)
            ungranted_meters.post(session, found, as_of)
            organizations.raise_revisions(session, found)
        if not found:
            return
        after = found[-1]
        outcome.organizations_seen += len(found)
        progress(outcome.organizations_seen)


def _batches(
    transaction: Transaction,
    now: Callable[[], datetime],
    holder: str,
    as_of: datetime,
    outcome: Outcome,
    progress: Callable[[int], None],
) -> None:
    after = 0
    while True:
        with transaction() as session:
            # a holder that was paused past its lease must not go on beside its successor
            runs.take_lease(session, LEASE, holder, now())
            due = meter_store.due(session, as_of, after, BATCH)
            for organization_id in due:
                organization, moment = locks.hold_row(session, organization_id, as_of)
                outcome.repaired += wrong_clocks.was_repaired(Context(session, organization, moment))
                written = _post(Context(session, organization, moment))
                outcome.organizations_seen += 1
                outcome.organizations_changed += bool(written)
                outcome.entries += written
            for organization_id in due:
                organizations.raise_revision(session, organization_id)
        if not due:
            return
        after = due[-1]
        progress(outcome.organizations_seen)


def demand(transaction: Transaction, now: Callable[[], datetime]) -> Outcome:
    """Recounts at once, because somebody asked. Raises ConflictError `recount_running`."""
    return run(transaction, now, runs.new_holder(), "demand")
