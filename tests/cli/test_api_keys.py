"""`billing api-key` and `billing user`: what an operator does by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from billing_app import clock, wiring
from billing_app.cli import main
from billing_app.db import Database
from billing_app.domain.common.access import Scope
from billing_app.services.access import api_keys, one_time_links, sign_in_throttle, users
from billing_app.services.access.views import Kind
from tests.support.builders import PASSWORD, a_user, an_organization

REFUSED = 2


@pytest.fixture(autouse=True)
def database_of_the_command(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The commands work on the test's database."""
    monkeypatch.setattr(wiring, "database", lambda: database)
    monkeypatch.setenv("COLUMNS", "200")
    with database.writing() as session:
        an_organization(session, "acme")
    yield


@pytest.fixture
def billing(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs `billing ...` and gives exit code, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            main(arguments)
        except SystemExit as stop:
            code = int(stop.code or 0)
        else:
            code = 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


Billing = Callable[..., tuple[int, str, str]]


class TestApiKeys:
    """Keys for programs."""

    def test_a_key_is_printed_alone_so_that_a_script_can_take_it(self, billing: Billing, database: Database) -> None:
        code, out, err = billing("api-key", "create", "acme")
        assert code == 0
        assert "not shown again" in err
        with database.reading() as session:
            holder = api_keys.identify(session, out.strip(), clock.now())
        assert holder is not None
        assert holder.scopes == {Scope.USAGE_WRITE, Scope.CHECK, Scope.READ}

    def test_scopes_are_chosen(self, billing: Billing) -> None:
        _, out, _ = billing("api-key", "create", "acme", "--name", "backend", "--scope", "check", "--json")
        made = json.loads(out)
        assert (made["name"], made["scopes"], made["operator"]) == ("backend", ["check"], False)
        assert made["key"].startswith("bk_live_")

    def test_the_list_tells_keys_apart_without_showing_them(self, billing: Billing) -> None:
        secret = json.loads(billing("api-key", "create", "acme", "--json")[1])["key"]
        _, listed, _ = billing("api-key", "list", "acme")
        assert secret not in listed
        assert f"{secret[:12]}...{secret[-4:]}" in listed

    def test_a_revoked_key_opens_nothing(self, billing: Billing, database: Database) -> None:
        made = json.loads(billing("api-key", "create", "acme", "--json")[1])
        assert billing("api-key", "revoke", made["id"], "acme")[1] == "Revoked.\n"
        with database.reading() as session:
            assert api_keys.identify(session, made["key"], clock.now()) is None
        listed = json.loads(billing("api-key", "list", "acme", "--json")[1])["items"]
        assert listed[0]["revoked_at"] is not None

    def test_another_organizations_key_cannot_be_revoked(self, billing: Billing, database: Database) -> None:
        with database.writing() as session:
            an_organization(session, "globex")
        made = json.loads(billing("api-key", "create", "acme", "--json")[1])
        code, _, err = billing("api-key", "revoke", made["id"], "globex")
        assert (code, err) == (REFUSED, "There is no such API key.\n")

    def test_the_operators_key_names_no_organization(self, billing: Billing, database: Database) -> None:
        _, out, _ = billing("api-key", "create", "--operator")
        with database.reading() as session:
            holder = api_keys.identify(session, out.strip(), clock.now())
        assert holder is not None
        assert holder.operator

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (("create", "nowhere"), "There is no organization nowhere."),
            (("create",), "Name an organization's address, or say --operator."),
            (("create", "acme", "--operator"), "Name an organization's address, or say --operator."),
            (("create", "acme", "--scope", "everything"), "A key's scopes are one or more of"),
            (("revoke", "none", "acme"), "'none' is not the id of a key."),
        ],
    )
    def test_a_mistake_is_one_sentence(self, billing: Billing, arguments: tuple[str, ...], sentence: str) -> None:
        code, out, err = billing("api-key", *arguments)
        assert (code, out) == (REFUSED, "")
        assert err.startswith(sentence)
        assert err.count("\n") == 1

    @pytest.mark.parametrize("command", ["create", "list", "revoke"])
    def test_help_shows_an_example(self, billing: Billing, command: str) -> None:
        assert f"Example: billing api-key {command}" in billing("api-key", command, "--help")[1]


class TestUsers:
    """People who sign in."""

    def token_in(self, link: str) -> str:
        target = urlsplit(link.strip())
        assert target.path == "/new-password"
        return parse_qs(target.query)["token"][0]

    def test_a_new_person_chooses_a_password_by_a_link(self, billing: Billing, database: Database) -> None:
        code, out, err = billing("user", "create", "Ada@Example.org", "--organization", "acme", "--role", "admin")
        assert code == 0
        assert "60 minutes" in err
        with database.reading() as session:
            view = one_time_links.look(session, self.token_in(out), Kind.NEW_PASSWORD, clock.now())
        assert view.email == "ada@example.org"
        listed = json.loads(billing("user", "list", "--json")[1])["items"]
        assert listed[0]["organizations"] == {"acme": "admin"}
        assert not listed[0]["has_password"]

    def test_a_password_comes_from_standard_input(
        self, billing: Billing, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        _, out, _ = billing("user", "create", "op@example.org", "--operator", "--password-stdin")
        assert out == "op@example.org can sign in now.\n"
        with database.writing() as session:
            attempt = sign_in_throttle.begin(session, "op@example.org", "", clock.now())
            assert users.by_email(session, "op@example.org").operator
        assert sign_in_throttle.proves(attempt, PASSWORD)

    def test_a_forgotten_password_is_replaced_by_a_link(self, billing: Billing, database: Database) -> None:
        with database.writing() as session:
            a_user(session, "ada@example.org")
        _, out, _ = billing("user", "reset-password", "ada@example.org")
        with database.reading() as session:
            assert one_time_links.look(session, self.token_in(out), Kind.NEW_PASSWORD, clock.now())

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (("reset-password", "nobody@example.org"), "There is no user nobody@example.org."),
            (("create", "nobody"), "'nobody' is not an e-mail address."),
            (("create", "a@example.org", "--organization", "nowhere"), "There is no organization nowhere."),
            (("create", "a@example.org", "--organization", "acme", "--role", "operator"), "A role is admin"),
        ],
    )
    def test_a_mistake_is_one_sentence_and_changes_nothing(
        self, billing: Billing, arguments: tuple[str, ...], sentence: str
    ) -> None:
        code, out, err = billing("user", *arguments)
        assert (code, out) == (REFUSED, "")
        assert err.startswith(sentence)
        assert json.loads(billing("user", "list", "--json")[1])["items"] == []
