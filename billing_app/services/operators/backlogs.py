"""What whoever watches the console wants to know of its database: what waits, since when, and what ran when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from billing_app.services.stripe import reconciliation
from billing_app.services.usage import recounts
from billing_app.store.common import runs
from billing_app.store.operators import search as store
from billing_app.store.stripe import inbox
from billing_app.store.stripe import reconciliation as reconciliation_store
from billing_app.store.usage import meters

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


def read(session: Session, now: datetime) -> Backlogs:
    """Reads it all, in a handful of queries on indexes."""
    last_recount = runs.last_finished(session)
    last_sync = reconciliation_store.last_finished(session)
    held = {name: runs.lease_holder(session, name) for name in LEASES}
    return Backlogs(
        queues={
            "inbox": _queue(store.inbox(session, now), now),
            "outbox": _queue(store.messages(session), now),
            "deliveries": _queue(store.deliveries(session, now), now),
        },
        given_up=inbox.given_up(session),
        recount_at=last_recount.finished_at if last_recount else None,
        recount_due=len(meters.due(session, now, 0, MAX_DUE)),
        sync_at=last_sync.finished_at if last_sync else None,
        sync_repaired=last_sync.repaired if last_sync else 0,
        sync_remaining=last_sync.remaining if last_sync else 0,
        leases={name: lease is not None and lease.expires_at > now for name, lease in held.items()},
    )


def _queue(found: store.Waiting, now: datetime) -> Queue:
    waiting, since = found
    return Queue(waiting, max(0.0, (now - since).total_seconds()) if since else 0.0)
