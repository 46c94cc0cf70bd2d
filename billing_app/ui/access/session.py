"""Who is at the other end of an event, and the guard that no handler can do without.

Any browser can call any handler with any arguments. So identity comes from the cookie of the websocket's handshake, the
organization from the page's URL, and session, membership and role are read from the database in the very transaction
that reads the data. Handlers get at data only through the `PageAccess` that the guard makes.
"""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

import reflex as rx
from reflex.istate.proxy import StateProxy

from billing_app import clock
from billing_app.domain.common.access import ALL_ROLES, Role, is_address
from billing_app.domain.common.errors import (
    BillingError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
)
from billing_app.services.common.context import Transaction
from billing_app.services.overview import frame as frames
from billing_app.services.overview.views_frame import FrameView, OperatorFrameView
from billing_app.services.purchases.orders import Payments
from billing_app.settings import Settings
from billing_app.ui import routes, threads
from billing_app.ui.access import binding, live
from billing_app.ui.access.transactions import OperatorPageContext, PageContext, transactions
from billing_app.ui.kit.formats import Formats, known_locale

MAX_TEXT, MAX_ARGUMENT = 2_000, 5_001
"""Longest query value and text argument that a handler reads; what is longer is cut. One more than the longest that
anything takes, a process' description: what was cut is refused, and never kept as if it were all."""

MAX_INT = 2**63 - 1
"""A number argument that no column could hold is none."""

OPERATORS = frozenset({Role.OPERATOR})
"""Who gets through on operators' pages."""

OPENING = frozenset({"load", "enter", "arrive"})
"""Handlers that open a page: what they do not find, the page itself is not there for."""

GUARD = "__billing_guard__"
"""Attribute by which a test finds handlers without a guard."""

At = TypeVar("At")
View = TypeVar("View")
Screen = TypeVar("Screen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access(ABC, Generic[At]):
    """One event on a page: the only way of a handler to anything that is stored.

    `read`, `show` and `write` open one transaction in which the visitor was let in anew. `call` is for what opens
    several, or talks to Stripe between them: it is handed `reading` and `writing`.
    """

    cookies: str
    formats: Formats
    query: dict[str, str]
    path: str
    not_selling: ClassVar[str]
    """What is said where Stripe is not connected."""

    @property
    @abstractmethod
    def neighbour(self) -> str:
        """Whose turn it takes."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[At]:
        """One transaction that reads, in the thread of who calls it."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[At]:
        """One transaction that may write; services that need several take this."""

    @abstractmethod
    async def frame(self) -> Any:
        """The frame alone, for a page that they may not open."""

    @property
    def payments(self) -> Payments:
        """Stripe. Raises UnavailableError `buying_unavailable` where it is not connected."""
        payments = transactions().payments
        if payments is None:
            raise UnavailableError(self.not_selling, code="buying_unavailable")
        return payments

    async def read(self, read: Callable[[At], View]) -> View:
        """A part of a page, for what has just changed it; the page itself goes on following."""

        def work() -> View:
            with self.reading() as at:
                return read(at)

        return await threads.load(self.neighbour, work)

    async def check(self) -> None:
        """Nothing but whether they are let in: for a handler that changes its page before it reads anything."""
        await self.read(lambda at: None)

    async def write(self, act: Callable[[At], View]) -> View:
        """What `act` does is one transaction, committed before this comes back."""

        def work() -> View:
            with self.writing() as at:
                return act(at)

        return await threads.deed(self.neighbour, work)

    async def call(self, work: Callable[[], View]) -> View:
        """What takes several transactions or talks to the outside world, in a thread."""
        return await threads.deed(self.neighbour, work)

    def text(self, name: str) -> str:
        """A value of the URL's query, never longer than any of ours."""
        return self.query.get(name, "")[:MAX_TEXT]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAccess(Access[PageContext]):
    """One event on a page of an organization."""

    address: str
    roles: frozenset[Role]
    not_selling = "Buying is not set up: the operator has not connected Stripe yet."

    @property
    def neighbour(self) -> str:
        """The organization of the page."""
        return threads.neighbour(self.cookies, self.address)

    @property
    def settings(self) -> Settings:
        """Of this process."""
        return transactions().settings

    @property
    def outside(self) -> tuple[Transaction, Payments | None, Callable[[], datetime]]:
        """What goes on after the visitor's own transaction: its transactions are of no person."""
        found = transactions()
        return found.database.writing, found.payments, clock.now

    def reading(self) -> AbstractContextManager[PageContext]:
        """One transaction that reads."""
        return transactions().reading(self.cookies, self.address, self.roles)

    def writing(self) -> AbstractContextManager[PageContext]:
        """One transaction that may write."""
        return transactions().writing(self.cookies, self.address, self.roles)

    async def show(
        self, page: rx.State, read: Callable[[PageContext], View], text: Callable[[View, FrameView, Formats], Screen]
    ) -> Screen:
        """Reads the frame and a view, and makes of them what the screen shows; follows changes from now.

        All of it in a thread: neither queries nor figures hold up the event loop.
        """

        def work() -> tuple[FrameView, Screen]:
            with self.reading() as at:
                frame, view = frames.organization_frame(at.session, at.access, at.settings, at.now), read(at)
            return frame, text(view, frame, self.formats)

        frame, screen = await threads.load(self.neighbour, work)
        page._welcome(frame)
        revisions = {self.address: frame.revision}
        if frame.payer is not None:
            revisions[frame.payer.address] = frame.payer.revision
        live.follow(page, revisions)
        return screen

    async def frame(self) -> FrameView:
        """The frame alone, which every member may see: for a page that this role does not open."""

        def work() -> FrameView:
            with transactions().reading(self.cookies, self.address, ALL_ROLES) as at:
                return frames.organization_frame(at.session, at.access, at.settings, at.now)

        return await threads.load(self.neighbour, work)

    def still_on(self, page: rx.State) -> bool:
        """Whether the tab is still where this event came from. What follows an event of long duration asks this: a
        page that the tab has left would take over what the tab hears of changes."""
        return page.router.url.path == self.path.partition("?")[0]

    def choice(self, name: str, allowed: tuple[int, ...], default: int) -> int:
        """A whole number of the query, if it is one of those allowed."""
        given = self.query.get(name, "")
        return int(given) if given.isascii() and given.isdigit() and int(given[:9]) in allowed else default


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAccess(Access[OperatorPageContext]):
    """One event of one operator, whose URL names nobody's organization: the role is read on every event."""

    not_selling = "Stripe is not set up on this server."

    @property
    def neighbour(self) -> str:
        """Operators take turns together."""
        return threads.OPERATORS

    def reading(self) -> AbstractContextManager[OperatorPageContext]:
        """One transaction that reads."""
        return transactions().of_operator(self.cookies)

    def writing(self) -> AbstractContextManager[OperatorPageContext]:
        """One transaction that may write."""
        return transactions().of_operator(self.cookies, writing=True)

    def outside(self) -> Transaction:
        """What opens transactions of nobody, for work that takes many: only an operator gets it."""
        with self.reading():
            return transactions().database.writing

    async def show(
        self, page: rx.State, read: Callable[[OperatorPageContext], View], text: Callable[[View, Formats], Screen]
    ) -> Screen:
        """Reads the frame and a view, and makes of them what the screen shows. In a thread."""

        def work() -> tuple[OperatorFrameView, Screen]:
            with self.reading() as at:
                frame, view = frames.operator_frame(at.session, at.identity, at.settings), read(at)
            return frame, text(view, self.formats)

        frame, screen = await threads.load(self.neighbour, work)
        page._welcome(frame)
        return screen

    async def frame(self) -> None:
        """Nothing is around a page for somebody who is not an operator."""


Handler = Callable[..., Awaitable[Any]]


def guarded(roles: frozenset[Role] = ALL_ROLES, *, background: bool = False) -> Callable[[Handler], Any]:
    """Makes an event handler that only a visitor with one of `roles` gets through; there is no other way to make one.

    The function takes `self`, a `PageAccess` and then its own arguments; a browser can pass only the latter, and only
    plain values of the declared types.
    """
    return lambda function: _handler(function, roles, lambda state: access_of(state, roles), background)


def for_operators(*, background: bool = False) -> Callable[[Handler], Any]:
    """Makes an event handler that only an operator gets through.

    The function takes `self`, an `OperatorAccess` and then its own arguments, which a browser can pass. Whoever is not
    an operator gets the same refusal from each and sees nothing else.
    """
    return lambda function: _handler(function, OPERATORS, operator_access_of, background)


def _handler(function: Handler, guard: object, enter: Callable[[Any], Access[Any]], background: bool) -> Any:
    """`function` as a handler that is handed what `enter` makes of the event, and whose refusals are shown.

    `guard` says to tests who gets through.
    """
    signature = inspect.signature(function)
    own = dict(list(signature.parameters.items())[2:])

    async def guarding(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = dict(zip(own, args, strict=False)) | {name: kwargs[name] for name in own if name in kwargs}
        access: Access[Any] | None = None
        try:
            access = enter(self)
            with binding.at_work(self):
                return await function(self, access, **{name: _plain(own[name], given.get(name)) for name in own})
        except BillingError as error:
            frame = await access.frame() if access and isinstance(error, ForbiddenError) else None
            async with _writable(self):
                return await self._refuse(error, frame, opening=getattr(function, "__name__", "") in OPENING)

    # Reflex reads names and types of arguments from the handler: a browser must not even see the `PageAccess`.
    first = next(iter(signature.parameters.values()))
    handler: Any = functools.wraps(function)(guarding)
    handler.__signature__ = signature.replace(parameters=[first, *own.values()])
    handler.__annotations__ = {name: note for name, note in function.__annotations__.items() if name in own}
    del handler.__wrapped__
    setattr(handler, GUARD, guard)
    return rx.event(handler, background=background)


def public(reason: str) -> Callable[[Callable[..., Any]], Any]:
    """Makes an event handler that anybody may send, and says why that is right."""

    def decorate(function: Callable[..., Any]) -> Any:
        setattr(function, GUARD, reason)
        return rx.event(function)

    return decorate


def access_of(state: rx.State, roles: frozenset[Role]) -> PageAccess:
    """The access of this event. Raises NotFoundError where the URL names no organization."""
    router = state.router
    address = routes.address_in(router.url.path)
    if not is_address(address):
        raise NotFoundError("There is no such organization.")
    headers = router.headers
    return PageAccess(
        cookies=headers.cookie,
        address=address,
        roles=roles,
        formats=Formats(known_locale(headers.accept_language)),
        query=routes.written(router.url.query_parameters),
        path=router.url.path + (f"?{router.url.query}" if router.url.query else ""),
    )


def id_in(text: str, absent: str = "There is no such thing.", code: str = "not_found") -> UUID:
    """An id that a browser sent. Raises NotFoundError for what is not one."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError(absent, code=code) from None


def operator_access_of(state: rx.State) -> OperatorAccess:
    """The access of this event. Whether it is an operator's is asked when a transaction is opened."""
    router = state.router
    return OperatorAccess(
        cookies=router.headers.cookie,
        formats=Formats(known_locale(router.headers.accept_language)),
        query=routes.written(router.url.query_parameters),
        path=router.url.path,
    )


def _writable(state: Any) -> AbstractAsyncContextManager[Any]:
    """A background handler holds its state only inside `async with`; any other holds it all the time."""
    return state if isinstance(state, StateProxy) else nullcontext()


def _plain(parameter: inspect.Parameter, value: Any) -> Any:
    """`value` as the parameter's declared type, or that type's empty value: a browser may send anything at all."""
    kind = parameter.annotation
    if kind in (str, "str"):
        return value[:MAX_ARGUMENT] if isinstance(value, str) else ""
    if kind in (int, "int"):
        return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_INT else 0
    if kind in (bool, "bool"):
        return value is True
    if kind in (dict, "dict"):
        texts = value if isinstance(value, dict) else {}
        return {str(key)[:MAX_TEXT]: text[:MAX_ARGUMENT] for key, text in texts.items() if isinstance(text, str)}
    return value
