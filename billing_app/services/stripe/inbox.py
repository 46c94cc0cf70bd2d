"""Events from Stripe: stored first, answered, then worked on.

Events of one subject (a customer) are handled one at a time across all processes, under a lease: Stripe is read first,
then one transaction writes, and what was read must not be overtaken by an older reading in between. A crash leaves an
event as it was, for the sweep. What an event does lies in `event_handlers`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from billing_app.domain.common.errors import BillingError, ConflictError, NotFoundError
from billing_app.gateways.payments import Payments, ReceivedEvent
from billing_app.log import get_logger
from billing_app.services.common import operator_mails
from billing_app.services.common.context import Transaction
from billing_app.services.payments import payment_account
from billing_app.services.payments.ownership import Write
from billing_app.services.stripe.event_handlers import HANDLERS
from billing_app.store.common import runs
from billing_app.store.stripe import inbox as store
from billing_app.store.tables.stripe import InboxEvent

log = get_logger()

STRIPE = "stripe"
"""The source of these events."""

DELAYS = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 120, 600, 1_800, 3_600, 7_200, 14_400))
"""Until the next try, after each failure; the last one stays."""

MAX_TRIES = 25
"""With these delays three days, as long as Stripe itself goes on sending an event; then it is given up."""

MAX_ERROR = 500
"""Characters of an error that are kept."""

SWEEP = 200
"""Subjects that one sweep looks at; the next one takes the others."""

MAX_PER_TURN = 100
"""Events of one subject handled in a row, so that one busy customer does not hold a worker for good."""


class State(StrEnum):
    """What became of an event. A failed one is tried again until it is given up, that is while it has a next try."""

    NEW = "new"
    HANDLED = "handled"
    FAILED = "failed"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Worker:
    """What handling needs. `holder` names this worker among all of all processes."""

    transaction: Transaction
    payments: Payments
    now: Callable[[], datetime]
    holder: str = field(default_factory=lambda: f"inbox:{secrets.token_hex(8)}")


@dataclass(slots=True)
class Worked:
    """What a turn did."""

    handled: int = 0
    ignored: int = 0
    failed: int = 0

    def add(self, other: Worked) -> None:
        """Adds another turn's."""
        self.handled += other.handled
        self.ignored += other.ignored
        self.failed += other.failed


def receive(session: Session, event: ReceivedEvent, now: datetime) -> bool:
    """Stores an event, once; answers whether there is something to do about it.

    Types that nothing is done about, and thin events, are kept as ignored.
    """
    ours = not event.thin and event.type in HANDLERS
    row = InboxEvent(
        source=STRIPE,
        id=event.id,
        type=event.type,
        object_id=event.object_id,
        subject=subject_of(event),
        livemode=event.livemode,
        payload=event.payload,
        created_at=event.created_at,
        received_at=now,
        state=State.NEW if ours else State.IGNORED,
        next_try_at=now if ours else None,
    )
    return store.insert(session, row) and ours


def subject_of(event: ReceivedEvent) -> str:
    """Whom the event is about: what `work` is told."""
    return event.customer_id or event.object_id or event.id


def work(worker: Worker, subject: str) -> Worked:
    """Handles every event of a subject that is due, oldest first; does nothing while another worker is at them.

    That worker looks again after its last event, so none that arrives meanwhile is left behind.
    """
    worked = Worked()
    event = _claim(worker, subject)
    for left in reversed(range(MAX_PER_TURN)):
        if event is None:
            break
        event = _handle(worker, event, worked, last=not left)
    return worked


def sweep(worker: Worker) -> Worked:
    """Handles everything that is due, of all subjects: what a crash left behind, and what is to be tried again."""
    with worker.transaction() as session:
        subjects = store.due_subjects(session, worker.now(), SWEEP)
    worked = Worked()
    for subject in subjects:
        worked.add(work(worker, subject))
    return worked


def requeue(session: Session, event_id: str, now: datetime) -> str:
    """Makes an event due again, whatever became of it; answers its subject. Raises NotFoundError `event_not_found`.

    One of a type that nothing is done about stays ignored.
    """
    event = store.event(session, STRIPE, event_id)
    if event is None:
        raise NotFoundError(f"No event {event_id!r} was received.", code="event_not_found")
    if event.type not in HANDLERS:
        return event.subject
    event.state, event.attempts, event.error = State.NEW.value, 0, ""
    event.next_try_at, event.handled_at = now, None
    session.add(event)
    session.flush()
    return event.subject


def _lease(subject: str) -> str:
    return f"{STRIPE}:{subject}"


def _claim(worker: Worker, subject: str) -> InboxEvent | None:
    """The next event of the subject, with its lease taken; None if there is none, or another worker has it."""
    try:
        with worker.transaction() as session:
            now = worker.now()
            runs.take_lease(session, _lease(subject), worker.holder, now)
            return _next(session, worker, subject, now)
    except ConflictError:
        return None


def _next(session: Session, worker: Worker, subject: str, now: datetime, *, last: bool = False) -> InboxEvent | None:
    """The next event of the subject, whose lease we hold; it is given back if there is none, or this was the `last`."""
    event = None if last else store.next_due(session, subject, now)
    if event is None:
        runs.release_lease(session, _lease(subject), worker.holder)
    return event


def _handle(worker: Worker, event: InboxEvent, worked: Worked, *, last: bool) -> InboxEvent | None:
    """Works on an event and claims the next one of its subject in the same transaction, unless this was the `last`."""
    try:
        # Reading asks Stripe, so it happens outside of any transaction.
        account, write = worker.payments.account(), HANDLERS[event.type](worker.payments, event)
        with worker.transaction() as session:
            now = worker.now()
            payment_account.confirm(session, account, now)
            done = _write(session, worker, event, write, now)
            # By a moment after the lease was renewed: whoever stored an event before that was told that it is taken.
            following = _next(session, worker, event.subject, worker.now(), last=last)
    except ConflictError as error:
        # With the lease taken we were slow, and another worker is at it with a newer reading.
        if error.code != "lease_taken":
            _failed(worker, event, error.detail, worked)
    except BillingError as error:
        _failed(worker, event, error.detail, worked)
    except Exception as error:  # the runner: one event must neither stop the others nor come back at once
        log.exception("event_failed", id=event.id, type=event.type)
        _failed(worker, event, f"{type(error).__name__}; the log has more", worked)
    else:
        worked.handled += done is State.HANDLED
        worked.ignored += done is State.IGNORED
        return following
    return None if last else _claim(worker, event.subject)


def _write(session: Session, worker: Worker, event: InboxEvent, write: Write, now: datetime) -> State:
    """Everything that an event changes, in one transaction with the note that it was handled."""
    # Renewed first: a worker that lost its lease while it was reading must not write what it read.
    runs.take_lease(session, _lease(event.subject), worker.holder, now)
    row = store.event(session, event.source, event.id)
    if row is None or row.next_try_at is None:
        return State.HANDLED
    outcome = write(session, now)
    row.state = State.HANDLED.value if outcome.ours else State.IGNORED.value
    row.organization_id = outcome.organization_id
    row.attempts, row.error, row.handled_at, row.next_try_at = row.attempts + 1, "", now, None
    session.add(row)
    session.flush()
    return State(row.state)


def _mail_operators(session: Session, row: InboxEvent, now: datetime) -> None:
    operator_mails.write(
        session,
        "event_given_up",
        "A Stripe event was given up",
        f"{row.type} ({row.id}) could not be processed for three days. {row.error}\n\n"
        "Fix the cause, then replay it on the page. Others given up today are listed there too.",
        "/admin/stripe-events?state=given_up",
        now,
    )


def _failed(worker: Worker, event: InboxEvent, error: str, worked: Worked) -> None:
    worked.failed += 1
    with worker.transaction() as session:
        now = worker.now()
        row = store.event(session, event.source, event.id)
        if row is not None and row.next_try_at is not None:
            row.state, row.error = State.FAILED.value, error[:MAX_ERROR]
            row.next_try_at = now + DELAYS[min(row.attempts, len(DELAYS) - 1)]
            row.attempts += 1
            if row.attempts >= MAX_TRIES:
                row.next_try_at = None
                row.error = f"Given up after {row.attempts} tries: {row.error}"
                log.error("event_given_up", id=row.id, type=row.type, error=row.error)
                _mail_operators(session, row, now)
            session.add(row)
            session.flush()
        runs.release_lease(session, _lease(event.subject), worker.holder)


def replay(
    transaction: Transaction, payments: Payments, event_id: str, now: Callable[[], datetime]
) -> InboxEvent | None:
    """Processes an event again, whatever became of it. One that never arrived is fetched (Stripe keeps 30 days).

    Talks to Stripe: never call it inside a transaction. Raises NotFoundError `event_not_found` for one that neither
    knows. Answers its row, which says what became of it; while another process is at this customer's events, it is
    left to that one.
    """
    try:
        with transaction() as session:
            subject = requeue(session, event_id, now())
    except NotFoundError:
        fetched = payments.event(event_id)
        with transaction() as session:
            receive(session, fetched, now())
        subject = subject_of(fetched)
    work(Worker(transaction, payments, now), subject)
    with transaction() as session:
        return store.event(session, STRIPE, event_id)
