"""Charges auto top-ups that are due, and looks after what renews."""

from __future__ import annotations

from billing_app import clock
from billing_app.db import Database
from billing_app.gateways.stripe.payments import payments_of
from billing_app.services.purchases import recurring_changes, top_up_charging
from billing_app.settings import Settings

EVERY_SECONDS = 20
"""Credits that run low are bought within a minute (credits.md rule 13)."""


def sweep(database: Database, settings: Settings) -> int:
    """Charges what is due; does nothing where nothing is sold. Answers how many it worked on.

    Raises UnavailableError `payments_unreachable` when Stripe does not answer; the next sweep goes on.
    """
    if not settings.selling:
        return 0
    payments = payments_of(settings)
    worked = top_up_charging.sweep(database.writing, payments, clock.now)
    return worked + recurring_changes.sweep(database.writing, payments, clock.now)
