"""The recount as a job: who holds its lease, waiting for another run, and catching up after a stop."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable

from billing_app import clock, monitoring
from billing_app.db import Database
from billing_app.domain.common.clocks import is_plausible
from billing_app.domain.common.errors import ConflictError
from billing_app.services.usage import recounts
from billing_app.store.common import runs

WAIT_S = 60
"""How long a recount on demand waits for another run: three times the lease of a holder that died."""


def recount(
    database: Database, trigger: str, *, wait_s: int = WAIT_S, progress: Callable[[int], None] = lambda _seen: None
) -> recounts.Outcome:
    """Recounts all organizations that need it. Waits while another process does.

    Raises ConflictError `lease_taken` when that takes longer than `wait_s` seconds.
    """
    name, deadline = runs.new_holder(), time.monotonic() + wait_s
    while True:
        free_dead_holder(database, recounts.LEASE)
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
        last = runs.last_finished(session)
    now = clock.now()
    if last is not None and recounts.last_scheduled(now) <= last.as_of and is_plausible(last.as_of, now):
        return False
    recount(database, "catch_up")
    return True


def free_dead_holder(database: Database, name: str) -> None:
    """A holder on this machine whose process is gone will not come back: nobody needs to wait for its lease."""
    with database.writing() as session:
        lease = runs.lease_holder(session, name)
        if lease is None:
            return
        host, pid, _random = lease.holder.split(":")
        if host == socket.gethostname() and not _alive(int(pid)):
            runs.release_lease(session, name, lease.holder)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
