"""What stands around every route: problems, limits, headers, request ids, health, documentation."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from billing_app.api.app import ROUTERS, create_api
from billing_app.api.common.body_limits import MAX_BODY_BYTES, BodyLimits
from billing_app.api.common.sockets import Handshakes
from billing_app.services.access.cookies import HASH_NAME, NAME
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import a_key, an_organization

broken = APIRouter()


@broken.get("/broken")
def break_down() -> None:
    raise RuntimeError("the secret is hunter2")


@pytest.fixture
def key(api: Api) -> str:
    with api.database.writing() as session:
        return a_key(session, an_organization(session))[0]


def is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    content = answer.json()
    assert (content["status"], content["code"]) == (status, code)
    assert content["detail"].endswith((".", "?")) or code == "invalid_fields"
    assert content["request_id"] == answer.headers["x-request-id"]
    assert {"type", "title"} <= content.keys()
    return content


def test_an_unknown_route_is_a_problem(api: Api) -> None:
    with api.client() as anyone:
        is_problem(anyone.get("/nothing-here"), 404, "route_not_found")


def test_the_apis_own_address_leads_to_its_documentation(api: Api) -> None:
    answer = httpx.get(f"{api.url}/api/v1")
    assert (answer.status_code, answer.headers["location"]) == (307, "/api/v1/docs")


def test_a_wrong_method_names_the_right_one(api: Api) -> None:
    with api.client() as anyone:
        answer = anyone.delete("/plans")
    is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


def test_every_wrong_field_is_listed_without_its_value(api: Api, key: str) -> None:
    question = {"action": "", "quantities": {"mau": 1.5}, "secret": "hunter2"}
    with api.program(key) as program:
        answer = program.post("/organizations/acme/check", json=question)
    content = is_problem(answer, 422, "invalid_fields")
    fields = ["body.action.action", "body.action.quantities.mau", "body.action.secret"]
    assert [mistake["field"] for mistake in content["errors"]] == fields
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b'{"events": [' + b"[" * 5000])
def test_a_body_that_is_no_json_is_a_problem(api: Api, key: str, body: bytes) -> None:
    with api.program(key) as program:
        for route in ("usage", "check"):
            answer = program.post(
                f"/organizations/acme/{route}", content=body, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code in {400, 422}
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/admin/catalogue", rb'{"document": {"metrics": "\ud800"}, "based_on": 1}'),
        ("POST", "/admin/catalogue/validate", rb'{"document": {"\ud800": NaN}}'),
        ("POST", "/admin/catalogue/preview", rb'{"document": {"currency": 1e400}, "based_on": 1}'),
        ("PATCH", "/organizations/acme", rb'{"\ud800": 1}'),
        ("PATCH", "/organizations/acme", rb'{"description": "\ud800"}'),
        ("PUT", "/organizations/acme/notifications", rb'{"people": {"\ud800": []}}'),
        ("POST", "/organizations/acme/check", rb'{"metric": "mau", "quantity": 1e400}'),
        ("POST", "/organizations/acme/check", b'{"metric": "mau", "quantity": ' + b"9" * 5_000 + b"}"),
        ("POST", "/organizations/acme/consume", rb'{"metric": "mau", "quantity": NaN}'),
    ],
)
def test_what_python_takes_for_json_and_nobody_else_is_a_problem(
    api: Api, key: str, method: str, path: str, body: bytes
) -> None:
    """Halves of characters, NaN, infinity and numbers of thousands of digits."""
    with api.database.writing() as session:
        operator, _ = a_key(session, None)
    with api.program(operator) as program:
        answer = program.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_announced_body_that_is_too_large_is_refused_unread(api: Api, key: str) -> None:
    with api.program(key) as program:
        answer = program.post("/organizations/acme/usage", content=b" " * (MAX_BODY_BYTES + 1))
    is_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize("route", ["usage", "check", "consume", "reservations"])
def test_a_body_that_grows_too_large_is_cut_off(api: Api, key: str, route: str) -> None:
    def pieces():
        for _ in range(MAX_BODY_BYTES // 65_536 + 2):
            yield b" " * 65_536

    with api.program(key) as program:
        answer = program.post(
            f"/organizations/acme/{route}",
            content=pieces(),
            headers={"Content-Type": "application/json", "Idempotency-Key": "1"},
        )
    is_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize("route", ["usage", "check", "consume", "reservations"])
def test_a_slow_body_is_not_waited_for(api: Api, site: Site, key: str, route: str) -> None:
    site.app = BodyLimits(api.app, "/api/v1", seconds=0.3)
    head = (
        f"POST /api/v1/organizations/acme/{route} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nIdempotency-Key: 1\r\nContent-Length: 100\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(head.encode() + b'{"ev')
        answer = connection.recv(65_536).decode()
    assert answer.startswith("HTTP/1.1 408")
    assert "body_too_slow" in answer


def test_a_crash_leaks_nothing_and_is_found_by_its_id(api: Api, site: Site) -> None:
    site.app = create_api(api.database, api.settings, routers=(*ROUTERS, broken))
    with api.client() as anyone, capture_logs() as logged:
        answer = anyone.get("/broken")
    content = is_problem(answer, 500, "internal_error")
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
    crash = next(line for line in logged if line["event"] == "request_failed")
    assert crash["request_id"] == content["request_id"]


def test_every_request_is_one_line_without_secrets(api: Api, key: str) -> None:
    question = {"metric": "hunter1"}
    with api.program(key) as program, capture_logs() as logged:
        program.post("/organizations/acme/check", json=question, headers={"Cookie": f"{NAME}=hunter3"})
        program.post("/organizations/acme/check?a=hunter2", json=question)
        program.post("/sign-in?x=hunter4", data={"email": "a@b.example", "password": "hunter5"})
    lines = [line for line in logged if line["event"] == "request"]
    check = "/api/v1/organizations/acme/check"
    assert [line["path"] for line in lines] == [check, check, "/api/v1/sign-in"]
    assert lines[0]["caller"].startswith("key:")
    assert {"method", "status", "ms", "request_id"} <= lines[0].keys()
    assert "hunter" not in json.dumps(lines)
    assert key not in json.dumps(lines)


def test_a_given_request_id_is_kept_unless_it_is_dangerous(api: Api) -> None:
    with api.client() as anyone:
        kept = anyone.get("/metrics", headers={"X-Request-ID": "abc-123"})
        replaced = anyone.get("/metrics", headers={"X-Request-ID": 'a"b injected=1'})
    assert kept.headers["x-request-id"] == "abc-123"
    assert "injected" not in replaced.headers["x-request-id"]


def test_answers_carry_security_headers(api: Api) -> None:
    with api.client() as anyone:
        of_api = anyone.get("/plans").headers
        of_page = httpx.get(f"{api.url}/healthz").headers
        of_none = httpx.get(f"{api.url}/assets/none.js")
    for headers in (of_api, of_page):
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"
    assert of_api["cache-control"] == "no-store"
    assert of_none.status_code == 404
    assert "immutable" not in of_none.headers.get("cache-control", "")
    assert "default-src 'none'" in of_api["content-security-policy"]
    assert (
        f"connect-src 'self' ws://127.0.0.1:{api.settings.public_url.rpartition(':')[2]}"
        in (of_page["content-security-policy"])
    )


def test_health_and_readiness(api: Api) -> None:
    assert httpx.get(f"{api.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{api.url}/readyz").json()["checks"]["database"] == "ok"


def test_readiness_says_what_is_missing(api: Api, site: Site) -> None:
    site.app = create_api(api.database, api.settings, checks={"jobs": lambda _: "nobody holds the lease"})
    answer = httpx.get(f"{api.url}/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"jobs": "nobody holds the lease"}


def test_the_documentation_fetches_nothing_from_other_hosts(api: Api) -> None:
    with api.client() as anyone:
        page = anyone.get("/docs")
        document = anyone.get("/openapi.json").json()
    assert page.headers["content-type"].startswith("text/html")
    assert "//" not in page.text.replace("</", "")
    assert "<script" not in page.text
    for path in document["paths"]:
        assert f"/api/v1{path}" in page.text


def test_the_openapi_document_refers_to_nothing_that_is_missing(api: Api) -> None:
    with api.client() as anyone:
        document = anyone.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    referred = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert referred <= schemas.keys()
    assert document["servers"] == [{"url": "/api/v1"}]


def test_no_module_names_another_host() -> None:
    """Nothing is fetched from other hosts: not by a page of ours, not by its headers."""
    folder = Path(__file__).parents[3] / "billing_app" / "api"
    for module in folder.rglob("*.py"):
        assert "http://" not in module.read_text()
        assert "https://" not in module.read_text().replace('startswith("https://")', "")


class TestHandshakes:
    """What Reflex gets to see, and from whom."""

    @pytest.fixture
    def seen(self, site: Site, api: Api) -> list[Scope]:
        scopes: list[Scope] = []

        async def reflex(scope: Scope, receive: Receive, send: Send) -> None:
            scopes.append(scope)
            await PlainTextResponse("page")(scope, receive, send)

        site.app = Handshakes(reflex, (api.url,), "/api/v1", secure=False)
        return scopes

    def cookies(self, scope: Scope) -> str:
        return "; ".join(value.decode() for name, value in scope["headers"] if name == b"cookie")

    def test_the_token_is_replaced_by_its_hash(self, api: Api, seen: list[Scope]) -> None:
        httpx.get(api.url, headers={"Cookie": "a=b; billing_session=the-token"})
        assert "the-token" not in str(seen[0]["headers"])
        assert f"a=b; {HASH_NAME}=" in self.cookies(seen[0])

    def test_a_hash_from_outside_is_taken_away(self, api: Api, seen: list[Scope]) -> None:
        httpx.get(api.url, headers=[("Cookie", f"{HASH_NAME}=stolen"), ("Cookie", f"a=b; {HASH_NAME} =stolen")])
        assert "stolen" not in self.cookies(seen[0])

    @pytest.mark.parametrize(
        ("origin", "status"),
        [("https://evil.example", 403), ("null", 403), ("http://127.0.0.1:1", 403), ("http://evil.127.0.0.1", 403)],
    )
    def test_a_websocket_from_another_site_is_refused(
        self, api: Api, seen: list[Scope], origin: str, status: int
    ) -> None:
        answer = httpx.get(
            f"{api.url}/_event",
            headers={
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                "Origin": origin,
            },
        )
        assert answer.status_code == status
        assert seen == []
