"""A real HTTP server in a thread, one per test process; each test puts its own app behind it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine
from typing import Any

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.patience import PATIENCE_SECONDS


class Site:
    """Serves whatever `app` is now."""

    def __init__(self) -> None:
        """Starts the server on a free port and waits until it answers."""
        self.app: ASGIApp | None = None
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if self.app is None:
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self.app(scope, receive, send)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Does what only the server's own loop may do."""
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)

    def stop(self) -> None:
        """Stops the server."""
        if self._loop is not None and self._server is not None:
            self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = Server(self, port=self.port, interface=Interfaces.ASGINL, log_enabled=False)
        await self._server.serve()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                httpx.get(self.url)
            except httpx.TransportError:
                time.sleep(0.02)
            else:
                return
        raise TimeoutError("the test server did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
