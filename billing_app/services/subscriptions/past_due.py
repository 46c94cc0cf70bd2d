"""That an organization's plan is owed for, and that it was paid: dated facts, like its changes of plan.

What follows from them (grace, allowances, limits) is derived in `domain.purchases.subscriptions`; nothing is flipped
later.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.services.common.context import Context
from billing_app.services.usage import meters, recounts
from billing_app.store.common import locks
from billing_app.store.organizations import organizations
from billing_app.store.purchases import subscriptions as store
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters as meter_store


def since(session: Session, organization: Organization) -> datetime | None:
    """Since when the plan is owed for, as far as is known now; None while it is not."""
    changes = store.past_due_changes(session, organization.pk)
    by_instant = {row.at: row.past_due for row in sorted(changes, key=lambda row: (row.at, row.number))}
    found: datetime | None = None
    for at, unpaid in by_instant.items():
        found = (found or at) if unpaid else None
    return found


def record(context: Context, *, past_due: bool, at: datetime, reason: str) -> None:
    """The plan is owed for, or paid, from `at` on. Meters, ledger and pages of this organization follow at once."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    now = locks.hold(session, owner, now)
    metrics = [row.metric for row in meter_store.of_organization(session, owner)]
    now = meters.prepare_all(context.at(now), metrics)
    store.add_past_due_change(session, owner, at, now, past_due=past_due, reason=reason)
    meter_store.mark_stale(session, owner)
    for metric in sorted(metrics):
        meters.fresh(context.at(now), metric)
    recounts.post(context.at(now))
    organizations.raise_revision(session, owner)
