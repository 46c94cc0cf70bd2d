"""What renewals will bring: grants that do not exist yet, for forecasts."""

from __future__ import annotations

from datetime import datetime

from billing_app.domain.common.periods import add_months
from billing_app.domain.credits.facts import Grant, default_expiry
from billing_app.domain.credits.forecast import WHAT_IF
from billing_app.domain.purchases.recurring import State
from billing_app.services.common.context import Context
from billing_app.store.purchases import recurring as store

MONTHS = 12
"""Renewals that are looked ahead: a forecast ends after a year."""


def coming(context: Context, metric: str) -> tuple[Grant, ...]:
    """Grants of the metric that recurring packs will bring within a year, if they are paid when they are due.

    What is past due is not counted on: nobody knows whether it will be paid.
    """
    session, organization, now = context.session, context.organization, context.now
    rows = store.of_organization(session, organization.pk)
    return tuple(
        grant
        for row in rows
        if row.metric == metric and row.state == State.ACTIVE and row.next_count and row.renews_at > now
        for grant in monthly(row.id, row.quantity * row.next_count, row.renews_at, now, MONTHS)
    )


def monthly(name: str, quantity: int, first: datetime, now: datetime, months: int) -> tuple[Grant, ...]:
    """One grant a month from `first` on, each valid for a year."""
    starts = [add_months(first, number) for number in range(months)]
    return tuple(
        Grant(f"{WHAT_IF}{name}:{number}", quantity, start, default_expiry(start), now, paid_cents=1)
        for number, start in enumerate(starts)
    )
