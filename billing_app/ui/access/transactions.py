"""The one way of pages to what is stored: a transaction in which session, membership and role were read anew.

What a page does inside is a call of a service, which gets what it needs from the `PageContext`. The composition says
once which database, settings and payments the pages of this process have (`serve_from`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

import reflex as rx

from billing_app import clock
from billing_app.domain.common.access import Role
from billing_app.services.access import sessions
from billing_app.services.access.sessions import Access, Identity
from billing_app.services.common import organizations
from billing_app.services.common.context import Context, OperatorContext
from billing_app.services.overview.shared_views import SharedViews
from billing_app.services.purchases.orders import Payments
from billing_app.settings import Settings
from billing_app.ui import threads

View = TypeVar("View")


class Database(Protocol):
    """What pages need of it. What it opens is for services to read and write through."""

    def reading(self) -> AbstractContextManager[Any]:
        """A transaction that only reads."""

    def writing(self) -> AbstractContextManager[Any]:
        """A transaction that may write, committed at its end."""

    def noting(self) -> AbstractContextManager[Any]:
        """A transaction for a note that may as well be made later."""


@dataclass(frozen=True, slots=True)
class PageContext(Context):
    """One transaction of a person who was found to have `role` in the organization."""

    access: Access = field(kw_only=True)
    settings: Settings = field(kw_only=True)
    shared: SharedViews = field(kw_only=True)

    @property
    def role(self) -> Role:
        """What the person is here."""
        return self.access.role

    def once(self, read: Callable[[], View], *asked: Hashable) -> View:
        """What `read` gives, read once for all open pages of the organization that ask for the same (decision 18).

        `asked` names the read and all its arguments. What is about the person who looks is never read through here.
        """
        return self.shared.of(self.session, self.organization, self.role, asked, self.now, read)


@dataclass(frozen=True, slots=True)
class OperatorPageContext(OperatorContext):
    """One transaction of an operator. It belongs to no organization."""

    identity: Identity
    settings: Settings


@dataclass(frozen=True, slots=True)
class PersonContext:
    """One transaction of whoever is signed in, or of nobody, on a page without an organization."""

    session: Any
    now: datetime
    identity: Identity | None
    settings: Settings


class Transactions:
    """Opens transactions for pages, each of somebody who was let in anew."""

    def __init__(self, database: Database, settings: Settings, payments: Payments | None) -> None:
        """`payments` None: nothing can be bought."""
        self.database = database
        self.settings = settings
        self.payments = payments
        self.shared = SharedViews()

    @contextmanager
    def reading(self, cookies: str, address: str, roles: frozenset[Role]) -> Generator[PageContext]:
        """Reads, for a member who has one of `roles`. Raises as `sessions.authorize` does."""
        now = clock.now()
        with self.database.reading() as session:
            found = self._context(session, cookies, address, roles, now)
            yield found
        sessions.note_use(self.database.noting, found.access.identity, now)

    @contextmanager
    def writing(self, cookies: str, address: str, roles: frozenset[Role]) -> Generator[PageContext]:
        """The same for what may write; it is committed at the end of the block."""
        now = clock.now()
        with self.database.writing() as session:
            yield self._context(session, cookies, address, roles, now)

    @contextmanager
    def of_operator(self, cookies: str, *, writing: bool = False) -> Generator[OperatorPageContext]:
        """A transaction of an operator. Raises as `sessions.authorize_operator` does."""
        now = clock.now()
        with self.database.writing() if writing else self.database.reading() as session:
            identity = sessions.authorize_operator(self._identity(session, cookies, now))
            yield OperatorPageContext(session, now, f"user:{identity.user_id}", identity, self.settings)
        sessions.note_use(self.database.noting, identity, now)

    @contextmanager
    def of_anybody(self, cookies: str, *, writing: bool = False) -> Generator[PersonContext]:
        """A transaction of whoever the cookie names: what they may is for the service to ask."""
        now = clock.now()
        with self.database.writing() if writing else self.database.reading() as session:
            yield PersonContext(session, now, self._identity(session, cookies, now), self.settings)

    def standing(self, cookies: str, address: str) -> str:
        """Whose session it is and what they are at `address`: another text as soon as any of it is another."""
        with self.of_anybody(cookies) as at:
            return sessions.standing(at.session, at.identity, address)

    def open_sessions(self, hashes: Iterable[str]) -> dict[str, bool]:
        """Which of these sessions have not ended, and whether each is an operator's, in one query."""
        with self.database.reading() as session:
            return sessions.still_open(session, list(hashes), clock.now(), demo=self.settings.demo)

    def revisions(self, addresses: Iterable[str]) -> dict[str, int]:
        """The revision of each organization, in one query."""
        with self.database.reading() as session:
            return organizations.revisions_by_address(session, list(addresses))

    def _context(self, session: Any, cookies: str, address: str, roles: frozenset[Role], now: datetime) -> PageContext:
        access = sessions.authorize(session, self._identity(session, cookies, now), address, now, roles)
        actor = access.identity.email
        return PageContext(
            session, access.organization, now, actor, access=access, settings=self.settings, shared=self.shared
        )

    def _identity(self, session: Any, cookies: str, now: datetime) -> Identity | None:
        return sessions.identify_socket(session, cookies, now, demo=self.settings.demo)


_transactions: Transactions | None = None


def transactions() -> Transactions:
    """Those of this process."""
    if _transactions is None:
        raise RuntimeError("pages have no database: call transactions.serve_from(...) in the composition")
    return _transactions


def serve_from(opened: Transactions) -> None:
    """Says once, at start, from where pages are served."""
    global _transactions
    _transactions = opened


async def read(page: rx.State, work: Callable[[PersonContext], View]) -> View:
    """What `work` gives, in one transaction, in a thread. Who may ask is for the service to say."""
    cookies = page.router.headers.cookie

    def inside() -> View:
        with transactions().of_anybody(cookies) as at:
            return work(at)

    return await threads.load(threads.neighbour(cookies), inside)


async def write(page: rx.State, work: Callable[[PersonContext], View]) -> View:
    """The same for what changes something: committed before this comes back."""
    cookies = page.router.headers.cookie

    def inside() -> View:
        with transactions().of_anybody(cookies, writing=True) as at:
            return work(at)

    return await threads.deed(threads.neighbour(cookies), inside)
