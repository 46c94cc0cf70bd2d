"""The recount as a job: who holds its lease, waiting for another run, and catching up after a stop."""

from __future__ import annotations

import time
from collections.abc import Callable

from billing_app import clock, monitoring
from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError
from billing_app.services.common import leases
from billing_app.services.usage import recounts

WAIT_S = 60
"""How long a recount on demand waits for another run: three times the lease of a holder that died."""


def recount(
    database: Database, trigger: str, *, wait_s: int = WAIT_S, progress: Callable[[int], None] = lambda _seen: None
) -> recounts.Outcome:
    """Recounts all organizations that need it. Waits while another process does.

    Raises ConflictError `lease_taken` when that takes longer than `wait_s` seconds.
    """
    name, deadline = leases.new_holder(), time.monotonic() + wait_s
    while True:
        leases.free_dead_holder(database.writing, recounts.LEASE)
        try:
            with monitoring.recount_seconds.time():
                outcome = recounts.run(database.writing, clock.now, name, trigger, progress)
        except ConflictError as error:
            if error.code != "lease_taken" or time.monotonic() >= deadline:
                raise
        else:
            monitoring.recounted.labels("seen").inc(outcome.organizations_seen)
            monitoring.recounted.labels("changed").inc(outcome.organizations_changed)
            return outcome
        time.sleep(0.5)


def catch_up(database: Database) -> bool:
    """Runs what was missed while nothing was running; answers whether there was anything."""
    with database.reading() as session:
        if not recounts.is_missed(session, clock.now()):
            return False
    recount(database, "catch_up")
    return True
