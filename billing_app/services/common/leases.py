"""Leases: what one process at a time may do. A holder is a process of a machine."""

from __future__ import annotations

import os
import socket
from datetime import datetime

from sqlmodel import Session

from billing_app.services.common.context import Transaction
from billing_app.store.common import runs


def new_holder() -> str:
    """Names this process as a holder."""
    return runs.new_holder()


def take(session: Session, name: str, holder: str, now: datetime) -> None:
    """Takes or renews a lease. Raises ConflictError `lease_taken` while another one holds it."""
    runs.take_lease(session, name, holder, now)


def release(session: Session, name: str, holder: str) -> None:
    """Gives a lease up, if it is still ours."""
    runs.release_lease(session, name, holder)


def free_dead_holder(transaction: Transaction, name: str) -> None:
    """A holder on this machine whose process is gone will not come back: nobody needs to wait for its lease."""
    with transaction() as session:
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
