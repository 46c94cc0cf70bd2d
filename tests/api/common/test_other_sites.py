"""What another site makes a browser do: cookies come along, so every change wants the origin of our own pages."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.api.common.test_access_matrix import BODIES, MATRIX, NOWHERE, REPEATABLE
from tests.api.conftest import Api
from tests.support.builders import PASSWORD, a_session_token, a_user, an_organization, the_catalogue

PUBLIC_FORMS = [route for route, row in MATRIX.items() if route.startswith("POST") and row.anonymous == "ok"]

STRIPES = "POST /webhooks/stripe"
"""It has no cookie to look at: the body is signed."""

FIELDS = {
    "sign-in": ("email", "password"),
    "sign-out": (),
    "sign-up": ("email", "organization", "name", "password"),
    "set-up": ("token", "email", "name", "password"),
    "new-password": ("token", "password"),
    "forgot-password": ("email",),
    "accept-invitation": ("token", "name", "password"),
}

CHANGES = [route for route in MATRIX if not route.startswith("GET") and route != STRIPES]


def origins_of_others(url: str) -> list[dict[str, str] | list[tuple[str, str]]]:
    """Headers of requests that do not come from our pages, or not for sure."""
    parts = urlsplit(url)
    port = parts.port or 80
    single = [
        "null", "", "https://evil.example", f"https://{parts.netloc}", f"http://{parts.hostname}:{port + 1}",
        f"http://{parts.hostname}", f"http://evil.{parts.netloc}", f"{url}.evil.example", f"{url}/", f"{url}, {url}",
        f"http://user@{parts.netloc}", url.upper(),
    ]  # fmt: skip
    return [{}, [("Origin", url), ("Origin", "https://evil.example")], *({"Origin": each} for each in single)]


@pytest.fixture
def browser(api: Api) -> Iterator[httpx.Client]:
    """An operator's, who may do everything."""
    the_catalogue(api.database)
    with api.database.writing() as session:
        an_organization(session, "acme")
        token = a_session_token(session, a_user(session, "op@example.org", operator=True))
    with api.browser(token) as made:
        del made.headers["Origin"]
        yield made


def address_of(route: str) -> str:
    """The route's path with ids of nothing."""
    names = (
        "session_id", "pack_id", "metric", "reservation_id", "name", "kind", "grant", "event_id", "suborganization",
        "plan", "organization",
    )  # fmt: skip
    ids = ("process_id", "webhook_id", "delivery_id", "card", "member", "key_id")
    known = dict.fromkeys(names, "none") | dict.fromkeys(ids, NOWHERE) | {"address": "acme", "run": "1", "version": "1"}
    return route.split()[1].format(**known)


def test_a_cookie_changes_nothing_from_elsewhere(api: Api, browser: httpx.Client) -> None:
    let_in = []
    for route in CHANGES:
        method, key = route.split()[0], {"Idempotency-Key": "1"} if route in REPEATABLE else {}
        for headers in origins_of_others(api.url):
            sent = [*(headers.items() if isinstance(headers, dict) else headers), *key.items()]
            answer = browser.request(
                method, address_of(route), json=BODIES.get(route), headers=[*sent, ("Accept", "application/json")]
            )
            if answer.status_code != 403 or answer.json()["code"] != "wrong_origin":
                let_in.append((route, headers, answer.status_code))
            if route in PUBLIC_FORMS:
                break  # forms are posted without access rules; the next test has them
    assert let_in == []


@pytest.mark.parametrize("route", [route for route in PUBLIC_FORMS if route != STRIPES])
def test_a_form_on_another_site_does_nothing_here(api: Api, browser: httpx.Client, route: str) -> None:
    sent = {"email": "op@example.org", "password": PASSWORD, "name": "Eve", "organization": "Eve", "token": "x"}
    form = {field: sent[field] for field in FIELDS[route.removeprefix("POST /")]}
    for headers in origins_of_others(api.url):
        answer = browser.post(address_of(route), data=form, headers=headers)
        assert answer.status_code == 303
        assert "wrong_origin" in answer.headers["location"], (route, headers)
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example", "/\\evil.example", "\\/evil.example", "https:evil.example", "https:/evil.example", "///evil",
        "https://evil.example", "HTTPS://evil.example", "http:evil.example", "javascript:alert(1)", "/\tevil", "\x00/",
        "data:text/html,x", "/%09//evil.example\n", " //evil.example", "/..//evil.example\\", "evil.example", "?next=x",
        "/\u043e//evil.example",
    ],
)  # fmt: skip
def test_signing_in_leads_to_no_other_site(api: Api, browser: httpx.Client, target: str) -> None:
    form = {"email": "op@example.org", "password": PASSWORD, "next": target}
    for sent in (target, quote(target)):
        answer = browser.post("/sign-in", data=form | {"next": sent}, headers={"Origin": api.url})
        assert answer.status_code == 303
        resolved = httpx.URL(f"{api.url}/api/v1/sign-in").join(answer.headers["location"])
        assert str(resolved).startswith(f"{api.url}/"), sent
        assert answer.headers["location"].startswith("/")
        assert not answer.headers["location"].startswith(("//", "/\\"))
