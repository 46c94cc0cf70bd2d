"""A request's lane: how many of its kind go on at once, and through which connections (docs/decisions/0018).

`check`, `consume` and reports of usage are what products wait for: they have threads and database connections that
nothing else uses. Within each lane a caller (an API key, a signed-in browser, or the address of somebody without
either) has a share, and the rest of what it asks waits for its turn. What cannot be begun in time is told so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from anyio import to_thread
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billing_app.api.common.body_limits import again, received
from billing_app.api.common.client_address import caller_of, client_of
from billing_app.api.common.problems import headers_of, problem
from billing_app.api.common.process import LANE, Application
from billing_app.domain.common.errors import BillingError
from billing_app.turns import Limits, Turns

DECIDING: Mapping[str, Limits] = {
    "check": Limits(at_once=4, each=2, waiting=1024, waiting_each=512, seconds=2.0),
    "consume": Limits(at_once=8, each=4, waiting=1024, waiting_each=512, seconds=2.0),
    "usage": Limits(at_once=3, each=2, waiting=128, waiting_each=64, seconds=10.0),
}
"""What products wait for before and after everything they do. A consume mostly waits for a disk, a check for Python; a
second process of theirs may be waiting as well, so lines are long, but nobody stands in one for longer than 2 s."""

OTHERS: Mapping[str, Limits] = {
    "read": Limits(at_once=4, each=2, waiting=256, waiting_each=64, seconds=10.0),
    "write": Limits(at_once=10, each=3, waiting=128, waiting_each=32, seconds=10.0),
    "open": Limits(at_once=4, each=2, waiting=128, waiting_each=32, seconds=10.0),
    "stripe": Limits(at_once=4, each=4, waiting=256, waiting_each=256, seconds=10.0),
}
"""Reads compute, and more at once would only take Python from each other. Writes may wait for Stripe, without holding a
connection meanwhile. `open` is what anybody may ask: signing in costs memory, the catalogue little. Stripe sends again
what was not taken."""

DECIDING_CONNECTIONS = sum(limits.at_once for limits in DECIDING.values())

OTHER_CONNECTIONS = 16
"""One for each that may go on, except for writes, which wait for Stripe without one; and for events being worked on."""

THREADS = 64
"""Of anyio, on which FastAPI runs routes: more than all lanes together, so that turns alone decide who waits."""

WEBHOOK = "/webhooks/stripe"

IN_ORGANIZATION = re.compile(r"/organizations/[^/]+/(check|consume|usage|reservations)(/.*)?")

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def contexts_of(application: Application) -> dict[str, Application]:
    """The context of each lane: the process's own, with connections that the lane alone, or the others share."""
    own = replace(application, database=application.database.part(DECIDING_CONNECTIONS))
    shared = replace(application, database=application.database.part(OTHER_CONNECTIONS))
    return dict.fromkeys(DECIDING, own) | dict.fromkeys(OTHERS, shared)


class Lanes:
    """Lets requests of the API in by turns; everything else passes."""

    def __init__(self, app: ASGIApp, prefix: str, contexts: Mapping[str, Application]) -> None:
        """Wraps `app`, whose API is under `prefix`; `contexts` are those of `contexts_of`."""
        self.app = app
        self.prefix = prefix
        settings = next(iter(contexts.values())).settings
        self.secure = settings.secure
        self.proxies = settings.trusted_proxies
        self.turns = {name: Turns(name, limits) for name, limits in {**DECIDING, **OTHERS}.items()}
        self.contexts = contexts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http" or not scope["path"].startswith(self.prefix):
            await self.app(scope, receive, send)
            return
        # All of it is here before it takes a turn: a slow sender holds up nobody.
        messages = await received(receive)
        caller = caller_of(scope, secure=self.secure)
        lane = lane_of(scope["method"], scope["path"].removeprefix(self.prefix), known=caller is not None)
        if caller is None:
            caller = client_of(HTTPConnection(scope), self.proxies)
        scope[LANE] = self.contexts[lane]
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        turns = self.turns[lane]
        try:
            await turns.enter(caller)
        except BillingError as error:
            refused = problem(
                scope.get("state", {}).get("request_id"), error.status, error.code, error.detail,
                headers=headers_of(error), **error.fields,
            )  # fmt: skip
            await refused(scope, receive, send)
            return
        turn = _Turn(lambda: turns.leave(caller), send)
        try:
            await self.app(scope, again(messages, receive), turn.send)
        finally:
            turn.end()


class _Turn:
    """Ends with the answer: what goes on after it (an event of Stripe, a mail) has lines of its own."""

    def __init__(self, leave: Callable[[], None], send: Send) -> None:
        self._leave: Callable[[], None] | None = leave
        self._send = send

    def end(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()

    async def send(self, message: Message) -> None:
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.end()


def lane_of(method: str, path: str, *, known: bool) -> str:
    """The lane of a request. `known`: it came with a credential."""
    if path == WEBHOOK:
        return "stripe"
    if not known:
        return "open"
    found = IN_ORGANIZATION.fullmatch(path)
    if found and method not in SAFE:
        kind, below = found.groups()
        if kind == "reservations":
            return "consume"
        if not below:
            return kind
    return "read" if method in SAFE else "write"
