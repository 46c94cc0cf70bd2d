"""The recount: brings ledgers up to date with what the engine says (credits.md, Recount)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from billing_app.domain.common.moments import is_plausible, latest
from billing_app.domain.common.periods import period_at
from billing_app.domain.credits import engine
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.facts import History
from billing_app.domain.credits.postings import (
    Bucket,
    Posting,
    buckets,
    changed,
    differences,
    last_moves,
    parse_bucket_name,
)  # fmt: skip
from billing_app.domain.credits.postings import rows as posting_rows
from billing_app.services.catalogue import versions
from billing_app.services.common.context import Context, Transaction
from billing_app.services.usage import accounts, meters, plans_in_force, snapshots, wrong_clocks
from billing_app.services.usage.reasons import reason_for
from billing_app.store.common import locks, runs
from billing_app.store.common.questions import Asking, many
from billing_app.store.credits import ledger as store
from billing_app.store.credits import snapshots as snapshot_store
from billing_app.store.credits import ungranted_meters
from billing_app.store.credits.grants import ConversionReasons, GrantLabel, GrantLabels
from billing_app.store.credits.snapshots import New
from billing_app.store.organizations import organizations
from billing_app.store.tables.credits import LedgerEntry
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters as meter_store
from billing_app.store.usage.meters import Meter

HOURS = (0, 6, 12, 18)
"""When the scheduled recount runs, UTC."""

BATCH = 200
"""Organizations of one transaction: they fit into 200 ms, so that a SQLite writer waits no longer for us."""

QUIET_BATCH = 2_000
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
    """Brings one organization's ledger up to date; answers how many rows that took. Its open pages hear of it.

    Two at once: both lock the organization's row, so the second finds nothing left to post; should that ever fail,
    the unique keys of the rows let only one of them commit.
    """
    session = context.session
    session.flush()
    (posted,) = _post(session, [context.organization.pk], context.now)
    return posted.written


@dataclass(slots=True)
class _Posted:
    """What was done for one organization since `moment`, at which it was locked; `meters` are as they were then."""

    organization: Organization
    moment: datetime
    meters: list[Meter]
    written: int = 0


@dataclass(frozen=True, slots=True)
class _Account:
    """What brings one meter's ledger up to date: the rows to write, and when it is to be looked at again.

    `balance` is what the ledger sums up to before them, `sums` what is in the buckets that they concern.
    """

    meter: Meter
    due_at: datetime
    rows: Sequence[Posting] = ()
    sums: Mapping[str, store.BucketSum] = field(default_factory=dict)
    balance: int = 0
    labels: Mapping[str, GrantLabel] = field(default_factory=dict)
    conversions: Mapping[tuple[str, int], str] = field(default_factory=dict)
    snapshot: New | None = None


def _post(session: Session, owners: Sequence[int], now: datetime) -> list[_Posted]:
    """Brings the ledgers of these organizations, by id, up to date: in a few statements, however many they are."""
    organizations_held, now = locks.hold_rows(session, owners, now)
    found = {each.pk: _Posted(each, now, []) for each in organizations_held}
    for meter in meter_store.lock_of(session, owners):
        found[meter.organization_id].meters.append(meter)
        now = locks.moment_of(
            session, ("meter", meter.organization_id, meter.metric), now, meter.watched_at, meter.posted_at
        )
    due = {owner: [row for row in each.meters if is_due(row, now)] for owner, each in found.items()}
    concerned = [owner for owner, rows in due.items() if rows]
    timeline = tuple(versions.timeline(session))
    held = many(session, [plans_in_force.plans_of(found[owner].organization, timeline) for owner in concerned])
    asking = [
        _account(Context(session, found[owner].organization, now), row, plans)
        for owner, plans in zip(concerned, held, strict=True)
        for row in due[owner]
    ]
    accounts_due = many(session, asking)
    session.flush()
    writing = [each for each in accounts_due if each.rows]
    numbers = store.last_numbers_of(session, {each.meter.organization_id for each in writing})
    entries: list[dict[str, Any]] = []
    for account in writing:
        owner = account.meter.organization_id
        entries += _entries(account, numbers[owner], now)
        numbers[owner] += len(account.rows)
        found[owner].written += len(account.rows)
    store.add(session, entries)
    snapshot_store.keep(session, [each.snapshot for each in accounts_due if each.snapshot is not None])
    meter_store.posted(session, [(each.meter, each.due_at) for each in accounts_due], now)
    organizations.note_recounted(session, organizations_held, now)
    organizations.raise_at_end(session, concerned)
    return list(found.values())


def is_due(row: Meter | MeterRow, now: datetime) -> bool:
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
    rows = differences(buckets(state, facts.anchor), held_buckets(session, owner, sums, facts), None)
    return sum(each.quantity for each in sums.values()), sum(row.quantity for row in rows)


def _account(context: Context, meter: Meter, held: plans_in_force.Plans) -> Asking[_Account]:
    """Computes one meter's account, and what its ledger lacks. The meter's row is locked."""
    now = context.now
    owner, metric = context.organization.pk, meter.metric
    usable = meters.usable(meter, now)
    moment = latest(now, meter.posted_at)
    watched = None if usable or not is_plausible(meter.watched_at, now) else meter.watched_at
    basis = yield from snapshots.basis(context, metric, moment, held, watched=watched, for_credits=usable)
    facts = basis.facts
    if usable and not facts.grants and basis.stored is None:
        return _Account(meter, meter.valid_until)  # no rule is about credits here: its ledger stays empty
    state: State | None = None
    if not usable:
        row: MeterRow = yield meter_store.Rows(owner, metric)
        state = yield from meters.recomputed(context, row, held, basis if moment == now else None)
    if state is None or state.at != moment:
        state = basis.start()
        engine.advance(state, facts, moment)
    names, balance = None, 0
    if basis.stored is not None:
        names = _may_differ(basis.recent, state)
        balance = yield store.LedgerBalance(owner, metric)
    sums: dict[str, store.BucketSum] = yield store.LedgerSums(owner, metric, names)
    if names is None:
        balance = sum(each.quantity for each in sums.values())
    wanted = buckets(state, facts.anchor, names)
    quantities = changed(wanted, {name: each.quantity for name, each in sums.items()})
    gone = {name: sums[name] for name in quantities if name not in wanted}
    if gone:
        last: dict[int, LedgerEntry] = yield store.Entries(owner, tuple(each.last_number for each in gone.values()))
        wanted |= _as_buckets(gone, last, facts)
    rows = posting_rows(quantities, wanted, meter.posted_at)
    named = frozenset(subject for row in rows if (subject := row.bucket.grant_id or row.bucket.origin))
    labels = (yield GrantLabels(owner, named)) if named else {}
    converted = any(row.bucket.kind == "convert" for row in rows)
    conversions = (yield ConversionReasons(owner, metric)) if converted else {}
    due_at = meters.next_look(facts, state, moment)
    new = snapshots.due(context, metric, basis, moment)
    return _Account(meter, due_at, rows, sums, balance, labels, conversions, new)


def _may_differ(recent: Iterable[str], state: State) -> frozenset[str]:
    """The buckets in which the ledger may hold something else than what a state that was taken up from a snapshot says.

    They have moved since, or have entries since: of facts that another one has superseded. What the snapshot closed,
    grants and periods, no fact since can have moved.
    """
    periods = {month.period.number for month in state.months}
    return frozenset(last_moves(state)) | {
        name
        for name in recent
        if _subject(name) in state.positions and (not name.startswith("burn:") or int(name.split(":")[1]) in periods)
    }


def _subject(bucket: str) -> str:
    _kind, grant_id, origin = parse_bucket_name(bucket)
    return grant_id or origin or ""


def held_buckets(
    session: Session, owner: int, sums: Mapping[str, store.BucketSum], facts: History
) -> dict[str, Bucket]:
    """The ledger's sums in the engine's terms."""
    last = store.entries_numbered(session, owner, [each.last_number for each in sums.values()])
    return _as_buckets(sums, last, facts)


def _as_buckets(
    sums: Mapping[str, store.BucketSum], last: Mapping[int, LedgerEntry], facts: History
) -> dict[str, Bucket]:
    found: dict[str, Bucket] = {}
    for name, each in sums.items():
        entry = last[each.last_number]
        kind, grant_id, origin = parse_bucket_name(name)
        period = period_at(facts.anchor, entry.period)
        found[name] = Bucket(name, kind, each.quantity, grant_id, origin, period, entry.occurred_at)
    return found


def _entries(account: _Account, number: int, now: datetime) -> Iterator[dict[str, Any]]:
    """The rows of one account's ledger, counted from the organization's last `number`."""
    balance = account.balance
    counts = {name: each.rows for name, each in account.sums.items()}
    for place, posting in enumerate(account.rows, 1):
        bucket = posting.bucket
        balance += posting.quantity
        counts[bucket.name] = counts.get(bucket.name, 0) + 1
        grant = account.labels.get(bucket.grant_id or bucket.origin or "")
        yield {
            "organization_id": account.meter.organization_id,
            "number": number + place,
            "metric": account.meter.metric,
            "kind": posting.kind,
            "quantity": posting.quantity,
            "balance_after": balance,
            "grant_id": bucket.grant_id,
            "period": bucket.period.number,
            "occurred_at": bucket.moved_at,
            "recorded_at": now,
            "reason": _conversion_reason(account, bucket) or reason_for(posting, account.labels),
            # what a row refers to outside: the purchase of its grant, or the refunded grant of a debt
            "source": grant.source_key if grant else "",
            "bucket": bucket.name,
            "idempotency_key": f"{bucket.name}#{counts[bucket.name]}",
        }


def _conversion_reason(account: _Account, bucket: Bucket) -> str:
    """What a conversion said it was for."""
    if bucket.kind != "convert" or bucket.grant_id is None:
        return ""
    return account.conversions.get((bucket.grant_id, int(bucket.name.split(":")[1])), "")


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
            for each in _post(session, due, as_of) if due else ():
                context = Context(session, each.organization, each.moment)
                outcome.repaired += wrong_clocks.was_repaired(context, each.meters)
                outcome.organizations_seen += 1
                outcome.organizations_changed += bool(each.written)
                outcome.entries += each.written
        if not due:
            return
        after = due[-1]
        progress(outcome.organizations_seen)


def demand(transaction: Transaction, now: Callable[[], datetime]) -> Outcome:
    """Recounts at once, because somebody asked. Raises ConflictError `recount_running`."""
    return run(transaction, now, runs.new_holder(), "demand")
