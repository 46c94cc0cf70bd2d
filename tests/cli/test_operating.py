"""What an operator does by hand, read as a program reads it: with --json."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from billing_app import wiring
from billing_app.cli import main
from billing_app.db import Database
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import gift_cards
from tests.support.builders import NOON, an_organization, the_catalogue

REFUSED = 2

Billing = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def database_of_the_command(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The commands work on the test's database."""
    monkeypatch.setattr(wiring, "database", lambda: database)
    monkeypatch.setenv("COLUMNS", "200")
    the_catalogue(database)
    with database.writing() as session:
        an_organization(session, "acme")
    yield


@pytest.fixture
def billing(capsys: pytest.CaptureFixture[str]) -> Billing:
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


def told(billing: Billing, *arguments: str) -> Any:
    """What a command says as JSON."""
    code, out, err = billing(*arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def test_from_an_organization_to_its_members(billing: Billing) -> None:
    made = told(billing, "organization", "create", "New Co", "--address", "newco", "--plan", "pro")
    assert (made["address"], made["plan"]) == ("newco", "pro")
    invited = told(billing, "member", "invite", "newco", "ada@example.org", "--role", "admin")
    assert "/accept-invitation" in invited["link"] or "token=" in invited["link"]
    told(billing, "member", "set-role", "newco", "ada@example.org", "billing")
    (member,) = told(billing, "member", "list", "newco")["items"]
    assert (member["email"], member["role"], member["accepted_at"]) == ("ada@example.org", "billing", None)
    told(billing, "member", "remove", "newco", "ada@example.org")
    assert told(billing, "member", "list", "newco")["items"] == []
    (found,) = told(billing, "organization", "list", "--search", "new co")["items"]
    assert (found["plan"], found["members"]) == ("Pro", 0)


def test_a_plan_and_an_override(billing: Billing) -> None:
    told(billing, "organization", "set-plan", "acme", "pro", "--reason", "agreed")
    put = told(billing, "organization", "override", "acme", "limit", "memberships", "unlimited", "--reason", "a pilot")
    assert put["value"] is None
    told(billing, "organization", "end-override", "acme", "limit", "memberships")
    (row,) = told(billing, "organization", "list-overrides", "acme")["items"]
    assert row["ended_at"] is not None


def test_credits_by_hand(billing: Billing) -> None:
    give = ("grant", "create", "acme", "mau", "500", "--reason", "an outage", "--key", "once")
    first, again = told(billing, *give), told(billing, *give)
    assert first["id"] == again["id"]
    (listed,) = told(billing, "grant", "list", "acme")["items"]
    assert (listed["left"], listed["reason"]) == (500, "an outage")
    told(billing, "grant", "void", first["id"], "--reason", "a mistake")
    assert told(billing, "grant", "list", "acme", "--metric", "mau")["items"][0]["left"] == 0


def test_a_gift_card_that_can_be_redeemed(billing: Billing, database: Database) -> None:
    (card,) = told(billing, "gift-card", "create", "Welcome", "--holds", "mau=100", "--holds", "token=2")["items"]
    with database.writing() as session:
        gift_cards.redeem(Context(session, organizations.by_address(session, "acme"), NOON, ""), card["code"])
    (listed,) = told(billing, "gift-card", "list")["items"]
    assert (listed["state"], "code" in listed) == ("used_up", False)
    assert told(billing, "gift-card", "redemptions", card["id"])["items"][0]["address"] == "acme"
    assert told(billing, "gift-card", "void", card["id"], "--reason", "done")["state"] == "void"


def test_codes_are_printed_alone_so_that_a_script_can_take_them(billing: Billing) -> None:
    code, out, err = billing("gift-card", "create", "Welcome", "--holds", "sms=1", "--count", "3")
    assert (code, len(out.splitlines()), "not shown again" in err) == (0, 3, True)


def test_versions_of_the_catalogue_are_listed_and_restored(billing: Billing) -> None:
    (first,) = told(billing, "catalogue", "versions")["items"]
    assert (first["version"], first["in_force"]) == (1, True)
    assert told(billing, "catalogue", "restore", "1")["written"] is False


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("grant", "create", "acme", "mau", "5", "--reason", " "), "Say why"),
        (("grant", "create", "acme", "mau", "5", "--reason", "x", "--until", "soon"), "A moment is written like"),
        (("grant", "void", "gr_none", "--reason", "x"), "There is no grant"),
        (("organization", "set-plan", "acme", "none", "--reason", "x"), "There is no plan"),
        (("organization", "override", "acme", "size", "x", "1", "--reason", "x"), "What is overridden"),
        (("organization", "override", "acme", "limit", "memberships", "many", "--reason", "x"), "A value is"),
        (("member", "invite", "acme", "ada@example.org", "--role", "boss"), "A role is"),
        (("member", "remove", "acme", "ada@example.org"), "ada@example.org is not a member"),
        (("gift-card", "create", "Welcome", "--holds", "mau"), "'mau' is not METRIC=QUANTITY"),
        (("gift-card", "void", "none", "--reason", "x"), "'none' is not the id"),
        (("catalogue", "restore", "99"), "There is no version 99"),
    ],
)
def test_a_mistake_is_one_sentence(billing: Billing, arguments: tuple[str, ...], sentence: str) -> None:
    code, out, err = billing(*arguments)
    assert (code, out) == (REFUSED, "")
    assert err.startswith(sentence)
    assert err.count("\n") == 1


def test_the_audit_log_of_an_organization_is_told_in_sentences(billing: Billing) -> None:
    billing("organization", "override", "acme", "feature", "whiteLabel", "1", "--reason", "Trial")
    code, said, _ = billing("organization", "audit", "acme", "--count", "1", "--json")
    assert code == 0
    (entry,) = json.loads(said)["items"]
    assert entry["said"] == (
        "An operator at the command line overrode the feature whiteLabel: 1, “Trial”, without an end."
    )
