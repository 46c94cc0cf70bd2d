"""What is kept how long, and why. What is not named here is kept for good.

For good: usage events and their keys (an import may name a period of any age, so any key may come again), roll-ups,
grants and what happened to them, the ledger, purchases and subscriptions, the audit log, gift cards, processes. Limits
of requests are counted in memory or in Redis, where they end by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.log import get_logger
from billing_app.services.access import sessions, sign_in_throttle
from billing_app.services.common import audit, organizations
from billing_app.services.common.context import Transaction
from billing_app.store.common import locks
from billing_app.store.common import retention as store

log = get_logger()

BATCH = 500
"""Rows deleted in one transaction: well within 200 ms, and then it is another one's turn."""

MAX_BATCHES = 400
"""Batches of one table in one sweep, an hour apart: 200 000 rows. What is left waits for the next."""

INVITATIONS = timedelta(days=30)
"""An invitation that nobody took. Its link ended after a week; until now it took a place among the plan's members."""


Delete = Callable[[Session, datetime, int], int]
"""Deletes up to so many rows from before a moment; answers how many there were."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How long one thing is kept after it is done with, and why so long."""

    keep: timedelta
    why: str
    delete: Delete


def _sessions(session: Session, before: datetime, limit: int) -> int:
    return store.sessions(session, before, before - sessions.IDLE, limit)


RULES: Mapping[str, Rule] = {
    "sessions": Rule(timedelta(), "an ended session gives no access", _sessions),
    "one-time links": Rule(timedelta(), "an expired or used link gives no access", store.links),
    "failed sign-ins": Rule(sign_in_throttle.ATTEMPT_WINDOW, "they count for 15 minutes", store.attempts),
    "idempotency keys": Rule(
        timedelta(days=40),
        "longer than a program's queue can wait: usage itself is refused after 34 days",
        store.idempotency_keys,
    ),
    "reservations": Rule(
        timedelta(days=40),
        "what they became is in usage; one can be looked up as long as its key works",
        store.reservations,
    ),
    "deliveries": Rule(timedelta(days=90), "longer than anybody asks why something did not arrive", store.deliveries),
    "messages": Rule(
        timedelta(days=400), "each is sent once: no fact arrives late enough to trigger it again", store.messages
    ),
    "Stripe's events": Rule(
        timedelta(days=400), "a year's books can be audited; events that were given up stay", store.events
    ),
    "recounts": Rule(timedelta(days=400), "a year's runs can be compared; the latest stays", store.recounts),
    "comparisons with Stripe": Rule(timedelta(days=400), "a year's reports; the latest stays", store.comparisons),
    "mails to operators": Rule(timedelta(days=90), "they are sent within three days or never", store.operator_mails),
    "leases": Rule(timedelta(days=1), "left by a process that died; it expired by itself", store.leases),
}
"""By what people call it, in the order in which it is swept: deliveries before the messages that they carry."""


def sweep(transaction: Transaction, now: Callable[[], datetime]) -> dict[str, int]:
    """Throws away what is kept no longer, in batches; answers how many rows of what."""
    gone = {name: _batches(transaction, rule, now) for name, rule in RULES.items()}
    gone["invitations"] = _invitations(transaction, now)
    swept = {name: count for name, count in gone.items() if count}
    if swept:
        log.info("swept", **{name.replace(" ", "_"): count for name, count in swept.items()})
    return swept


def _batches(transaction: Transaction, rule: Rule, now: Callable[[], datetime]) -> int:
    gone = 0
    for _ in range(MAX_BATCHES):
        with transaction() as session:
            deleted = rule.delete(session, now() - rule.keep, BATCH)
        gone += deleted
        if deleted < BATCH:
            break
    return gone


def _invitations(transaction: Transaction, now: Callable[[], datetime]) -> int:
    """Takes back invitations that nobody took, as an admin would: their places are free again."""
    with transaction() as session:
        found = store.dead_invitations(session, now() - INVITATIONS, now(), BATCH)
    ended = 0
    for membership, email in found:
        owner = membership.organization_id
        with transaction() as session:
            moment = locks.hold(session, owner, now())
            if store.end_invitation(session, membership, moment):
                before = {"role": membership.role}
                audit.record(session, owner, moment, audit.SYSTEM, "invitation.ended", email, before=before)
                organizations.raise_revision(session, owner)
                ended += 1
    return ended
