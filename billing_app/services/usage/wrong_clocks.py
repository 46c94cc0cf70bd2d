"""What a clock that was ahead has left behind, which the recount puts right (decision 21)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from billing_app.domain.common.moments import is_plausible
from billing_app.log import get_logger
from billing_app.services.common import operator_mails
from billing_app.services.common.context import Context
from billing_app.store.tables.meters import MeterRow
from billing_app.store.usage.meters import Meter

log = get_logger()


def is_ahead(row: Meter | MeterRow, now: datetime) -> bool:
    """Whether a clock that was wrong has brought the meter, or its ledger, to a moment that has not come."""
    return not (is_plausible(row.watched_at, now) and is_plausible(row.posted_at, now))


def was_repaired(context: Context, meters: Iterable[Meter]) -> bool:
    """Whether this recount puts an organization's meters or ledger right after a clock that was ahead; tells operators.

    `meters` are as they were before the recount, which holds the organization's lock.
    """
    session, organization, now = context.session, context.organization, context.now
    found = [row for row in meters if is_ahead(row, now)]
    if not found:
        return False
    until = max(moment for row in found for moment in (row.watched_at, row.posted_at) if moment is not None)
    metrics = ", ".join(row.metric for row in found)
    log.warning("clock_was_ahead", organization=organization.address, until=until.isoformat(), metrics=metrics)
    operator_mails.write(
        session,
        f"clock:{organization.id}",
        f"A clock was wrong: figures of {organization.name[:100]} were put right",
        f"A server whose clock was ahead had brought {metrics} to {until:%d %B %Y, %H:%M} UTC. The recount has "
        "computed the meters anew and taken back what was posted too early. Facts that were recorded with that clock "
        "stay as they are: `billing verify` names them.",
        f"/admin/organizations/{organization.address}",
        now,
    )
    return True
