"""A customer's server that takes webhooks, and others that misbehave: real HTTP on a port of this machine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True)
class Received:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: str

    def verified(self, secret: str) -> dict[str, Any]:
        """What it says, once the reference library has found its signature right."""
        return Webhook(secret).verify(self.body, self.headers)

    def verifies(self, secret: str) -> bool:
        """Whether the signature is one of this secret."""
        try:
            self.verified(secret)
        except WebhookVerificationError:
            return False
        return True

    @property
    def type(self) -> str:
        """The kind of event."""
        return json.loads(self.body)["type"]


@dataclass
class Receiver:
    """The server. `status` is what it answers on every path that has no behaviour of its own."""

    url: str
    received: list[Received] = field(default_factory=list)
    status: int = 204
    pause_seconds: float = 0.0

    @property
    def ids(self) -> list[str]:
        """The ids of the messages that came in, in order."""
        return [each.headers["webhook-id"] for each in self.received]


@contextmanager
def running_receiver() -> Generator[Receiver]:
    """The server on a free port, as long as somebody needs it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    server.receiver = receiver  # ty: ignore[missing-attribute]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver: Receiver = self.server.receiver  # ty: ignore[missing-attribute]
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver.received.append(Received(self.path, headers, body))
        time.sleep(receiver.pause_seconds)
        behaviour = getattr(self, f"_{self.path.strip('/')}", None)
        with suppress(BrokenPipeError, ConnectionResetError):  # whoever asked did not wait
            behaviour() if behaviour else self._answer(receiver.status, b"thanks" if receiver.status != 204 else b"")

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _broken(self) -> None:
        self._answer(500, b"out of order")

    def _gone(self) -> None:
        self._answer(410)

    def _redirect(self) -> None:
        self._answer(302, Location="/elsewhere")

    def _hang(self) -> None:
        time.sleep(30)

    def _drip(self) -> None:
        """A header, one byte at a time: each of them well within any time-out of a single read."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(300):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.05)

    def _huge(self) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b"x" * 65_536)

    def _nonsense(self) -> None:
        self.wfile.write(b"this is no HTTP\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""
