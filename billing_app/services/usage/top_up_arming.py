"""Whether an auto top-up is to be charged: looked at whenever a meter is computed anew, like thresholds."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.credits.accounts import Account
from billing_app.domain.purchases import top_ups as domain
from billing_app.store.tables.purchases import AutoTopUp


def look(session: Session, row: AutoTopUp | None, account: Account, now: datetime) -> int | None:
    """Arms or disarms the metric's auto top-up; answers the use at which it is to be looked at again, if use does that.

    Whoever calls it holds the meter's row.
    """
    if row is None or not row.enabled:
        return None
    if not domain.armed(account, row.threshold):
        if row.capped_until is not None:  # what the month had no room for is not needed any more
            row.capped_until, row.failure = None, ""
        row.armed_at = None
    elif row.armed_at is None:
        row.armed_at = now
    session.add(row)
    return domain.armed_at_used(account, row.threshold)
