"""Who is at the other end of an event, and the guard that no handler can do without.

Any browser can call any handler with any arguments. So identity comes from the cookie of the websocket's handshake, the
organization from the page's URL, and session, membership and role are read from the database in the very transaction
that reads the data. Handlers get at data only through the `PageAccess` that the guard makes.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

import reflex as rx
from reflex.istate.proxy import StateProxy

from billing_app import clock
from billing_app.domain.common.access import ALL_ROLES, Role, is_address
from billing_app.domain.common.errors import (
    BillingError,
    BusyError,
    ForbiddenError,
    NotFoundError,
    TooManyAtOnceError,
    UnauthenticatedError,
    UnavailableError,
)
from billing_app.services.common.context import Transaction
from billing_app.services.overview import frame
from billing_app.services.overview.views_frame import ShellView
from billing_app.services.purchases.orders import Payments
from billing_app.settings import Settings
from billing_app.ui import routes, threads
from billing_app.ui.access import binding, live
from billing_app.ui.access.transactions import PageContext, transactions
from billing_app.ui.frame.text import ShellShown, shell_shown
from billing_app.ui.kit.formats import Formats, known_locale

MAX_TEXT, MAX_ARGUMENT = 2_000, 5_001
"""Longest query value and text argument that a handler reads; what is longer is cut. One more than the longest that
anything takes, a process' description: what was cut is refused, and never kept as if it were all."""

MAX_INT = 2**63 - 1
"""A number argument that no column could hold is none."""

OPENING = frozenset({"load", "enter", "arrive"})
"""Handlers that open a page: what they do not find, the page itself is not there for."""

READS_AFTER = 2
"""How often a page is read anew after something was gone: by itself, and when whatever took it away is heard of."""

GUARD = "__billing_guard__"
"""Attribute by which a test finds handlers without a guard."""

View = TypeVar("View")
Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class PageAccess:
    """One event on a page of an organization: the only way of a handler to anything that is stored.

    `read`, `show` and `write` open one transaction in which the visitor was let in anew. `call` is for what opens
    several, or talks to Stripe between them: it is handed `enter`.
    """

    cookies: str
    address: str
    roles: frozenset[Role]
    formats: Formats
    query: dict[str, str]
    path: str

    @property
    def neighbour(self) -> str:
        """Whose turn it takes."""
        return threads.neighbour(self.cookies, self.address)

    @property
    def payments(self) -> Payments:
        """Stripe. Raises UnavailableError `buying_unavailable` where nothing can be bought."""
        payments = transactions().payments
        if payments is None:
            raise UnavailableError(
                "Buying is not set up: the operator has not connected Stripe yet.", code="buying_unavailable"
            )
        return payments

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
        """One transaction that reads, in the thread of who calls it."""
        return transactions().reading(self.cookies, self.address, self.roles)

    def writing(self) -> AbstractContextManager[PageContext]:
        """One transaction that may write; services that need several take this."""
        return transactions().writing(self.cookies, self.address, self.roles)

    async def show(
        self, page: Frame, read: Callable[[PageContext], View], present: Callable[[View, ShellView, Formats], Shown]
    ) -> Shown:
        """Reads the frame and a view, and makes of them what the screen shows; follows changes from now.

        All of it in a thread: neither queries nor figures hold up the event loop.
        """

        def work() -> tuple[ShellView, Shown]:
            with self.reading() as at:
                shell, view = frame.shell(at.session, at.access, at.settings, at.now), read(at)
            return shell, present(view, shell, self.formats)

        shell, shown = await threads.load(self.neighbour, work)
        page._welcome(shell)
        shown_of = {self.address: shell.revision}
        if shell.payer is not None:
            shown_of[shell.payer.address] = shell.payer.revision
        live.follow(page, shown_of)
        return shown

    async def read(self, read: Callable[[PageContext], View]) -> View:
        """A part of a page, for what has just changed it; the page itself goes on following."""

        def work() -> View:
            with self.reading() as at:
                return read(at)

        return await threads.load(self.neighbour, work)

    async def frame(self) -> ShellView:
        """The frame alone, which every member may see: for a page that this role does not open."""

        def work() -> ShellView:
            with transactions().reading(self.cookies, self.address, ALL_ROLES) as at:
                return frame.shell(at.session, at.access, at.settings, at.now)

        return await threads.load(self.neighbour, work)

    async def write(self, act: Callable[[PageContext], View]) -> View:
        """What `act` does is one transaction, committed before this comes back."""

        def work() -> View:
            with self.writing() as at:
                return act(at)

        return await threads.deed(self.neighbour, work)

    async def call(self, work: Callable[[], View]) -> View:
        """What takes several transactions or talks to the outside world, in a thread."""
        return await threads.deed(self.neighbour, work)

    def still_on(self, page: rx.State) -> bool:
        """Whether the tab is still where this event came from. What follows an event of long duration asks this: a
        page that the tab has left would take over what the tab hears of changes."""
        return page.router.url.path == self.path.partition("?")[0]

    def text(self, name: str) -> str:
        """A value of the URL's query, never longer than any of ours."""
        return self.query.get(name, "")[:MAX_TEXT]

    def choice(self, name: str, allowed: tuple[int, ...], default: int) -> int:
        """A whole number of the query, if it is one of those allowed."""
        given = self.query.get(name, "")
        return int(given) if given.isascii() and given.isdigit() and int(given[:9]) in allowed else default


Handler = Callable[..., Awaitable[Any]]


class Entrant(Protocol):
    """Whoever an event comes from."""

    async def frame(self) -> Any:
        """What is around a page that they may not open."""


def guarded(*, roles: frozenset[Role] = ALL_ROLES) -> Callable[[Handler], Handler]:
    """Makes an event handler that only a visitor with one of `roles` gets through.

    The function takes `self`, a `PageAccess` and then its own arguments; a browser can pass only the latter, and only
    plain values of the declared types.
    """

    return lambda function: wrapped(function, roles, lambda state: access_of(state, roles))


def wrapped(function: Handler, guard: object, enter: Callable[[Any], Entrant]) -> Handler:
    """`function` as a handler that is handed what `enter` makes of the event, and whose refusals are shown.

    `guard` says to tests who gets through.
    """
    signature = inspect.signature(function)
    own = dict(list(signature.parameters.items())[2:])

    async def guarding(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = dict(zip(own, args, strict=False)) | {name: kwargs[name] for name in own if name in kwargs}
        access: Entrant | None = None
        try:
            access = enter(self)
            with binding.at_work(self):
                return await function(self, access, **{name: _plain(own[name], given.get(name)) for name in own})
        except BillingError as error:
            shell = await access.frame() if access and isinstance(error, ForbiddenError) else None
            async with _writable(self):
                return await self._refuse(error, shell, opening=getattr(function, "__name__", "") in OPENING)

    # Reflex reads names and types of arguments from the handler: a browser must not even see the `PageAccess`.
    first = next(iter(signature.parameters.values()))
    handler: Any = functools.wraps(function)(guarding)
    handler.__signature__ = signature.replace(parameters=[first, *own.values()])
    handler.__annotations__ = {name: note for name, note in function.__annotations__.items() if name in own}
    del handler.__wrapped__
    setattr(handler, GUARD, guard)
    return handler


def public(reason: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Marks a handler that anybody may call, and says why that is right."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        setattr(function, GUARD, reason)
        return function

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


class GuardedPage(rx.State):
    """What every page behind a guard shares: what went wrong, and the way out.

    A method whose name does not begin with an underscore is an event handler, which any browser can call.
    """

    problem: str = ""
    problem_detail: str = ""
    _kept: int = 0
    _kept_on: str = ""

    def _say(self, problem: str, detail: str) -> None:
        """Shows what went wrong: "not_found", "forbidden" and "broken" in place of the page, "refused" on it."""
        self.problem, self.problem_detail = problem, detail

    def _welcome(self, view: Any) -> None:
        """Shows the frame as it was just read; what had gone wrong is over."""
        raise NotImplementedError

    def _clear(self) -> None:
        """What had gone wrong is over, unless this page was read anew because of it."""
        if not self._kept or self._kept_on != self.router.url.path:
            self.problem = self.problem_detail = ""
        self._kept = max(0, self._kept - 1)

    async def _refuse(self, error: BillingError, shell: Any, *, opening: bool = True) -> Any:
        """Shows why an event was refused; who is not signed in any more is asked to.

        What a button does not find was there a moment ago: that is a sentence, and the page is read anew.
        """
        if isinstance(error, UnauthenticatedError):
            return await self._leave()
        if isinstance(error, NotFoundError) and not opening and error.code != "organization_not_found":
            self._say("refused", error.detail)
            load = getattr(self.__class__, "load", None)
            self._kept, self._kept_on = READS_AFTER, self.router.url.path
            return load
        if shell is not None:
            self._welcome(shell)
        kind = {NotFoundError: "not_found", ForbiddenError: "forbidden"}.get(type(error), "refused")
        if opening and isinstance(error, BusyError | TooManyAtOnceError) and not self._shows_something():
            kind = "broken"  # there is no page yet on which a refusal could be read
        if kind != "refused":
            live.forget(self)  # a push meant for the page before this one must not take the refusal away
        self._say(kind, error.detail)
        return None

    def _shows_something(self) -> bool:
        return bool(getattr(getattr(self, "screen", None), "ready", False))

    async def _leave(self) -> Any:
        """Nobody is signed in any more: forgets everything that this tab showed, and asks to sign in."""
        url = self.router.url
        await binding.wipe(self)
        return rx.redirect(routes.sign_in(url.path + (f"?{url.query}" if url.query else "")))

    @rx.event
    @public("shows that an event failed; says nothing about anybody")
    def fail(self) -> None:
        """What the screen says when a handler broke: the log has the reason."""
        self._say("broken", "")


class Frame(GuardedPage):
    """What every page of an organization shares: the frame.

    Pages' states derive from it, one per page, so that a page sends only its own changes.
    """

    shell: ShellShown = ShellShown()

    def _welcome(self, view: ShellView) -> None:
        """Shows the frame as it was just read; what had gone wrong is over."""
        shown = shell_shown(view)
        if shown != self.shell:
            self.shell = shown
        self._clear()
