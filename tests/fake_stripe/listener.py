"""A real webhook receiver on loopback: verifies with the SDK, keeps what came, answers as it is told."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import stripe

from tests.support.patience import PATIENCE_SECONDS

POLL_SECONDS = 0.02


class Listener:
    """`events` are those with a good signature, in order of arrival; `refused` says why others were not taken."""

    def __init__(self) -> None:
        self.secret = "whsec_listener_of_these_tests"
        self.events: list[Any] = []
        self.refused: list[str] = []
        self.bodies: list[bytes] = []
        self.answers: list[int] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(listener.take(body, self.headers["Stripe-Signature"]))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet: the test says what went wrong."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhook"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, body: bytes, signature: str) -> int:
        """Handle one delivery; the status to answer."""
        self.bodies.append(body)
        if self.answers:
            status = self.answers.pop(0)
            if status != 200:
                return status
        try:
            event = stripe.Webhook.construct_event(body, signature, self.secret)
        except stripe.SignatureVerificationError as error:
            self.refused.append(str(error))
            return 400
        self.events.append(event)
        return 200

    @property
    def types(self) -> list[str]:
        """Types of the events taken, in order of arrival."""
        return [event.type for event in self.events]

    def wait_for(self, *types: str, count: int = 1) -> list[Any]:
        """The events of these types, once there are `count` of each. Fails the test if they never come."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            if all(self.types.count(wanted) >= count for wanted in types):
                return [event for event in self.events if event.type in types]
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"waited for {types}, got {self.types}; refused: {self.refused}")
