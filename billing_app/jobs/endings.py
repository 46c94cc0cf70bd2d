"""Continues with organizations that end: tells Stripe what it does not know yet, and closes them at their moment."""

from __future__ import annotations

from billing_app import clock
from billing_app.db import Database
from billing_app.gateways.stripe.payments import payments_of
from billing_app.services.plans import stripe_endings
from billing_app.settings import Settings

EVERY_SECONDS = 30
"""Whoever decides tells Stripe at once, so this is for what went wrong, and for the moment itself."""


def sweep(database: Database, settings: Settings) -> int:
    """Does what is due; answers how many organizations it looked at."""
    payments = payments_of(settings) if settings.selling else None
    return stripe_endings.sweep(database.writing, payments, clock.now)
