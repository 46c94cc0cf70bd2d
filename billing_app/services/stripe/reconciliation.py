"""The sync: everything at Stripe that concerns us against what is here (docs/stripe.md).

Where Stripe is the truth (money, how a subscription stands) differences are repaired by the same functions that its
events use; the others are reported. A run goes through stages page by page. Each repair is one transaction with its
finding, and where the run stands is written down after each page: stopped anywhere, the next run goes on there. One
process at a time has the lease.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.common.errors import BillingError, ConflictError, InvalidError, UnavailableError
from billing_app.log import get_logger
from billing_app.services.payments import payment_account
from billing_app.services.payments.customer_leases import held_by_job
from billing_app.services.stripe import (
    reconciliation_customers,
    reconciliation_events,
    reconciliation_money,
    reconciliation_plans,
)
from billing_app.services.stripe.findings import Finding, Look, Stage, Suspect, Sync
from billing_app.store.common import runs
from billing_app.store.stripe import reconciliation as store
from billing_app.store.tables.stripe import ReconciliationFinding, ReconciliationRun

log = get_logger()

LEASE = "reconciliation"

WINDOW = timedelta(days=30)
"""How far back Stripe is compared: it lists events for as long. What is open longer is looked at by itself."""

GRACE = timedelta(minutes=5)
"""A scheduled run leaves younger events to the webhook, which is on its way with them."""

HOURS = (3, 9, 15, 21)
"""When it runs, UTC: every six hours, away from the recounts."""

MAX_DAYS = 365
"""How far back may be asked for: refunds and disputes of payments that are older than a year do not happen."""

MAX_FINDINGS = 1_000
"""Findings that a run keeps. More than that is one cause, and it is in the first thousand."""

STAGES: Mapping[str, Stage] = {
    "events": reconciliation_events.events,
    "payments": reconciliation_money.checkouts,
    "subscriptions": reconciliation_plans.subscriptions,
    "invoices": reconciliation_plans.invoices,
    "refunds": reconciliation_money.refunds,
    "disputes": reconciliation_money.disputes,
    "older refunds and disputes": reconciliation_money.old_reversals,
    "prices": reconciliation_plans.prices,
    "customers": reconciliation_customers.customers,
}
"""In order: what was missed first, so that the rest finds less to do."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands. `stage` counts from 0 and is `stages` at the end."""

    run_id: int
    stage: int
    stages: int
    name: str
    compared: int
    repaired: int
    remaining: int


Reporter = Callable[[Progress], None]


def run(sync: Sync, holder: str, trigger: str, report: Reporter = lambda _progress: None) -> int:
    """Compares everything, or goes on where a run was stopped; the number of its report.

    Raises ConflictError `lease_taken` while another process is at it, and UnavailableError when Stripe does not answer:
    the run stays where it is, and the next one continues it.
    """
    account = sync.payments.account()
    with sync.transaction() as session:
        now = sync.now()
        runs.take_lease(session, LEASE, holder, now)
        payment_account.confirm(session, account, now)
        row = _begin_or_resume(session, sync, trigger, now)
        run_id, since, stage, cursor = row.id or 0, row.since, row.stage, row.cursor
    sync = Sync(sync.transaction, sync.payments, sync.now, since, sync.dry, sync.grace)
    try:
        for name in list(STAGES)[list(STAGES).index(stage) :]:
            cursor = _stage(sync, run_id, holder, name, cursor if name == stage else "", report)
        with sync.transaction() as session:
            _close(session, run_id, sync.now())
            report(progress(_row(session, run_id)))
    except BillingError as error:
        _note(sync, run_id, error)
        raise
    finally:
        with suppress(ConflictError), sync.transaction() as session:
            runs.release_lease(session, LEASE, holder)
    return run_id


def progress(row: ReconciliationRun) -> Progress:
    """Where a run stands."""
    names = list(STAGES)
    done = row.state == "finished"
    number = len(names) if done else names.index(row.stage) if row.stage in names else 0
    name = "" if done else row.stage
    return Progress(row.id or 0, number, len(names), name, row.compared, row.repaired, row.remaining)


def ask(session: Session, now: datetime, *, selling: bool) -> None:
    """Has everything compared with Stripe now. Raises UnavailableError `buying_unavailable` where it is not set up."""
    if not selling:
        raise UnavailableError("There is nothing to compare with: Stripe is not set up.", code="buying_unavailable")
    ask_for(session, now)


def ask_for(session: Session, now: datetime, *, dry: bool = False, days: int = WINDOW.days) -> int:
    """Writes down that a run is wanted: a job begins it within seconds. The number of its report.

    One that was stopped is continued instead. Raises ConflictError `lease_taken` while one is running, InvalidError
    `invalid_days`.
    """
    if not 1 <= days <= MAX_DAYS:
        raise InvalidError(f"Between 1 and {MAX_DAYS} days can be compared.", code="invalid_days")
    held = runs.lease_holder(session, LEASE)
    if held is not None and held.expires_at > now:
        raise ConflictError("A comparison is running already. Wait for its report.", code="lease_taken")
    row = store.unfinished(session, dry=dry)
    if row is None:
        first = next(iter(STAGES))
        since = now - timedelta(days=days)
        row = ReconciliationRun(trigger="demand", dry=dry, since=since, stage=first, started_at=now, renewed_at=now)
        store.begin(session, row)
    return row.id or 0


def wanted(session: Session, now: datetime) -> bool | None:
    """Whether a run is to be continued, and whether it is a dry one; None for none."""
    for dry in (False, True):
        row = store.unfinished(session, dry=dry)
        if row is not None and (row.renewed_at == row.started_at or row.renewed_at + runs.LEASE_TIME <= now):
            return dry
    return None


def is_due(session: Session, now: datetime) -> bool:
    """Whether nobody is at a scheduled run and the latest one is older than its last moment."""
    if store.unfinished(session, dry=False) is not None:
        return False
    last = store.last_finished(session)
    return last is None or last.started_at < last_scheduled(now)


def next_scheduled(now: datetime) -> datetime:
    """The next moment after `now` at which a run is due."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [midnight + timedelta(days=day, hours=hour) for day in (0, 1) for hour in HOURS]
    return min(moment for moment in moments if moment > now)


def last_scheduled(now: datetime) -> datetime:
    """The latest moment up to `now` at which a run was due."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [midnight + timedelta(days=day, hours=hour) for day in (-1, 0) for hour in HOURS]
    return max(moment for moment in moments if moment <= now)


def _begin_or_resume(session: Session, sync: Sync, trigger: str, now: datetime) -> ReconciliationRun:
    row = store.unfinished(session, dry=sync.dry)
    if row is not None and row.stage in STAGES:
        row.renewed_at, row.error = now, ""
        session.add(row)
        return row
    if row is not None:  # of another version of this program
        row.state, row.finished_at, row.error = "failed", now, "Stopped, and not continued."
        session.add(row)
    first = next(iter(STAGES))
    new = ReconciliationRun(
        trigger=trigger, dry=sync.dry, since=sync.since, stage=first, started_at=now, renewed_at=now
    )
    return store.begin(session, new)


def _stage(sync: Sync, run_id: int, holder: str, name: str, cursor: str, report: Reporter) -> str:
    while True:
        look = STAGES[name](sync, cursor)
        for suspect in look.suspects:
            _judge(sync, run_id, holder, suspect)
        with sync.transaction() as session:
            report(progress(_checkpoint(session, run_id, holder, name, look, sync.now())))
        cursor = look.next_cursor
        if not cursor:
            return ""


def _judge(sync: Sync, run_id: int, holder: str, suspect: Suspect) -> None:
    """Reads one suspect, and repairs it; its finding is written in the same transaction."""
    try:
        # An older reading must not be written over what a webhook has just brought.
        alone = bool(suspect.customer) and not sync.dry
        with held_by_job(sync.transaction, sync.now, suspect.customer) if alone else nullcontext():
            reading = suspect.read()
            with sync.transaction() as session:
                now = sync.now()
                runs.take_lease(session, LEASE, holder, now)
                finding = suspect.write(session, now, reading)
                if sync.dry:
                    session.rollback()
                else:
                    _add(session, run_id, finding, now)
        if not sync.dry:
            return
    except (UnavailableError, ConflictError):
        raise
    except BillingError as error:
        log.warning("not_reconciled", object=suspect.object_id, code=error.code, detail=error.detail)
        finding = Finding("not_repaired", suspect.object_id, f"This could not be repaired: {error.detail}", False)
    with sync.transaction() as session:
        runs.take_lease(session, LEASE, holder, sync.now())
        _add(session, run_id, finding, sync.now())


def _add(session: Session, run_id: int, finding: Finding | None, now: datetime) -> None:
    if finding is None or store.has_finding(session, run_id, finding.code, finding.object_id):
        return
    row, number = _row(session, run_id), store.next_number(session, run_id)
    row.repaired += finding.repaired
    row.remaining += not finding.repaired
    session.add(row)
    if number > MAX_FINDINGS:
        return
    session.add(
        ReconciliationFinding(
            run_id=run_id,
            number=number,
            code=finding.code,
            repaired=finding.repaired,
            object_id=finding.object_id,
            organization_id=finding.organization_id,
            detail=finding.detail,
            found_at=now,
        )
    )
    session.flush()


def _checkpoint(session: Session, run_id: int, holder: str, name: str, look: Look, now: datetime) -> ReconciliationRun:
    """Where the run goes on if it is stopped now."""
    runs.take_lease(session, LEASE, holder, now)
    row, names = _row(session, run_id), list(STAGES)
    row.compared += look.compared
    row.renewed_at = now
    following = names.index(name) + 1
    if look.next_cursor:
        row.stage, row.cursor = name, look.next_cursor
    elif following < len(names):
        row.stage, row.cursor = names[following], ""
    session.add(row)
    session.flush()
    return row


def _note(sync: Sync, run_id: int, error: BillingError) -> None:
    """Why the run stands still, for its report."""
    with sync.transaction() as session:
        row = _row(session, run_id)
        row.error = error.detail
        session.add(row)


def _close(session: Session, run_id: int, now: datetime) -> None:
    row = _row(session, run_id)
    row.state, row.finished_at = "finished", now
    session.add(row)
    session.flush()


def _row(session: Session, run_id: int) -> ReconciliationRun:
    row = store.run(session, run_id)
    if row is None:
        raise UnavailableError("The report of this run is gone.")
    return row
