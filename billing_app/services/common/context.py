"""Who asks for what, and when: one transaction of a person, a program or a job."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from billing_app.services.common import organizations
from billing_app.store.tables.organizations import Organization

UNREACHABLE: tuple[type[Exception], ...] = (OSError, SQLAlchemyError)
"""What a database raises that cannot be asked now: who looks once a second looks again a second later."""


@dataclass(frozen=True, slots=True)
class Context:
    """One transaction of somebody who was let into an organization: session, membership and role were read in it.

    `now` is when it was begun, in UTC; what waited for a lock is decided later (fine point 17). `actor` names who asks,
    for the records; a job has no name.
    """

    session: Session
    organization: Organization
    now: datetime
    actor: str = ""

    def at(self, now: datetime) -> Context:
        """The same, at the moment that a lock gave."""
        return replace(self, now=now)

    def unattributed(self) -> Context:
        """The same without a name: what a payment brings is nobody's deed, whoever read first that it is paid."""
        return replace(self, actor="")


@dataclass(frozen=True, slots=True)
class OperatorContext:
    """One transaction of an operator, outside of any organization; the members mean the same."""

    session: Session
    now: datetime
    actor: str


Transaction = Callable[[], AbstractContextManager[Session]]
"""Opens one transaction, committed at its end."""

Enter = Callable[[], AbstractContextManager[Context]]
"""Lets somebody in, anew for each transaction; it is committed at the end of the block."""

EnterAsOperator = Callable[[], AbstractContextManager[OperatorContext]]
"""The same for an operator."""


def entering(transaction: Transaction, organization_id: int, now: Callable[[], datetime]) -> Enter:
    """What lets a job into one organization, anew for each transaction."""

    @contextmanager
    def enter() -> Generator[Context]:
        with transaction() as session:
            yield Context(session, organizations.by_id(session, organization_id), now())

    return enter
