"""One port for everything: requests under /_sandbox go to the fake Stripe, which is a process of its own."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from billing_app.locations import FAKE_STRIPE, PREFIX
from billing_app.settings import Settings

ANSWER_SECONDS = 30.0
"""Longer than any page of the fake Stripe takes; its deliberate time-outs are for the SDK, which asks it directly."""

MAX_BODY_BYTES = 1_000_000
"""Far above any form of the fake Stripe's pages."""

HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
) | {"host", "content-length"}
"""Headers that belong to one connection (RFC 9110, 7.6.1), and two that httpx writes anew."""

OF_PROXIES = re.compile(r"forwarded|x-forwarded-.*|x-real-ip")
"""What proxies say of whom they serve: the fake Stripe believes none of it, for anybody can send it."""


def with_fake_stripe(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The app behind the forwarding, when `billing run` started a fake Stripe beside it; the app itself otherwise."""
    if not (os.environ.get(FAKE_STRIPE) and settings.stripe_api_base):
        return app
    return FakeStripeForwarding(app, settings.stripe_api_base)


class FakeStripeForwarding:
    """Passes requests under /_sandbox on and everything else to the app."""

    def __init__(self, app: ASGIApp, target: str) -> None:
        """`target` is the fake Stripe's own address."""
        self._app = app
        self._target = httpx.URL(target)
        self._host = urlsplit(target).netloc
        # No proxies from the environment: the fake Stripe is on this machine.
        self._client = httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False, follow_redirects=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decides by the path."""
        path = scope.get("path", "")
        if scope["type"] == "http" and (path == PREFIX or path.startswith(f"{PREFIX}/")):
            try:
                answer = await self._forward(Request(scope, receive))
            except ClientDisconnect:
                return
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _forward(self, request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return PlainTextResponse("The request is too large.", 413)
        asked = self._client.build_request(
            request.method,
            self._target.copy_with(raw_path=_raw_path(request.scope)),
            headers=_passed_on(request.headers.raw),
            content=body,
        )
        try:
            answer = await self._client.send(asked, stream=True)
        except httpx.HTTPError:
            return PlainTextResponse("The fake Stripe does not answer; it may be starting. Try again.", 502)
        passed = StreamingResponse(_stream(answer), answer.status_code)
        passed.raw_headers = [(name, self._seen(name, value)) for name, value in _passed_on(answer.headers.raw)]
        return passed

    def _seen(self, name: bytes, value: bytes) -> bytes:
        """A redirect within the fake Stripe leads to where the browser is, not to an address that it cannot know."""
        inside = str(self._target.copy_with(path="", query=None)).rstrip("/").encode()
        return value.removeprefix(inside) if name.lower() == b"location" and value.startswith(inside + b"/") else value


def _raw_path(scope: Scope) -> bytes:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    return path + b"?" + query if query else path


def _passed_on(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if not _stays(name.decode("latin-1").lower())]


def _stays(name: str) -> bool:
    return name in HOP_BY_HOP or OF_PROXIES.fullmatch(name) is not None


async def _body(request: Request) -> bytes | None:
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > MAX_BODY_BYTES:
            return None
    return bytes(parts)


async def _stream(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for part in answer.aiter_raw():
            yield part
    finally:
        await answer.aclose()
