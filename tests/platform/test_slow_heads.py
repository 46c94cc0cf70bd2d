"""A connection on which nothing happens ends, whatever it has sent of a request."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.responses import PlainTextResponse

from billing_app.launcher.ports import free_port
from billing_app.launcher.server import HEAD_BYTES, protocol

HEAD_MS = 700
PATIENCE_S = 20.0
HEAD = b"GET / HTTP/1.1\r\nHost: console\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server with the product's settings, but with less patience."""
    found = free_port()
    started: list[tuple[asyncio.AbstractEventLoop, Server]] = []

    async def serve() -> None:
        server = Server(
            PlainTextResponse("ok"), port=found, interface=Interfaces.ASGINL, log_enabled=False, **protocol(HEAD_MS)
        )
        started.append((asyncio.get_running_loop(), server))
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", found), 1).close()
            break
        time.sleep(0.05)
    yield found
    loop, server = started[0]
    loop.call_soon_threadsafe(server.stop)
    thread.join(PATIENCE_S)


@pytest.mark.parametrize(
    ("first", "then"),
    [(b"", b""), (HEAD, b""), (HEAD + b"X-Slow: ", b"a"), (b"G", b""), (b"PRI * HTTP/2.0\r\n", b"")],
    ids=["nothing", "half a head", "a byte now and then", "one byte", "half of another protocol"],
)
def test_a_head_that_never_ends_is_not_waited_for(port: int, first: bytes, then: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        connection.settimeout(0.2)
        connection.sendall(first)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                if not connection.recv(1_000):
                    return
            except TimeoutError:
                with suppress(OSError):
                    connection.sendall(then)
            except OSError:
                return
    pytest.fail("the connection is still open")


def test_a_head_that_is_too_large_is_refused(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection, suppress(OSError):
        connection.sendall(HEAD)
        for _ in range(HEAD_BYTES // 1_000 + 1_000):
            connection.sendall(b"X-A: " + b"a" * 993 + b"\r\n")
        assert not connection.recv(1_000).startswith(b"HTTP/1.1 200")
