"""Throws away what is kept no longer. What that is, and why, says `services.operators.retention`."""

from __future__ import annotations

from billing_app import clock
from billing_app.db import Database
from billing_app.services.common import leases
from billing_app.services.operators import retention

EVERY_SECONDS = 3600
"""Nothing hangs on it: what has ended is refused anyway, and this keeps the tables small."""

LEASE = "housekeeping"
"""One process sweeps at a time. It ends by itself if a sweep takes longer: two that sweep delete each row once."""


def sweep(database: Database) -> dict[str, int]:
    """One sweep; answers how many rows of what. Raises ConflictError `lease_taken` while another process is at it."""
    holder = leases.new_holder()
    leases.free_dead_holder(database.writing, LEASE)
    with database.writing() as session:
        leases.take(session, LEASE, holder, clock.now())
    try:
        return retention.sweep(database.writing, clock.now)
    finally:
        with database.writing() as session:
            leases.release(session, LEASE, holder)
