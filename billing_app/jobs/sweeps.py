"""Short runs that come again and again while a web process lives: what they do, how often, and their scheduler.

What a sweep finds undone was mostly left by something that went wrong: whoever causes work does it at once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from billing_app import clock, monitoring
from billing_app.db import Database
from billing_app.gateways.stripe.payments import payments_of
from billing_app.jobs import notifications, reconciliation, schedule
from billing_app.services.common import leases
from billing_app.services.operators import retention
from billing_app.services.plans import stripe_endings
from billing_app.services.purchases import fulfilment, recurring_changes, top_up_charging
from billing_app.services.reversals import refunds
from billing_app.services.stripe import inbox as events
from billing_app.services.stripe.inbox import Worked, Worker
from billing_app.settings import Settings

ENDINGS_SECONDS = 30
"""Whoever decides tells Stripe at once, so this is for what went wrong, and for the moment itself."""

INBOX_SECONDS = 30
"""Webhooks are handled at once, so this is for what went wrong."""

TOP_UPS_SECONDS = 20
"""Credits that run low are bought within a minute (credits.md rule 13)."""

HOUSEKEEPING_SECONDS = 3600
"""Nothing hangs on it: what has ended is refused anyway, and this keeps the tables small."""

HOUSEKEEPING_LEASE = "housekeeping"
"""One process sweeps at a time. It ends by itself if a sweep takes longer: two that sweep delete each row once."""


@asynccontextmanager
async def running(database: Database, settings: Settings) -> AsyncGenerator[None]:
    """The scheduler, started and stopped with the process. What was missed is caught up at once."""
    sweeps: dict[str, tuple[Callable[[], object], int]] = {
        "housekeeping": (lambda: housekeeping(database), HOUSEKEEPING_SECONDS),
        "endings": (lambda: endings(database, settings), ENDINGS_SECONDS),
        "notifications": (lambda: notifications.run(database, settings), notifications.EVERY_SECONDS),
    }
    if settings.selling:
        sweeps["inbox"] = (lambda: inbox(database, settings), INBOX_SECONDS)
        sweeps["top_ups"] = (lambda: top_ups(database, settings), TOP_UPS_SECONDS)
        sweeps["reconciliation"] = (lambda: reconciliation.catch_up(database, settings), reconciliation.EVERY_SECONDS)
    jobs = schedule.scheduler(database, sweeps)
    jobs.start()
    try:
        yield
    finally:
        jobs.shutdown(wait=False)


def endings(database: Database, settings: Settings) -> int:
    """Tells Stripe of organizations that end what it does not know yet, and closes them at their moment.

    Answers how many it looked at.
    """
    payments = payments_of(settings) if settings.selling else None
    return stripe_endings.sweep(database.writing, payments, clock.now)


def inbox(database: Database, settings: Settings) -> Worked:
    """Handles due events, then asks Stripe after orders and refunds that wait. Does nothing where nothing is sold.

    Raises UnavailableError `payments_unreachable` when Stripe does not answer; the next sweep goes on.
    """
    if not settings.selling:
        return Worked()
    worker = Worker(database.writing, payments_of(settings), clock.now)
    worked = events.sweep(worker)
    monitoring.worked_on(worked.handled, worked.ignored, worked.failed)
    fulfilment.sweep(worker.transaction, worker.payments, worker.now)
    refunds.sweep(worker.transaction, worker.payments, worker.now)
    return worked


def top_ups(database: Database, settings: Settings) -> int:
    """Charges auto top-ups that are due, and looks after what renews. Does nothing where nothing is sold.

    Answers how many it worked on. Raises UnavailableError `payments_unreachable` when Stripe does not answer; the next
    sweep goes on.
    """
    if not settings.selling:
        return 0
    payments = payments_of(settings)
    worked = top_up_charging.sweep(database.writing, payments, clock.now)
    return worked + recurring_changes.sweep(database.writing, payments, clock.now)


def housekeeping(database: Database) -> dict[str, int]:
    """Deletes what is kept no longer (`services.operators.retention` says what); answers how many rows of what.

    Raises ConflictError `lease_taken` while another process is at it.
    """
    holder = leases.new_holder()
    leases.free_dead_holder(database.writing, HOUSEKEEPING_LEASE)
    with database.writing() as session:
        leases.take(session, HOUSEKEEPING_LEASE, holder, clock.now())
    try:
        return retention.sweep(database.writing, clock.now)
    finally:
        with database.writing() as session:
            leases.release(session, HOUSEKEEPING_LEASE, holder)
