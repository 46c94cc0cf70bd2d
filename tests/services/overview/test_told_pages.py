"""Whatever changes an organization and is written in its audit log is told to its open pages in the same transaction.

Every entry of the log is itself shown on a page, so there is no such change that no page shows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from billing_app.db import Database
from billing_app.domain.common.access import Scope
from billing_app.services.access import api_keys
from billing_app.services.common import organizations
from billing_app.store.organizations.organizations import stored_id
from tests.support.builders import NOON, an_organization
from tests.support.source import dotted

SERVICES = Path(__file__).parents[3] / "billing_app" / "services"

TELLS = {"raise_revision", "raise_revisions", "_tell", "_follow", "grant"}
"""Calls that raise a revision, or that lead to one at once."""

ELSEWHERE = {
    "operators.make": "nobody's page is open on an organization that was not there",
    "sign_up.ask": "nobody's page is open on an organization that was not there",
    "gift_cards.redeem": "its grants raise it; a card without contents is none",
    "endings.decide": "endings._write raises it, for each organization that ends",
}
"""Functions that write an entry of an organization and leave the telling to what they call."""


@cache
def writers() -> dict[str, ast.FunctionDef]:
    """Functions that write an entry of an organization."""
    return dict(_writers())


def _writers() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in sorted(SERVICES.glob("*.py")):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "audit.record(" in text else ():
            if isinstance(node, ast.FunctionDef) and any(_records(each) for each in ast.walk(node)):
                yield f"{path.stem}.{node.name}", node


def _records(node: ast.AST) -> bool:
    """audit.record(session, somebody, ...): not None, which is the whole console."""
    return (
        isinstance(node, ast.Call)
        and dotted(node.func) == "audit.record"
        and ast.unparse(node.args[1]) not in ("None", "audit.CONSOLE")
    )


def test_services_that_write_are_found() -> None:
    assert {"api_keys.create", "api_keys.revoke", "members.invite", "overrides.put"} <= set(writers())


@pytest.mark.parametrize("name", writers())
def test_whoever_writes_an_entry_tells_open_pages(name: str) -> None:
    node = writers()[name]
    called = {ast.unparse(each.func).split(".")[-1] for each in ast.walk(node) if isinstance(each, ast.Call)}
    assert called & TELLS or name in ELSEWHERE


def test_a_key_made_or_revoked_anywhere_shows_on_open_pages(database: Database) -> None:
    def revision() -> int:
        with database.reading() as session:
            return organizations.revisions_by_address(session, ["acme"]).get("acme", 0)

    with database.writing() as session:
        owner = stored_id(an_organization(session, "acme"))
    before = revision()
    with database.writing() as session:
        made = api_keys.create(session, owner, "Program", [Scope.READ], "tests", NOON)
    assert revision() == before + 1
    with database.writing() as session:
        api_keys.revoke(session, owner, made.view.id, NOON, actor="tests")
    assert revision() == before + 2


OF_NO_PAGE = {
    "inbox.replay": "what Stripe sent is shown to operators, whose pages read anew", "inbox._write": "the same",
    "inbox._failed": "the same", "operator_mails.send": "mails to operators", "operator_mails._failed": "the same",
    "links.invite": "a person's link, shown once", "links.set_password": "the same", "links.make": "the same",
    "sessions.start": "a browser's session: its person's alone", "payment_account.confirm": "the console's own account",
    "meters.recompute": "figures that follow from facts, whose recording tells",
    "top_up_arming.look": "an attempt that begins tells; that it will is shown to nobody",
    "reconciliation._begin_or_resume": "runs are shown to operators; what they repair tells",
    "reconciliation._add": "the same", "reconciliation._checkpoint": "the same", "reconciliation._note": "the same",
    "reconciliation._close": "the same",
}  # fmt: skip
"""Services that write rows which no page of an organization shows by themselves."""


class Service(NamedTuple):
    """A function of a service: what it names, and whether it adds rows or raises a revision itself."""

    names: set[str]
    writes: bool
    tells: bool


def services() -> dict[str, Service]:
    """Every function of the services, with the functions of services that it names."""
    found = {}
    for path in sorted(SERVICES.glob("*.py")):
        tree = ast.parse(path.read_text())
        here: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("billing_app.services"):
                module = str(node.module).removeprefix("billing_app.services").removeprefix(".")
                here |= {each.asname or each.name: f"{module}.{each.name}".strip(".") for each in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                used = {dotted(each) for each in ast.walk(node)} - {""}
                heads = {name: name.partition(".") for name in used}
                names = {
                    here.get(head, f"{path.stem}.{head}" if not rest else "") + (f".{rest}" if rest else "")
                    for head, _, rest in heads.values()
                }
                tells = any(name.rpartition(".")[2] in ("raise_revision", "raise_revisions") for name in used)
                found[f"{path.stem}.{node.name}"] = Service(names, "session.add" in used, tells)
    return found


def test_every_service_that_writes_is_told_to_pages_by_itself_or_by_whoever_calls_it() -> None:
    """Also what has no entry in the audit log: reservations, deliveries, renewals, tops-up, refunds."""
    known = services()
    telling = {name for name, each in known.items() if each.tells}
    while more := {name for name, each in known.items() if name not in telling and each.names & telling}:
        telling |= more

    def is_told(name: str, seen: frozenset[str] = frozenset()) -> bool:
        callers = {other for other, each in known.items() if name in each.names} - {name} - seen
        return name in telling or (bool(callers) and all(is_told(other, seen | {name}) for other in callers))

    writing = {name for name, each in known.items() if each.writes}
    assert {"consumption.use", "deliveries._note", "recurring_packs._renew", "refunds._close"} <= writing
    assert {name for name in writing if not is_told(name)} == set(OF_NO_PAGE)
