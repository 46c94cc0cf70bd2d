"""The sweep of what Stripe said or should have said: events, orders and refunds that were left behind."""

from __future__ import annotations

from billing_app import clock, monitoring
from billing_app.db import Database
from billing_app.gateways.stripe.payments import payments_of
from billing_app.services.purchases import fulfilment
from billing_app.services.reversals import refunds
from billing_app.services.stripe import inbox
from billing_app.services.stripe.inbox import Worked, Worker
from billing_app.settings import Settings

EVERY_SECONDS = 30
"""Between two sweeps: webhooks are handled at once, so this is for what went wrong."""


def sweep(database: Database, settings: Settings) -> Worked:
    """Handles due events, then asks Stripe after orders and refunds that wait. Does nothing where nothing is sold.

    Raises UnavailableError `payments_unreachable` when Stripe does not answer; the next sweep goes on.
    """
    if not settings.selling:
        return Worked()
    worker = Worker(database.writing, payments_of(settings), clock.now)
    worked = inbox.sweep(worker)
    monitoring.worked_on(worked.handled, worked.ignored, worked.failed)
    fulfilment.sweep(worker.transaction, worker.payments, worker.now)
    refunds.sweep(worker.transaction, worker.payments, worker.now)
    return worked
