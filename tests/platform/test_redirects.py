"""No answer of ours sends a browser to an address that the request itself made up."""

from __future__ import annotations

import asyncio
import http.client
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from reflex.utils.precompressed_staticfiles import PrecompressedStaticFiles
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from billing_app.page_paths import without_redirects
from tests.support.console import Console

SAID = {
    "Host": "evil.example",
    "X-Forwarded-Host": "worse.example",
    "X-Forwarded-Proto": "https",
    "Forwarded": "host=x",
}
"""What a request may say of where it was sent."""

PAGES = ("/", "/invitation", "/sign-in", "/set-up", "/admin", "/o/larkfield/usage")
TWISTED = (
    "//invitation", "/./invitation", "/x/../invitation", "//evil.example/../invitation", "/%2Finvitation",
    "/%2f%2fevil.example/%2e%2e/%2e%2e/invitation", "/%5Cevil.example", "/\\evil.example", "//evil.example",
    "/invitation//", "/invitation/.", "/admin/organizations/..",
)  # fmt: skip
OTHERS = (
    "/nowhere", "/assets", "/ping/", "/ping", "/_health/", "/_event", "/healthz/", "/readyz/", "/api", "/api/",
    "/api/v1",
    "/api/v1/", "/api/v1/plans/", "/api/v1/docs/", "/api/v1//evil.example", "/api/v1/sign-in-link?token=secret",
    "/_sandbox", "/_sandbox/", "/_sandbox//evil.example", "/_sandbox/accounts/acct_1/", "/_sandbox/checkout/x/",
    "/_sandbox/control/", "/_sandbox/v1/", "/favicon.svg/", "/favicon.svg",
)  # fmt: skip


def asked(url: str, method: str, target: str) -> tuple[int, str]:
    """Status and Location of the answer to exactly this target, which no client tidies up before."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.putrequest(method, target, skip_host=True)
    for name, value in SAID.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers.get("Location", "")


@pytest.fixture
def pages(tmp_path: Path) -> Starlette:
    """Built pages as Reflex serves them, and a route beside them."""
    (tmp_path / "invitation").mkdir()
    (tmp_path / "invitation" / "index.html").write_text("invited")
    (tmp_path / "404.html").write_text("nothing here")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    files = Mount("/", PrecompressedStaticFiles(directory=tmp_path, html=True), name="frontend")
    app = Starlette(routes=[Route("/ping", lambda _: PlainTextResponse("pong")), files])
    without_redirects(app)
    return app


def answered(app: Starlette, path: str, method: str = "GET") -> httpx.Response:
    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://evil.example") as client:
            return await client.request(method, path)

    return asyncio.run(answer())


@pytest.mark.parametrize("path", ["/invitation", "/invitation/", "/invitation?token=secret"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_page_answers_where_it_was_asked_for(pages: Starlette, method: str, path: str) -> None:
    answer = answered(pages, path, method)
    assert answer.status_code == 200
    assert answer.text == ("invited" if method == "GET" else "")


@pytest.mark.parametrize(
    ("path", "status"), [("/ping", 200), ("/ping/", 404), ("/favicon.svg", 200), ("/nowhere", 404), ("//x", 404)]
)
def test_what_is_no_page_answers_as_before(pages: Starlette, path: str, status: int) -> None:
    assert answered(pages, path).status_code == status


@pytest.mark.browser
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_console_redirects_to_paths_alone(console: Console, method: str) -> None:
    wrong = {}
    for path in (*PAGES, *TWISTED, *OTHERS, *(f"{page}?token=secret" for page in PAGES)):
        status, location = asked(console.url, method, path)
        local = location.startswith("/") and not location.startswith(("//", "/\\"))
        if status >= 500 or (location and not local) or "secret" in location:
            wrong[path] = status, location
        if path.partition("?")[0] in PAGES:
            assert (status, location) == (200, ""), path
    assert wrong == {}


@pytest.mark.browser
def test_forms_too(console: Console) -> None:
    for path in ("sign-in", "sign-out", "sign-up", "set-up", "new-password", "accept-invitation", "forgot-password"):
        status, location = asked(console.url, "POST", f"/api/v1/{path}")
        assert status < 500
        assert not location or urlsplit(location).netloc == "", (path, location)
