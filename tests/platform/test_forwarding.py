"""One port: what is under /_sandbox reaches the fake Stripe, everything else the app."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from billing_app.forwarding import MAX_BODY_BYTES, FakeStripeForwarding, with_fake_stripe
from billing_app.settings import Settings


class FakeServer(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/_sandbox/away":
            self.send_response(303)
            self.send_header("Location", "https://elsewhere.test/")
            self.send_header("Set-Cookie", "a=1")
            self.send_header("Set-Cookie", "b=2")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/_sandbox":
            self.send_response(307)
            self.send_header("Location", f"http://{self.headers['Host']}/_sandbox/?a=1")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._answer(f"{self.path} {self.headers['X-Forwarded-For']} {self.headers['Authorization']}".encode())

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def fake_stripe() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeServer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


SENT = {"Authorization": "Bearer sk_test_1", "X-Forwarded-For": "192.0.2.1", "x-forwarded-host": "evil.example"}


def app() -> Starlette:
    return Starlette(routes=[Route("/{path:path}", lambda request: PlainTextResponse("the app"))])


def ask(target: str, *requests: tuple[str, str, bytes]) -> list[httpx.Response]:
    async def answers() -> list[httpx.Response]:
        forwarding = FakeStripeForwarding(app(), target)
        transport = httpx.ASGITransport(forwarding)
        async with httpx.AsyncClient(transport=transport, base_url="http://console.test:3000") as client:
            found = [await client.request(method, path, content=body, headers=SENT) for method, path, body in requests]
        await forwarding._client.aclose()
        return found

    return asyncio.run(answers())


def test_paths_queries_and_headers_go_through(fake_stripe: str) -> None:
    (answer,) = ask(fake_stripe, ("GET", "/_sandbox/checkout/cs_1?x=%2F&y=2", b""))
    assert answer.text == "/_sandbox/checkout/cs_1?x=%2F&y=2 None Bearer sk_test_1"


def test_forms_go_through(fake_stripe: str) -> None:
    (answer,) = ask(fake_stripe, ("POST", "/_sandbox/pay", b"card=4242"))
    assert answer.content == b"card=4242"


def test_redirects_and_cookies_come_back_as_they_are(fake_stripe: str) -> None:
    (answer,) = ask(fake_stripe, ("GET", "/_sandbox/away", b""))
    assert answer.status_code == 303
    assert answer.headers["location"] == "https://elsewhere.test/"
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_a_redirect_within_the_fake_stripe_stays_on_our_port(fake_stripe: str) -> None:
    (answer,) = ask(fake_stripe, ("GET", "/_sandbox", b""))
    assert answer.headers["location"] == "/_sandbox/?a=1"


def test_everything_else_is_the_apps(fake_stripe: str) -> None:
    answers = ask(fake_stripe, ("GET", "/", b""), ("GET", "/_sandboxes", b""), ("GET", "/a/_sandbox/x", b""))
    assert [answer.text for answer in answers] == ["the app"] * 3


def test_a_fake_stripe_that_is_down_is_said() -> None:
    (answer,) = ask("http://127.0.0.1:1", ("GET", "/_sandbox/", b""))
    assert answer.status_code == 502


def test_a_body_has_a_limit(fake_stripe: str) -> None:
    (answer,) = ask(fake_stripe, ("POST", "/_sandbox/pay", b"x" * (MAX_BODY_BYTES + 1)))
    assert answer.status_code == 413


def test_without_the_demo_nothing_is_forwarded() -> None:
    plain = app()
    assert with_fake_stripe(plain, Settings(demo=False, stripe_api_base="http://127.0.0.1:1")) is plain
    assert with_fake_stripe(plain, Settings(demo=True, stripe_api_base="")) is plain
