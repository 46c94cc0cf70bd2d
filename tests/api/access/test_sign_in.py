"""Signing in and out through plain forms, as a browser does it."""

from __future__ import annotations

import pytest
from sqlmodel import col, func, select

from billing_app.services.access import sessions
from billing_app.services.access.cookies import NAME
from billing_app.services.access.sign_in_throttle import PAIR_FAILURES
from billing_app.services.common.origins import origin_of, own_origins
from billing_app.store.access import users as user_store
from billing_app.store.tables.access import BrowserSession
from tests.api.conftest import Api, error_of
from tests.support.builders import NOON, PASSWORD, a_session_token, a_user

ANOTHER_PASSWORD = "an even wetter Wednesday"


def sessions_stored(api: Api) -> int:
    with api.database.reading() as session:
        return session.exec(select(func.count(col(BrowserSession.token_hash)))).one()


def test_a_sign_in_sets_a_guarded_cookie_and_goes_on_to_a_full_page(api: Api, ada: str) -> None:
    with api.browser() as browser:
        answer = browser.post("/sign-in", data={"email": ada, "password": PASSWORD, "next": "/o/acme/usage"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/o/acme/usage")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        token = browser.cookies[NAME]
    with api.database.reading() as session:
        identity = sessions.identify(session, token, NOON)
    assert identity is not None
    assert identity.email == ada


def test_under_https_the_cookie_is_secure_and_of_this_host_alone(api: Api, site, ada: str) -> None:
    secure = Api(site, api.database)
    secure.settings.public_url = "https://billing.example"
    with api.client(Origin="https://billing.example") as browser:
        answer = browser.post("/sign-in", data={"email": ada, "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-billing_session=")
    assert "Secure" in cookie


def test_a_wrong_password_goes_back_to_the_page_and_keeps_the_way(api: Api, ada: str) -> None:
    with api.browser() as browser:
        answer = browser.post("/sign-in", data={"email": ada, "password": "wrong", "next": "/o/acme"})
    assert error_of(answer, "/sign-in") == "wrong_password"
    assert "next=%2Fo%2Facme" in answer.headers["location"]
    assert "set-cookie" not in answer.headers


def test_an_unknown_address_looks_the_same(api: Api, ada: str) -> None:
    with api.browser() as browser:
        known = browser.post("/sign-in", data={"email": ada, "password": "wrong"})
        unknown = browser.post("/sign-in", data={"email": "nobody@example.org", "password": "wrong"})
    assert known.headers["location"] == unknown.headers["location"]


def test_a_program_gets_problems_instead_of_pages(api: Api, ada: str) -> None:
    with api.browser() as browser:
        browser.headers["Accept"] = "application/json"
        refused = browser.post("/sign-in", data={"email": ada, "password": "wrong"})
        entered = browser.post("/sign-in", data={"email": ada, "password": PASSWORD, "next": "/o/acme"})
    assert refused.status_code == 401
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "wrong_password"
    assert (entered.status_code, entered.json()) == (200, {"next": "/o/acme"})


def test_too_many_failures_are_told_with_the_time_to_wait(api: Api, ada: str) -> None:
    with api.browser() as browser:
        browser.headers["Accept"] = "application/json"
        for _ in range(PAIR_FAILURES):
            browser.post("/sign-in", data={"email": ada, "password": "wrong"})
        answer = browser.post("/sign-in", data={"email": ada, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_another_site_signs_nobody_in(api: Api, ada: str, origin: str) -> None:
    with api.client(**({"Origin": origin} if origin else {})) as browser:
        answer = browser.post("/sign-in", data={"email": ada, "password": PASSWORD})
    assert error_of(answer, "/sign-in") == "wrong_origin"
    assert sessions_stored(api) == 0


def test_a_sign_in_leads_to_no_other_site(api: Api, ada: str) -> None:
    with api.browser() as browser:
        for target in ("https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example"):
            answer = browser.post("/sign-in", data={"email": ada, "password": PASSWORD, "next": target})
            assert answer.headers["location"] == "/", target


def test_a_header_cannot_be_injected_through_next(api: Api, ada: str) -> None:
    with api.browser() as browser:
        answer = browser.post(
            "/sign-in", data={"email": ada, "password": PASSWORD, "next": "/o/acme\r\nSet-Cookie: planted=1"}
        )
        failed = browser.post("/sign-in", data={"email": ada, "password": "x", "next": "/\r\nSet-Cookie: planted=1"})
    assert answer.headers["location"] == "/"
    assert "planted" not in str(failed.headers.get("set-cookie"))


def test_the_session_that_a_browser_brought_along_ends_with_its_sign_in(api: Api, ada: str) -> None:
    with api.database.writing() as session:
        planted = a_session_token(session, a_user(session, "mallory@example.org"))
    with api.browser(planted) as browser:
        browser.post("/sign-in", data={"email": ada, "password": PASSWORD})
        assert browser.cookies[NAME] != planted
    with api.database.reading() as session:
        assert sessions.identify(session, planted, NOON) is None


def test_signing_out_ends_the_session_and_takes_the_cookie_away(api: Api, ada: str) -> None:
    with api.browser() as browser:
        browser.post("/sign-in", data={"email": ada, "password": PASSWORD})
        answer = browser.post("/sign-out")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert NAME not in browser.cookies
    assert sessions_stored(api) == 0


def test_another_site_signs_nobody_out(api: Api, ada: str) -> None:
    with api.database.writing() as session:
        user = user_store.by_email(session, ada)
        assert user is not None
        token = a_session_token(session, user)
    with api.browser(token) as browser:
        browser.headers["Origin"] = "https://evil.example"
        answer = browser.post("/sign-out")
    assert "set-cookie" not in answer.headers
    assert sessions_stored(api) == 1


def test_an_origin_is_written_as_browsers_write_it() -> None:
    assert origin_of("https://billing.example:443/console/") == "https://billing.example"
    assert origin_of("http://127.0.0.1:3000") == "http://127.0.0.1:3000"
    assert origin_of("http://[::1]:3000/") == "http://[::1]:3000"


def test_the_own_machine_has_two_names_and_others_have_one() -> None:
    assert own_origins("http://127.0.0.1:3000") == ("http://127.0.0.1:3000", "http://localhost:3000")
    assert own_origins("http://localhost:3000/") == ("http://localhost:3000", "http://127.0.0.1:3000")
    assert own_origins("https://billing.example") == ("https://billing.example",)
