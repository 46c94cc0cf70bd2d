"""The outermost layer: gives each request an id, writes one line about it, and turns a crash into an answer."""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billing_app import monitoring
from billing_app.api.common.problems import unexpected
from billing_app.api.common.process import PREFIX
from billing_app.log import get_logger
from billing_app.monitoring import PAGE, UNKNOWN

HEADER = b"x-request-id"

HEALTH = ("/healthz", "/readyz")
"""Counted by themselves: what watches the process asks for them all day."""

ACCEPTED = re.compile(rb"[A-Za-z0-9._-]{1,64}")
"""An id that a proxy in front of us may have given: nothing that could break a log line or a header."""

log = get_logger("billing.requests")


class RequestLog:
    """One line per request: never a query, a header or a body, for that is where secrets are."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request; websockets pass."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id)
        started = time.perf_counter()
        try:
            await self.app(scope, receive, answer.send)
        except Exception:
            # The last place where it can be told: whatever it is, it is logged with its trace and not shown.
            log.exception("request_failed", request_id=request_id, method=scope["method"], path=scope["path"])
            if not answer.started:
                await unexpected(request_id)(scope, receive, answer.send)
        took = time.perf_counter() - started
        route = _route(scope)
        monitoring.requests.labels(scope["method"] if route != UNKNOWN else "", route, str(answer.status)).inc()
        monitoring.request_seconds.labels(route).observe(took)
        log.info("request", **_line(scope, request_id, answer.status, round(took * 1000, 1)))


class _Answer:
    """Notes the status of what is sent and adds the request's id to its headers."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.started = False
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            message["headers"] = [*message.get("headers", []), (HEADER, self._request_id.encode())]
        await self._send(message)


def _request_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == HEADER), b"")
    return given.decode() if ACCEPTED.fullmatch(given) else uuid4().hex


def _route(scope: Scope) -> str:
    """The route that answered, as it is declared: never a path, which anybody can make up."""
    found = getattr(scope.get("route"), "path", "")
    if found:
        return str(found)
    if scope["path"] in HEALTH:
        return str(scope["path"])
    return UNKNOWN if scope["path"].startswith(PREFIX) else PAGE


def _line(scope: Scope, request_id: str, status: int, milliseconds: float) -> dict[str, Any]:
    caller = scope.get("state", {}).get("caller")
    line = {
        "request_id": request_id,
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "ms": milliseconds,
    }
    return {**line, "caller": caller} if caller else line
