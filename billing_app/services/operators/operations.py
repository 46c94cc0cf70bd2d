"""What operators watch: Stripe's events, comparisons with Stripe, recounts, and what waits since when. Reads only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.common.errors import InvalidError, NotFoundError
from billing_app.services.common import cursors
from billing_app.services.common.answers import filled
from billing_app.services.operators.views_operations import (
    EventAnswer,
    EventFilters,
    EventsView,
    EventWithPayloadAnswer,
    FindingAnswer,
    ReconciliationView,
    RecountAnswer,
    RecountsView,
    ReportAnswer,
    RunAnswer,
)
from billing_app.services.stripe import reconciliation
from billing_app.services.stripe.inbox import STRIPE
from billing_app.services.usage import recounts
from billing_app.store.common import runs
from billing_app.store.operators import search
from billing_app.store.organizations import organizations
from billing_app.store.stripe import inbox
from billing_app.store.stripe import reconciliation as reconciliation_store
from billing_app.store.stripe import reconciliation as store
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.runs import RecountRun
from billing_app.store.tables.stripe import InboxEvent, ReconciliationFinding, ReconciliationRun
from billing_app.store.usage import meters
from billing_app.store.usage import meters as meter_store

PAGE = 50
"""Lines of a page (api.md, Lists)."""

MAX_BEHIND = 1_000
"""Organizations that are counted as behind; more are "1,000 and more"."""

STATES = ("new", "handled", "failed", "given_up", "ignored")
"""What events can be asked for by."""

FINDINGS = reconciliation.MAX_FINDINGS


def events(session: Session, filters: EventFilters, cursor: str, now: datetime, *, limit: int = PAGE) -> EventsView:
    """A page of events. Raises InvalidError `invalid_filter`; NotFoundError `cursor_not_found`."""
    if filters.state and filters.state not in STATES:
        raise InvalidError(f"An event's state is one of {', '.join(STATES)}.", code="invalid_filter")
    found = inbox.page(
        session,
        state=filters.state,
        kind=filters.type,
        address=filters.organization,
        before=cursors.decode(cursor, datetime, str),
        limit=limit + 1,
    )
    page, due = found[:limit], inbox.due(session)
    last = page[-1][0] if len(found) > limit else None
    return EventsView(
        now=now,
        events=tuple(_line(event, organization) for event, organization in page),
        next_cursor=cursors.encode(last.received_at, last.id) if last else "",
        types=tuple(inbox.types(session)),
        waiting=due.get("new", 0),
        failing=due.get("failed", 0),
    )


def event(session: Session, event_id: str) -> EventWithPayloadAnswer:
    """One event with what was received. Raises NotFoundError `event_not_found`."""
    found = inbox.one(session, STRIPE, event_id)
    if found is None:
        raise NotFoundError(f"No event {event_id!r} was received.", code="event_not_found")
    return filled(EventWithPayloadAnswer, _line(*found), payload=json.loads(found[0].payload))


def reconciliations(
    session: Session, run_id: int, cursor: str, now: datetime, *, selling: bool, limit: int = PAGE
) -> ReconciliationView:
    """The report of a run (0: the latest) and a page of runs. Raises NotFoundError `run_not_found`."""
    found = store.runs(session, limit + 1, _below(cursor))
    page = found[:limit]
    latest = store.runs(session, 1)
    shown = run_id or (latest[0].id if latest else 0) or 0
    return ReconciliationView(
        now=now,
        report=report(session, shown, now) if shown else None,
        runs=tuple(_run(each, now) for each in page),
        next_cursor=cursors.encode(page[-1].id or 0) if len(found) > limit else "",
        next_run=reconciliation.next_scheduled(now),
        selling=selling,
    )


def report(session: Session, run_id: int, now: datetime) -> ReportAnswer:
    """A run with all that it found. Raises NotFoundError `run_not_found`."""
    row = store.run(session, run_id)
    if row is None:
        raise NotFoundError(f"There is no report {run_id}.", code="run_not_found")
    rows = store.findings(session, run_id, FINDINGS)
    known = {
        owner: organizations.by_id(session, owner)
        for owner in {each.organization_id for each in rows}
        if owner is not None
    }
    findings = tuple(_finding(each, known.get(each.organization_id or 0)) for each in rows)
    return filled(ReportAnswer, _run(row, now), findings=findings)


def recount_runs(session: Session, cursor: str, now: datetime, *, limit: int = PAGE) -> RecountsView:
    """A page of recounts, newest first."""
    found = runs.page(session, _below(cursor), limit + 1)
    page = found[:limit]
    return RecountsView(
        now=now,
        runs=tuple(_recount(each) for each in page),
        next_cursor=cursors.encode(page[-1].id or 0) if len(found) > limit else "",
        next_run=recounts.next_scheduled(now),
        behind=len(meter_store.due(session, now, 0, MAX_BEHIND)),
    )


def _below(cursor: str) -> int | None:
    """The number below which a page begins."""
    (number,) = cursors.decode(cursor, int) or (None,)
    return number


def _line(row: InboxEvent, organization: Organization | None) -> EventAnswer:
    return filled(
        EventAnswer, row, customer_id=row.subject if row.subject.startswith("cus_") else "", **_whose(organization)
    )


def _run(row: ReconciliationRun, now: datetime) -> RunAnswer:
    where = reconciliation.progress(row)
    stopped = row.state == "running" and (row.error != "" or row.renewed_at + 3 * runs.LEASE_TIME < now)
    state = "stopped" if stopped else row.state
    return filled(RunAnswer, row, state=state, stage=where.stage, stages=where.stages, stage_name=where.name)


def _finding(row: ReconciliationFinding, organization: Organization | None) -> FindingAnswer:
    return filled(FindingAnswer, row, **_whose(organization))


def _whose(organization: Organization | None) -> dict[str, str]:
    if organization is None:
        return {"address": "", "organization": ""}
    return {"address": organization.address, "organization": organization.name}


def _recount(row: RecountRun) -> RecountAnswer:
    return filled(RecountAnswer, row, error=row.error or "")


MAX_DUE = 1_000
"""Organizations counted as due for a recount; more are this many."""

LEASES = (recounts.LEASE, reconciliation.LEASE)
"""Of the scheduled jobs that one process runs at a time. Those of single customers are nobody's business."""


@dataclass(frozen=True, slots=True)
class Queue:
    """How many wait, and for how many seconds the first of them."""

    waiting: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Backlogs:
    """Everything. Moments are None for what never happened."""

    queues: Mapping[str, Queue]
    given_up: int
    recount_at: datetime | None
    recount_due: int
    sync_at: datetime | None
    sync_repaired: int
    sync_remaining: int
    leases: Mapping[str, bool]


def backlogs(session: Session, now: datetime) -> Backlogs:
    """Reads it all, in a handful of queries on indexes."""
    last_recount = runs.last_finished(session)
    last_sync = reconciliation_store.last_finished(session)
    held = {name: runs.lease_holder(session, name) for name in LEASES}
    return Backlogs(
        queues={
            "inbox": _queue(search.inbox(session, now), now),
            "outbox": _queue(search.messages(session), now),
            "deliveries": _queue(search.deliveries(session, now), now),
        },
        given_up=inbox.given_up(session),
        recount_at=last_recount.finished_at if last_recount else None,
        recount_due=len(meters.due(session, now, 0, MAX_DUE)),
        sync_at=last_sync.finished_at if last_sync else None,
        sync_repaired=last_sync.repaired if last_sync else 0,
        sync_remaining=last_sync.remaining if last_sync else 0,
        leases={name: lease is not None and lease.expires_at > now for name, lease in held.items()},
    )


def _queue(found: search.Waiting, now: datetime) -> Queue:
    waiting, since = found
    return Queue(waiting, max(0.0, (now - since).total_seconds()) if since else 0.0)
