"""A forgotten password: the link comes by mail, and nobody learns whether an address is known."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from billing_app.db import Database
from billing_app.services.access import password_reset
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import PASSWORD, a_user
from tests.support.patience import PATIENCE_SECONDS
from tests.support.postbox import Postbox, running_postbox, text_of


@pytest.fixture(scope="module")
def server() -> Iterator[Postbox]:
    with running_postbox() as running:
        yield running


@pytest.fixture
def postbox(server: Postbox) -> Postbox:
    server.mails.clear()
    return server


@pytest.fixture
def api(site: Site, database: Database, postbox: Postbox) -> Iterator[Api]:
    made = Api(site, database, smtp_url=postbox.url, mail_from="Billing <billing@console.example>")
    yield made
    made.has_posted()


def ask(api: Api, email: str) -> httpx.Response:
    with api.browser() as browser:
        return browser.post("/forgot-password", data={"email": email})


def mailed(postbox: Postbox, count: int = 1) -> list[str]:
    """What the mails say, once there are so many."""
    until = time.monotonic() + PATIENCE_SECONDS
    while len(postbox.mails) < count and time.monotonic() < until:
        time.sleep(0.01)
    return [text_of(mail) for mail in postbox.mails]


def test_the_link_in_the_mail_sets_a_new_password(api: Api, ada: str, postbox: Postbox) -> None:
    assert ask(api, ada).headers["location"] == "/forgot-password?sent=1"
    (text,) = mailed(postbox)
    found = re.search(rf"{api.url}(/new-password\?token=\S+)", text)
    assert found is not None
    token = parse_qs(urlsplit(found[1]).query)["token"][0]
    with api.browser() as browser:
        done = browser.post("/new-password", data={"token": token, "password": "a dry Thursday in June"})
        assert done.headers["location"] == "/"
    with api.browser() as browser:
        again = browser.post("/sign-in", data={"email": ada, "password": PASSWORD})
        assert "wrong_password" in again.headers["location"]


def test_an_unknown_address_is_answered_alike_and_gets_no_mail(api: Api, ada: str, postbox: Postbox) -> None:
    known, unknown = ask(api, ada), ask(api, "nobody@example.org")
    assert (known.status_code, known.headers["location"]) == (unknown.status_code, unknown.headers["location"])
    assert {*known.headers} == {*unknown.headers}
    mailed(postbox)
    assert postbox.receivers == [ada]


def test_who_asks_too_often_is_answered_alike_and_nothing_is_sent(api: Api, ada: str, postbox: Postbox) -> None:
    for _ in range(password_reset.ACCOUNT_ASKS + 2):
        assert ask(api, ada).status_code == 303
    mailed(postbox, password_reset.ACCOUNT_ASKS)
    time.sleep(0.2)
    assert len(postbox.mails) == password_reset.ACCOUNT_ASKS


def test_a_demo_account_has_no_mailbox(api: Api, postbox: Postbox) -> None:
    with api.database.writing() as session:
        a_user(session, "demo@example.org", demo=True)
    assert ask(api, "demo@example.org").status_code == 303
    time.sleep(0.2)
    assert postbox.mails == []


def test_nothing_is_asked_from_another_site(api: Api, ada: str, postbox: Postbox) -> None:
    with api.client(Origin="https://evil.example") as browser:
        answer = browser.post("/forgot-password", data={"email": ada})
    assert "wrong_origin" in answer.headers["location"]
    time.sleep(0.2)
    assert postbox.mails == []


def test_without_a_mail_server_it_says_so(site: Site, database: Database) -> None:
    answer = ask(Api(site, database), "ada@example.org")
    assert "error=mail_unavailable" in answer.headers["location"]
