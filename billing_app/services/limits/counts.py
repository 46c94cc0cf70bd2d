"""What is counted against limits. One place, so that a limit, the pages and the API count the same.

Each counter takes the ids of the organizations that count together (services.common.payers.group). Whoever brings
something new that a plan limits adds its counter here; that of the census tells the largest of what is open.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.organizations.limits import Limit
from billing_app.domain.processes.processes import ProcessState
from billing_app.store.access import members
from billing_app.store.organizations import tree
from billing_app.store.processes import processes

Counter = Callable[[Session, Collection[int], datetime], int]


def _people(session: Session, organization_ids: Collection[int], _now: datetime) -> int:
    """Active and invited; who is in several of these organizations is one."""
    return members.people(session, organization_ids)


def _parts(session: Session, organization_ids: Collection[int], _now: datetime) -> int:
    """Active organizations right under these, whether or not they have a plan of their own."""
    return tree.active_children(session, organization_ids)


def _processes(session: Session, organization_ids: Collection[int], _now: datetime) -> int:
    """Published and not ended."""
    return processes.count(session, organization_ids, ProcessState.PUBLISHED.value)


def _drafts(session: Session, organization_ids: Collection[int], _now: datetime) -> int:
    return processes.count(session, organization_ids, ProcessState.DRAFT.value)


def _census(session: Session, organization_ids: Collection[int], _now: datetime) -> int:
    """The largest of what is published; each process is held to the limit by itself."""
    return processes.largest_census(session, organization_ids, ProcessState.PUBLISHED.value)


COUNTERS: dict[Limit, Counter] = {
    Limit.MEMBERSHIPS: _people,
    Limit.SUB_ORGS: _parts,
    Limit.PROCESSES: _processes,
    Limit.DRAFTS: _drafts,
    Limit.CENSUS: _census,
}


def count(session: Session, limit: Limit, organization_ids: Collection[int], now: datetime) -> int:
    """How many there are; 0 of what nothing counts yet, and of what is not counted up."""
    counter = COUNTERS.get(limit)
    return 0 if counter is None else counter(session, organization_ids, now)
