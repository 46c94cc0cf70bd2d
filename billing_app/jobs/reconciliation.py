"""The sync as a job: every six hours, when somebody asks, and for what was stopped in its middle."""

from __future__ import annotations

from datetime import timedelta

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.errors import InvalidError
from billing_app.gateways.retries import patiently
from billing_app.gateways.stripe.payments import payments_of
from billing_app.services.common import leases
from billing_app.services.stripe import reconciliation
from billing_app.services.stripe.findings import Sync
from billing_app.services.stripe.reconciliation import Reporter
from billing_app.settings import Settings

EVERY_SECONDS = 5
"""How often is looked whether a run is due, was asked for or was stopped: a question to the database, nothing more."""


def sync(
    database: Database,
    settings: Settings,
    trigger: str,
    *,
    dry: bool = False,
    days: int = reconciliation.WINDOW.days,
    told: Reporter = lambda _progress: None,
) -> int:
    """Compares everything with Stripe; the number of the report. Takes a while: calls are made slowly.

    Raises ConflictError `lease_taken` while another process is at it, UnavailableError when Stripe does not answer or
    is not set up, InvalidError `invalid_days`.
    """
    if not 1 <= days <= reconciliation.MAX_DAYS:
        raise InvalidError(f"Between 1 and {reconciliation.MAX_DAYS} days can be compared.", code="invalid_days")
    leases.free_dead_holder(database.writing, reconciliation.LEASE)
    grace = reconciliation.GRACE if trigger == "schedule" else timedelta()
    since = clock.now() - timedelta(days=days)
    payments = patiently(payments_of(settings))
    request = Sync(database.writing, payments, clock.now, since, dry, grace)
    return reconciliation.run(request, leases.new_holder(), trigger, told)


def catch_up(database: Database, settings: Settings) -> bool:
    """Runs what is due, or continues what was stopped; answers whether there was anything."""
    if not settings.selling:
        return False
    now = clock.now()
    with database.reading() as session:
        wanted = reconciliation.wanted(session, now)
        if wanted is None and not reconciliation.is_due(session, now):
            return False
    sync(database, settings, "schedule" if wanted is None else "demand", dry=bool(wanted))
    return True
