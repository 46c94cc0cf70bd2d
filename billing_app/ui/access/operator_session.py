"""The guard of operators' pages: their URL names nobody's organization, and the role is read on every event.

Whoever is not an operator gets the same refusal from each of them and sees nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

import reflex as rx

from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import UnavailableError
from billing_app.services.common.context import Transaction
from billing_app.services.overview import frame
from billing_app.services.overview.views_frame import OperatorShellView
from billing_app.services.purchases.orders import Payments
from billing_app.ui import routes, threads
from billing_app.ui.access.session import MAX_TEXT, GuardedPage, Handler, wrapped
from billing_app.ui.access.transactions import OperatorPageContext, transactions
from billing_app.ui.frame.operator_text import OperatorShellShown, operator_shell_shown
from billing_app.ui.kit.formats import Formats, known_locale

OPERATORS = frozenset({Role.OPERATOR})
"""Who gets through."""

View = TypeVar("View")
Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class OperatorAccess:
    """One event of one operator: the only way of a handler to anything that is stored."""

    cookies: str
    formats: Formats
    query: dict[str, str]
    path: str

    @property
    def payments(self) -> Payments:
        """Stripe. Raises UnavailableError `buying_unavailable` where it is not connected."""
        payments = transactions().payments
        if payments is None:
            raise UnavailableError("Stripe is not set up on this server.", code="buying_unavailable")
        return payments

    def reading(self) -> AbstractContextManager[OperatorPageContext]:
        """One transaction that reads, in the thread of who calls it."""
        return transactions().of_operator(self.cookies)

    def writing(self) -> AbstractContextManager[OperatorPageContext]:
        """One transaction that may write; services that need several take this."""
        return transactions().of_operator(self.cookies, writing=True)

    def outside(self) -> Transaction:
        """What opens transactions of nobody, for work that takes many: only an operator gets it."""
        with self.reading():
            return transactions().database.writing

    async def show(
        self,
        page: OperatorFrame,
        read: Callable[[OperatorPageContext], View],
        present: Callable[[View, Formats], Shown],
    ) -> Shown:
        """Reads the frame and a view, and makes of them what the screen shows. In a thread."""

        def work() -> tuple[OperatorShellView, Shown]:
            with self.reading() as at:
                shell, view = frame.operator_shell(at.session, at.identity, at.settings), read(at)
            return shell, present(view, self.formats)

        shell, shown = await threads.load(threads.OPERATORS, work)
        page._welcome(shell)
        return shown

    async def read(self, read: Callable[[OperatorPageContext], View]) -> View:
        """A view alone, for a page that is open already."""

        def work() -> View:
            with self.reading() as at:
                return read(at)

        return await threads.load(threads.OPERATORS, work)

    async def check(self) -> None:
        """Nothing but whether an operator asks: for a handler that changes its page before it reads anything."""
        await self.read(lambda at: None)

    async def write(self, act: Callable[[OperatorPageContext], View]) -> View:
        """What `act` does is one transaction, committed before this comes back."""

        def work() -> View:
            with self.writing() as at:
                return act(at)

        return await threads.deed(threads.OPERATORS, work)

    async def call(self, work: Callable[[], View]) -> View:
        """What takes several transactions or talks to the outside world, in a thread."""
        return await threads.deed(threads.OPERATORS, work)

    async def frame(self) -> None:
        """Nothing is around a page for somebody who is not an operator."""

    def text(self, name: str) -> str:
        """A value of the URL's query, never longer than any of ours."""
        return self.query.get(name, "")[:MAX_TEXT]


def for_operators(function: Handler) -> Handler:
    """Makes an event handler that only an operator gets through.

    The function takes `self`, an `OperatorAccess` and then its own arguments, which a browser can pass.
    """
    return wrapped(function, OPERATORS, access_of)


def access_of(state: rx.State) -> OperatorAccess:
    """The access of this event. Whether it is an operator's is asked when a transaction is opened."""
    router = state.router
    return OperatorAccess(
        cookies=router.headers.cookie,
        formats=Formats(known_locale(router.headers.accept_language)),
        query=routes.written(router.url.query_parameters),
        path=router.url.path,
    )


class OperatorFrame(GuardedPage):
    """What every page of an operator shares: the frame. Pages' states derive from it, one per page."""

    around: OperatorShellShown = OperatorShellShown()

    def _welcome(self, view: OperatorShellView) -> None:
        """Shows the frame as it was just read; what had gone wrong is over."""
        shown = operator_shell_shown(view)
        if shown != self.around:
            self.around = shown
        self._clear()
