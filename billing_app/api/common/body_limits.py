"""Limits on what a request may send: its size, and the time it may take."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billing_app.api.common.problems import CODES, problem

MAX_BODY_BYTES = 1024 * 1024
"""The largest body: 1 000 usage events with long ids, or the largest webhook of Stripe."""

BODY_SECONDS = 30.0
"""A body that takes longer holds a connection for nothing; 1 MiB takes 9 s at 1 Mbit/s."""


class BodyLimits:
    """Refuses bodies under the API that are too large (413) or too slow (408), before a route has read them."""

    def __init__(self, app: ASGIApp, prefix: str, seconds: float = BODY_SECONDS) -> None:
        """Wraps `app`; guards the paths under `prefix`, for Reflex's own routes have limits of their own."""
        self.app = app
        self.prefix = prefix
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http" or not scope["path"].startswith(self.prefix):
            await self.app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        request_id = scope.get("state", {}).get("request_id")
        if not announced.isdigit() or int(announced) > MAX_BODY_BYTES:
            await problem(request_id, 413, CODES[413], _TOO_LARGE)(scope, receive, send)
            return
        try:
            await self.app(scope, _Limited(receive, self.seconds).receive, send)
        except HTTPException as error:  # a layer below, and not FastAPI, was reading
            status = error.status_code
            await problem(request_id, status, CODES[status], error.detail)(scope, receive, send)


class _Limited:
    """Counts what is received, and the time until all of it is there."""

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive = receive
        self._ends = asyncio.get_running_loop().time() + seconds
        self._bytes = 0
        self._complete = False

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._ends):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "The body took too long to arrive.") from None
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        self._bytes += len(message.get("body", b""))
        if self._bytes > MAX_BODY_BYTES:
            raise HTTPException(413, _TOO_LARGE)
        return message


_TOO_LARGE = f"A body has at most {MAX_BODY_BYTES} bytes. Send less at once."


async def raw_body(request: Request) -> bytes:
    """The whole body, within the limits; for routes that read it by themselves."""
    return await request.body()


async def received(receive: Receive) -> list[Message]:
    """The body in its parts."""
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def again(messages: list[Message], receive: Receive) -> Receive:
    """Gives what was received once more, and then what comes."""
    rest = iter(messages)

    async def once_more() -> Message:
        return next(rest, None) or await receive()

    return once_more
