"""An invitation over the API: the link is in the answer, and with mail set up it is mailed, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billing_app.db import Database
from billing_app.domain.common.access import Scope
from billing_app.services.common import organizations
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import a_key, an_organization, the_catalogue
from tests.support.postbox import Postbox, running_postbox, text_of


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with running_postbox() as running:
        yield running


KIM = {"email": "kim@example.org", "role": "member"}


@pytest.fixture
def api(api: Api) -> Api:
    the_catalogue(api.database)
    with api.database.writing() as session:
        an_organization(session)
    return api


def key(api: Api) -> str:
    with api.database.writing() as session:
        return a_key(session, organizations.by_address(session, "acme"), Scope.ADMIN)[0]


@pytest.fixture
def mailing(site: Site, database: Database, postbox: Postbox, api: Api) -> Api:
    return Api(site, database, smtp_url=postbox.url, mail_from="Billing <billing@console.example>")


def test_whoever_is_invited_is_mailed_the_link_of_the_answer(mailing: Api, postbox: Postbox) -> None:
    with mailing.program(key(mailing)) as program:
        made = program.post("/organizations/acme/members", json=KIM).json()
    assert made["mailed"] is True
    (mail,) = postbox.mails
    assert mail["To"] == "kim@example.org"
    assert made["url"] in text_of(mail)
    with mailing.browser() as browser:
        token = made["url"].partition("token=")[2]
        form = {"token": token, "name": "Kim", "password": "a dry Thursday in June"}
        joined = browser.post("/accept-invitation", data=form)
    assert joined.headers["location"] == "/o/acme"


def test_a_mail_that_is_refused_leaves_the_link_in_the_answer(mailing: Api, postbox: Postbox) -> None:
    with mailing.program(key(mailing)) as program:
        answer = program.post("/organizations/acme/members", json={**KIM, "email": "refused-550@example.org"})
    assert (answer.status_code, answer.json()["mailed"], postbox.mails) == (201, False, [])
    assert "token=" in answer.json()["url"]


def test_without_mail_the_link_is_handed_over(api: Api) -> None:
    with api.program(key(api)) as program:
        answer = program.post("/organizations/acme/members", json=KIM)
    assert (answer.status_code, answer.json()["mailed"]) == (201, False)
