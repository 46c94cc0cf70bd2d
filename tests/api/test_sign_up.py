"""Sign-up: closed unless the operator opens it."""

from __future__ import annotations

from typing import ClassVar

import pytest

from billing_app.db import Database
from billing_app.domain.access import Role
from billing_app.services import attempts, sessions
from billing_app.services.cookies import NAME
from tests.api.conftest import Api, error_of
from tests.api.serving import Site
from tests.builders import the_catalogue

FORM: dict[str, str] = {
    "email": "ada@example.org", "name": "Ada", "organization": "Ada & Co", "password": "a wet Tuesday in March",
}  # fmt: skip


def test_it_is_closed_by_default(api: Api) -> None:
    with api.browser() as browser:
        assert error_of(browser.post("/sign-up", data=FORM), "/sign-up") == "sign_up_closed"
        answer = browser.post("/sign-up", data=FORM, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (403, "sign_up_closed")


class TestOpen:
    """Where BILLING_SIGN_UP is on."""

    @pytest.fixture
    def api(self, site: Site, database: Database) -> Api:
        the_catalogue(database)
        return Api(site, database, sign_up=True)

    def test_somebody_gets_an_account_and_an_organization(self, api: Api) -> None:
        with api.browser() as browser:
            answer = browser.post("/sign-up", data=FORM)
            assert answer.status_code == 303
            address = answer.headers["location"].removeprefix("/o/")
            with api.database.reading() as session:
                identity = sessions.identify(session, browser.cookies[NAME], api.now)
                access = sessions.authorize(session, identity, address, api.now)
            assert access.role is Role.ADMIN
            assert access.organization.name == "Ada & Co"
            assert browser.get(f"/organizations/{address}/balances").status_code == 200

    wrong: ClassVar = [
        ({"email": "nobody"}, "invalid_email"), ({"name": ""}, "invalid_name"), ({"organization": " "}, "invalid_name"),
        ({"password": "short"}, "weak_password"),
    ]  # fmt: skip

    @pytest.mark.parametrize(("change", "code"), wrong)
    def test_what_is_wrong_is_said_and_leaves_nothing(self, api: Api, change: dict[str, str], code: str) -> None:
        with api.browser() as browser:
            assert error_of(browser.post("/sign-up", data=FORM | change), "/sign-up") == code
            assert browser.post("/sign-up", data=FORM).headers["location"].startswith("/o/")

    def test_an_address_has_one_account(self, api: Api) -> None:
        with api.browser() as browser:
            browser.post("/sign-up", data=FORM)
            again = browser.post("/sign-up", data=FORM | {"email": "ADA@example.org"})
        assert error_of(again, "/sign-up") == "email_taken"

    def test_another_site_cannot_sign_its_visitors_up(self, api: Api) -> None:
        with api.client(Origin="https://evil.example") as browser:
            assert error_of(browser.post("/sign-up", data=FORM), "/sign-up") == "wrong_origin"

    def test_one_place_makes_so_many_and_no_more(self, api: Api) -> None:
        with api.browser() as browser:
            answers = [
                browser.post("/sign-up", data=FORM | {"email": f"{number}@example.org"})
                for number in range(attempts.PLACE_FAILURES + 1)
            ]
        assert answers[-2].headers["location"].startswith("/o/")
        assert error_of(answers[-1], "/sign-up") == "too_many_attempts"
