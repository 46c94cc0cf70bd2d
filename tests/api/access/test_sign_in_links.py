"""The SaaS product's "Billing" button: a one-time link that signs its person in to one organization."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from billing_app.domain.common.access import Role
from billing_app.services.access import one_time_links, sessions
from billing_app.services.access.cookies import NAME
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from tests.api.conftest import Api, error_of
from tests.support.builders import PASSWORD, a_key, a_session_token, a_user, an_organization, the_catalogue


class Button:
    """The product of acme, whose key has the scope `admin`."""

    def __init__(self, api: Api) -> None:
        """Makes acme, globex and the key."""
        self.api = api
        the_catalogue(api.database)
        with api.database.writing() as session:
            acme = an_organization(session, "acme")
            an_organization(session, "globex")
            self.http = api.program(a_key(session, acme, "admin")[0])

    def make(self, email: str = "ada@example.org", **more: Any) -> httpx.Response:
        """Asks for a link."""
        return self.http.post("/organizations/acme/sign-in-links", json={"email": email, **more})

    def press(self, browser: httpx.Client, **more: Any) -> httpx.Response:
        """Asks for a link and follows it."""
        made = self.make(**more)
        assert made.status_code == 201, made.text
        return self.follow(browser, made.json()["url"])

    def follow(self, browser: httpx.Client, url: str) -> httpx.Response:
        """Follows a link as a browser that comes from the product's site does."""
        assert url.startswith(self.api.url)
        parts = urlsplit(url)
        headers = {"Sec-Fetch-Site": "cross-site"}
        return browser.get(f"{parts.path.removeprefix('/api/v1')}?{parts.query}", headers=headers)


@pytest.fixture
def button(api: Api) -> Iterator[Button]:
    made = Button(api)
    yield made
    made.http.close()


@pytest.fixture
def browser(api: Api) -> Iterator[httpx.Client]:
    with api.client() as made:
        yield made


def test_the_button_signs_somebody_new_in(button: Button, browser: httpx.Client) -> None:
    answer = button.press(browser, email="Ada@Example.org", role="billing", return_to="/o/acme/credits?metric=mau")
    assert (answer.status_code, answer.headers["location"]) == (303, "/o/acme/credits?metric=mau")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert browser.get("/organizations/acme/ledger").status_code == 200
    with button.api.database.reading() as session:
        identity = sessions.identify(session, browser.cookies[NAME], button.api.now)
        assert identity is not None
        assert (identity.email, identity.only_organization_id) == ("ada@example.org", 1)
        access = sessions.authorize(session, identity, "acme", button.api.now)
    assert access.role is Role.BILLING


def test_without_a_page_it_is_the_first(button: Button, browser: httpx.Client) -> None:
    assert button.press(browser).headers["location"] == "/o/acme"


def test_a_member_keeps_the_role_that_they_have(button: Button, browser: httpx.Client) -> None:
    with button.api.database.writing() as session:
        a_user(session, "bob@example.org", member_of=organizations.by_address(session, "acme"), role=Role.MEMBER)
    assert button.make("bob@example.org", role="admin").json()["role"] == "member"
    button.press(browser, email="bob@example.org", role="admin")
    assert browser.get("/organizations/acme/balances").status_code == 200
    assert browser.get("/organizations/acme/ledger").status_code == 403


def test_it_works_once_and_for_five_minutes(button: Button, browser: httpx.Client) -> None:
    url = button.make().json()["url"]
    assert button.follow(browser, url).headers["location"] == "/o/acme"
    browser.cookies.clear()
    assert error_of(button.follow(browser, url), "/sign-in") == "link_ended"
    late = button.make().json()["url"]
    button.api.now += timedelta(minutes=5)
    assert error_of(button.follow(browser, late), "/sign-in") == "link_ended"
    assert NAME not in browser.cookies


def test_the_session_opens_this_organization_alone(button: Button, browser: httpx.Client) -> None:
    """Even an operator's: whoever has acme's key must not become one by it."""
    with button.api.database.writing() as session:
        user = a_user(session, "op@example.org", operator=True, member_of=organizations.by_address(session, "globex"))
        assert user.operator
    button.press(browser, email="op@example.org", role="member")
    assert browser.get("/organizations/acme/balances").status_code == 200
    assert browser.get("/organizations/acme/ledger").status_code == 403
    assert browser.get("/organizations/globex/balances").status_code == 404


def test_the_session_that_was_there_ends(button: Button, browser: httpx.Client) -> None:
    """One browser, one session: nobody plants theirs beside it, and none is left behind (session fixation)."""
    with button.api.database.writing() as session:
        old = a_session_token(session, a_user(session, "eve@example.org"), button.api.now)
    browser.cookies.set(NAME, old, domain="127.0.0.1", path="/")
    answer = button.press(browser)
    assert old not in answer.headers["set-cookie"]
    with button.api.database.reading() as session:
        assert sessions.identify(session, old, button.api.now) is None


def test_places_of_the_plan_are_counted(button: Button) -> None:
    assert [button.make(f"{name}@example.org").status_code for name in "abb"] == [201, 201, 201]
    refused = button.make("c@example.org")
    assert (refused.status_code, refused.json()["code"]) == (403, "limit_reached")
    assert (refused.json()["limit"], refused.json()["used"]) == (2, 2)


ELSEWHERE = (
    "https://evil.example", "//evil.example", "/\\evil.example", "/o/globex", "/o/acmeevil", "/o/acme/../globex",
    "/o/acme/%2e%2E/globex", "/admin", "javascript:alert(1)", "/o/acme\r\nX-Injected: 1", "/\t/evil.example",
)  # fmt: skip


def test_it_leads_nowhere_else(button: Button) -> None:
    for target in ELSEWHERE:
        answer = button.make(return_to=target)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_return_to"), target


def test_other_refusals(button: Button) -> None:
    assert button.make("no address").json()["code"] == "invalid_email"
    assert button.make(role="operator").json()["code"] == "invalid_role"
    assert button.make(role="king").json()["code"] == "invalid_fields"


def test_a_made_up_link_is_none(button: Button, browser: httpx.Client) -> None:
    for token in ("", "guess", "x" * 2_000):
        assert error_of(browser.get("/sign-in-link", params={"token": token}), "/sign-in") == "link_ended"


def test_only_its_hash_is_stored(button: Button) -> None:
    token = urlsplit(button.make().json()["url"]).query.removeprefix("token=")
    with button.api.database.reading() as session:
        for table in ("one_time_links", "audit_entries"):
            rows = session.connection().exec_driver_sql(f"SELECT * FROM {table}").all()
            assert rows
            assert token not in str(rows)
        assert organizations.by_address(session, "acme").pk == 1


class TestAnAccountOfSomebodyElse:
    """Whoever took a person's e-mail address first gets nothing that a product hands to that person."""

    VICTIM = "vic@example.org"

    def opens(self, browser: httpx.Client, address: str) -> int:
        """What the browser gets from an organization."""
        return browser.get(f"/organizations/{address}/balances").status_code

    def invited(self, button: Button, address: str, browser: httpx.Client) -> httpx.Response:
        """The organization invites the person, and this browser opens the link and chooses a password."""
        with button.api.database.writing() as session:
            organization = organizations.by_address(session, address)
            token = one_time_links.invite(session, organization.pk, self.VICTIM, Role.MEMBER, button.api.now)
        form = {"token": token, "name": "Eve", "password": PASSWORD}
        return browser.post("/accept-invitation", data=form)

    def test_another_organizations_admin_cannot_invite_themselves_in(self, button: Button, api: Api) -> None:
        with api.client() as victim, api.browser() as eve:
            button.press(victim, email=self.VICTIM, role="admin")
            assert self.invited(button, "globex", eve).headers["location"] == "/o/globex"
            assert (self.opens(eve, "globex"), self.opens(eve, "acme")) == (200, 404)
            assert (self.opens(victim, "globex"), self.opens(victim, "acme")) == (404, 200)
            button.press(victim, email=self.VICTIM)
            assert (self.opens(eve, "acme"), self.opens(victim, "acme")) == (404, 200)

    def test_nor_does_who_signed_up_with_the_address(self, button: Button, api: Api) -> None:
        with api.database.writing() as session:
            grants.change_plan(Context(session, organizations.by_address(session, "acme"), api.now), "pro")
            taken = a_session_token(session, a_user(session, self.VICTIM), api.now)
        with api.browser(taken) as eve, api.client() as victim:
            button.press(victim, email=self.VICTIM, role="admin")
            assert (self.opens(eve, "acme"), self.opens(victim, "acme")) == (404, 200)
            part = victim.post("/organizations/acme/suborganizations", json={"name": "P", "address": "part"},
                               headers={"Origin": api.url})  # fmt: skip
            assert part.status_code == 201
            assert self.opens(eve, "part") == 404
            with api.database.reading() as session:
                identity = sessions.identify(session, taken, api.now)
                assert identity is not None
                assert sessions.organizations_of(session, identity) == []

    def test_an_invitation_of_the_organization_itself_makes_it_theirs(self, button: Button, api: Api) -> None:
        with api.client() as by_link, api.browser() as person:
            button.press(by_link, email=self.VICTIM, role="billing")
            assert self.invited(button, "acme", person).headers["location"] == "/o/acme"
            assert person.get("/organizations/acme/ledger").status_code == 200, "the role is the one they had"

    def test_so_does_a_password_set_by_mail(self, button: Button, api: Api) -> None:
        with api.client() as by_link, api.browser() as person:
            button.press(by_link, email=self.VICTIM)
            with api.database.writing() as session:
                token = one_time_links.reset_link(session, self.VICTIM, api.now)
            person.post("/new-password", data={"token": token, "password": PASSWORD})
            assert self.opens(person, "acme") == 200

    def test_the_only_admin_who_came_by_a_link_is_one(self, button: Button) -> None:
        made = button.make(self.VICTIM, role="admin")
        assert made.status_code == 201
        (member,) = button.http.get("/organizations/acme/members").json()["items"]
        assert (member["role"], member["accepted_at"] is None) == ("admin", False)
        refused = button.http.delete(f"/organizations/acme/members/{member['id']}")
        assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")
