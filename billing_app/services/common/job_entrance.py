"""Work that nobody asked for at that moment: how a job enters an organization, as a door does for a person."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from billing_app.services.common import organizations
from billing_app.services.common.visits import Enter
from billing_app.store.tables.orgs import Organization

Transaction = Callable[[], AbstractContextManager[Session]]
"""Opens one transaction, committed at its end."""


@dataclass(frozen=True, slots=True)
class JobVisit:
    """One transaction of a job."""

    session: Session
    organization: Organization
    now: datetime
    actor: str = ""


def entering(transaction: Transaction, organization_id: int, now: Callable[[], datetime]) -> Enter:
    """What lets a job into one organization, anew for each transaction."""

    @contextmanager
    def enter() -> Generator[JobVisit]:
        with transaction() as session:
            yield JobVisit(session, organizations.by_id(session, organization_id), now())

    return enter
