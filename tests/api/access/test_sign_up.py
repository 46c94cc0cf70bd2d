"""Sign-up: closed unless the operator opens it and mail can be sent; nobody learns whether an address is known."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from structlog.testing import capture_logs

from billing_app.db import Database
from billing_app.domain.common.access import Role
from billing_app.services.access import sessions, sign_in_throttle, sign_up
from billing_app.services.access.cookies import NAME
from tests.api.conftest import Api, error_of
from tests.api.serving import Site
from tests.support.builders import PASSWORD, a_user, the_catalogue
from tests.support.patience import eventually
from tests.support.postbox import Postbox, running_postbox, text_of

FORM: dict[str, str] = {"email": "ada@example.org", "organization": "Ada & Co"}
PATIENCE_S = 20


@pytest.mark.parametrize("settings", [{}, {"sign_up": True}], ids=["closed", "without mail"])
def test_it_is_closed_by_default_and_without_mail(site: Site, database: Database, settings: dict[str, bool]) -> None:
    api = Api(site, database, **settings)
    with api.browser() as browser:
        assert error_of(browser.post("/sign-up", data=FORM), "/sign-up") == "sign_up_closed"
        answer = browser.post("/sign-up", data=FORM, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (403, "sign_up_closed")


@pytest.fixture(scope="module")
def server() -> Iterator[Postbox]:
    with running_postbox() as running:
        yield running


class TestOpen:
    """Where BILLING_SIGN_UP is on and mail is sent."""

    @pytest.fixture
    def postbox(self, server: Postbox) -> Postbox:
        server.mails.clear()
        return server

    @pytest.fixture
    def api(self, site: Site, database: Database, postbox: Postbox) -> Iterator[Api]:
        the_catalogue(database)
        sender = "Billing <billing@console.example>"
        made = Api(site, database, sign_up=True, smtp_url=postbox.url, mail_from=sender)
        yield made
        made.has_posted()

    def mailed(self, postbox: Postbox, count: int = 1) -> list[str]:
        until = time.monotonic() + PATIENCE_S
        while len(postbox.mails) < count and time.monotonic() < until:
            time.sleep(0.01)
        return [text_of(mail) for mail in postbox.mails]

    def test_the_link_in_the_mail_brings_an_account_and_an_organization(self, api: Api, postbox: Postbox) -> None:
        with api.browser() as browser:
            asked = browser.post("/sign-up", data=FORM)
            assert (asked.status_code, asked.headers["location"]) == (303, "/sign-up?sent=1")
            assert "set-cookie" not in asked.headers
            (text,) = self.mailed(postbox)
            found = re.search(rf"{api.url}(/invitation\?token=\S+)", text)
            assert found is not None
            token = parse_qs(urlsplit(found[1]).query)["token"][0]
            joined = browser.post("/accept-invitation", data={"token": token, "name": "Ada", "password": PASSWORD})
            address = joined.headers["location"].removeprefix("/o/")
            with api.database.reading() as session:
                identity = sessions.identify(session, browser.cookies[NAME], api.now)
                access = sessions.authorize(session, identity, address, api.now)
            assert access.role is Role.ADMIN
            assert access.organization.name == "Ada & Co"
            assert browser.get(f"/organizations/{address}/balances").status_code == 200

    known: ClassVar = ["ada@example.org", "ADA@example.org", " ada@example.org "]

    @pytest.mark.parametrize("email", known)
    def test_a_known_address_is_answered_as_an_unknown_one_is(self, api: Api, postbox: Postbox, email: str) -> None:
        with api.database.writing() as session:
            a_user(session, "ada@example.org")
        for accept in ("*/*", "application/json"):
            answers = [self.ask(api, each, accept) for each in (email, "nobody@example.org")]
            assert answers[0].status_code == answers[1].status_code
            assert answers[0].content == answers[1].content
            assert answers[0].headers.get("location") == answers[1].headers.get("location")
            assert {*answers[0].headers} == {*answers[1].headers}
        texts = self.mailed(postbox, 4)
        assert sorted(postbox.receivers) == ["ada@example.org"] * 2 + ["nobody@example.org"] * 2
        assert sum("You have one." in text for text in texts) == 2
        assert sum("/invitation?token=" in text for text in texts) == 2

    def ask(self, api: Api, email: str, accept: str) -> httpx.Response:
        with api.browser() as browser:
            return browser.post("/sign-up", data=FORM | {"email": email}, headers={"Accept": accept})

    wrong: ClassVar = [({"email": "nobody"}, "invalid_email"), ({"organization": " "}, "invalid_name")]

    @pytest.mark.parametrize(("change", "code"), wrong)
    def test_what_is_wrong_is_said_whether_or_not_the_address_is_known(
        self, api: Api, change: dict[str, str], code: str
    ) -> None:
        with api.database.writing() as session:
            a_user(session, "ada@example.org")
        with api.browser() as browser:
            for email in ("ada@example.org", "nobody@example.org"):
                answer = browser.post("/sign-up", data=FORM | {"email": email} | change)
                assert error_of(answer, "/sign-up") == code

    def test_one_address_is_mailed_so_often_and_no_more(self, api: Api, postbox: Postbox) -> None:
        with api.browser() as browser:
            for _ in range(sign_up.ACCOUNT_ASKS + 1):
                assert browser.post("/sign-up", data=FORM).headers["location"] == "/sign-up?sent=1"
        self.mailed(postbox, sign_up.ACCOUNT_ASKS)
        time.sleep(0.2)
        assert len(postbox.mails) == sign_up.ACCOUNT_ASKS

    def test_another_site_cannot_sign_its_visitors_up(self, api: Api) -> None:
        with api.client(Origin="https://evil.example") as browser:
            assert error_of(browser.post("/sign-up", data=FORM), "/sign-up") == "wrong_origin"

    def test_one_place_asks_so_often_and_no_more(self, api: Api) -> None:
        with api.browser() as browser:
            answers = [
                browser.post("/sign-up", data=FORM | {"email": f"{number}@example.org"})
                for number in range(sign_in_throttle.PLACE_FAILURES + 1)
            ]
        assert answers[-2].headers["location"] == "/sign-up?sent=1"
        assert error_of(answers[-1], "/sign-up") == "too_many_attempts"

    def test_a_mail_that_cannot_be_written_is_logged_and_breaks_nothing(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The answer has gone by then: nobody waits for an error."""

        def broken(*_: object, **__: object) -> None:
            raise OSError("the database is gone")

        monkeypatch.setattr(sign_up, "ask", broken)
        with api.browser() as browser, capture_logs() as logged:
            assert browser.post("/sign-up", data=FORM).headers["location"] == "/sign-up?sent=1"
            eventually(lambda: any(line["event"] == "request" for line in logged), "the request's line")
        events = [line["event"] for line in logged]
        assert "mail_not_sent" in events
        assert "request_failed" not in events
