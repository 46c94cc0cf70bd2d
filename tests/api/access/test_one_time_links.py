"""One-time links: the first operator, a new password, an invitation."""

from __future__ import annotations

from typing import ClassVar

from billing_app.domain.common.access import Role
from billing_app.services.access import one_time_links, sessions
from billing_app.services.access.cookies import NAME
from billing_app.services.access.one_time_links import LASTS
from billing_app.services.access.views import Kind
from billing_app.store.access import users as user_store
from tests.api.conftest import Api, error_of
from tests.support.builders import NOON, PASSWORD, a_session_token, a_user, an_organization

ANOTHER_PASSWORD = "an even wetter Wednesday"


class TestSetUp:
    """The first operator, by the link that the start command prints."""

    FORM: ClassVar = {"email": "grace@example.org", "name": "Grace", "password": ANOTHER_PASSWORD}

    def test_the_link_makes_the_operator_and_signs_in(self, api: Api) -> None:
        with api.database.writing() as session:
            token = one_time_links.set_up_link(session, NOON)
        with api.browser() as browser:
            answer = browser.post("/set-up", data={**self.FORM, "token": token})
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            with api.database.reading() as session:
                identity = sessions.identify(session, browser.cookies[NAME], NOON)
        assert identity is not None
        assert (identity.email, identity.operator) == ("grace@example.org", True)

    def test_it_works_once(self, api: Api) -> None:
        with api.database.writing() as session:
            token = one_time_links.set_up_link(session, NOON)
        with api.browser() as browser:
            browser.post("/set-up", data={**self.FORM, "token": token})
            again = browser.post("/set-up", data={**self.FORM, "email": "mallory@example.org", "token": token})
        assert error_of(again, "/set-up") == "link_ended"

    def test_there_is_no_link_once_there_is_an_operator(self, api: Api) -> None:
        with api.database.writing() as session:
            old = one_time_links.set_up_link(session, NOON)
            a_user(session, operator=True)
            assert one_time_links.set_up_link(session, NOON) is None
        with api.browser() as browser:
            answer = browser.post("/set-up", data={**self.FORM, "token": old})
        assert error_of(answer, "/set-up") == "link_ended"

    def test_nobody_becomes_operator_by_a_guess(self, api: Api) -> None:
        with api.browser() as browser:
            answer = browser.post("/set-up", data={**self.FORM, "token": "guess"})
        assert error_of(answer, "/set-up") == "link_ended"

    def test_a_weak_password_leaves_the_link_usable(self, api: Api) -> None:
        with api.database.writing() as session:
            token = one_time_links.set_up_link(session, NOON)
        with api.browser() as browser:
            weak = browser.post("/set-up", data={**self.FORM, "password": "short", "token": token})
            assert error_of(weak, "/set-up") == "weak_password"
            assert f"token={token}" in weak.headers["location"]
            assert browser.post("/set-up", data={**self.FORM, "token": token}).headers["location"] == "/"

    def test_a_newer_link_replaces_the_older(self, api: Api) -> None:
        with api.database.writing() as session:
            old, new = one_time_links.set_up_link(session, NOON), one_time_links.set_up_link(session, NOON)
        with api.browser() as browser:
            assert error_of(browser.post("/set-up", data={**self.FORM, "token": old}), "/set-up") == "link_ended"
            assert browser.post("/set-up", data={**self.FORM, "token": new}).headers["location"] == "/"


class TestNewPassword:
    """A new password by a link that `billing user reset-password` printed."""

    def test_it_signs_in_and_ends_every_other_session(self, api: Api, ada: str) -> None:
        with api.database.writing() as session:
            user = user_store.by_email(session, ada)
            assert user is not None
            elsewhere = a_session_token(session, user)
            token = one_time_links.reset_link(session, ada, NOON)
        with api.browser() as browser:
            answer = browser.post("/new-password", data={"token": token, "password": ANOTHER_PASSWORD})
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
        with api.database.reading() as session:
            assert sessions.identify(session, elsewhere, NOON) is None
        with api.browser() as browser:
            old = browser.post("/sign-in", data={"email": ada, "password": PASSWORD})
            assert error_of(old, "/sign-in") == "wrong_password"
            assert (
                browser.post("/sign-in", data={"email": ada, "password": ANOTHER_PASSWORD}).headers["location"] == "/"
            )

    def test_it_ends(self, api: Api, ada: str) -> None:
        with api.database.writing() as session:
            token = one_time_links.reset_link(session, ada, NOON)
        api.now = NOON + LASTS[Kind.NEW_PASSWORD]
        with api.browser() as browser:
            answer = browser.post("/new-password", data={"token": token, "password": ANOTHER_PASSWORD})
        assert error_of(answer, "/new-password") == "link_ended"

    def test_a_link_of_another_kind_does_not_fit(self, api: Api, ada: str) -> None:
        with api.database.writing() as session:
            token = one_time_links.set_up_link(session, NOON)
        with api.browser() as browser:
            answer = browser.post("/new-password", data={"token": token, "password": ANOTHER_PASSWORD})
        assert error_of(answer, "/new-password") == "link_ended"


class TestInvitation:
    """Joining an organization."""

    def invite(self, api: Api, email: str, role: Role = Role.BILLING) -> str:
        with api.database.writing() as session:
            globex = an_organization(session, "globex")
            return one_time_links.invite(session, globex.id or 0, email, role, NOON)

    def test_a_new_person_chooses_a_name_and_a_password(self, api: Api) -> None:
        token = self.invite(api, "new@example.org")
        with api.browser() as browser:
            answer = browser.post(
                "/accept-invitation", data={"token": token, "name": "Newton", "password": ANOTHER_PASSWORD}
            )
            assert (answer.status_code, answer.headers["location"]) == (303, "/o/globex")
            with api.database.reading() as session:
                identity = sessions.identify(session, browser.cookies[NAME], NOON)
                access = sessions.authorize(session, identity, "globex", NOON)
        assert (access.role, access.identity.name) == (Role.BILLING, "Newton")

    def test_whoever_has_the_link_does_not_become_somebody_with_a_password(self, api: Api, ada: str) -> None:
        token = self.invite(api, ada)
        with api.browser() as browser:
            answer = browser.post("/accept-invitation", data={"token": token, "password": ANOTHER_PASSWORD})
            assert error_of(answer, "/invitation") == "wrong_password"
            assert NAME not in browser.cookies
        with api.browser() as browser:
            proved = browser.post("/accept-invitation", data={"token": token, "password": PASSWORD})
        assert proved.headers["location"] == "/o/globex"

    def test_who_is_signed_in_already_needs_no_password(self, api: Api, ada: str) -> None:
        token = self.invite(api, ada)
        with api.database.writing() as session:
            user = user_store.by_email(session, ada)
            assert user is not None
            signed_in = a_session_token(session, user)
        with api.browser(signed_in) as browser:
            answer = browser.post("/accept-invitation", data={"token": token})
        assert answer.headers["location"] == "/o/globex"

    def test_looking_at_a_link_does_not_use_it_up(self, api: Api) -> None:
        token = self.invite(api, "new@example.org")
        with api.database.reading() as session:
            for _ in range(2):
                view = one_time_links.look(session, token, Kind.INVITATION, NOON)
        assert (view.email, view.organization, view.role, view.has_password) == (
            "new@example.org",
            "globex",
            "billing",
            False,
        )
