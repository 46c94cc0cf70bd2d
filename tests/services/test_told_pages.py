"""Whatever changes an organization and is written in its audit log is told to its open pages in the same transaction.

Every entry of the log is itself shown on a page, so there is no such change that no page shows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from billing_app.db import Database
from billing_app.domain.access import Scope
from billing_app.services import api_keys, orgs
from billing_app.store.orgs import stored_id
from tests.builders import NOON, an_organization

SERVICES = Path(__file__).parents[2] / "billing_app" / "services"

TELLS = {"raise_revision", "raise_revisions", "_tell", "_follow", "grant"}
"""Calls that raise a revision, or that lead to one at once."""

ELSEWHERE = {
    "operators.make": "nobody's page is open on an organization that was not there",
    "sign_up.ask": "nobody's page is open on an organization that was not there",
    "gift_cards.redeem": "its grants raise it; a card without contents is none",
    "endings.decide": "endings._write raises it, for each organization that ends",
}
"""Functions that write an entry of an organization and leave the telling to what they call."""


def writers() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions that write an entry of an organization."""
    for path in sorted(SERVICES.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any(_records(each) for each in ast.walk(node)):
                yield f"{path.stem}.{node.name}", node


def _records(node: ast.AST) -> bool:
    """audit.record(session, somebody, ...): not None, which is the whole console."""
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) == "audit.record"
        and ast.unparse(node.args[1]) not in ("None", "audit.CONSOLE")
    )


def test_services_that_write_are_found() -> None:
    assert {"api_keys.create", "api_keys.revoke", "members.invite", "overrides.put"} <= {name for name, _ in writers()}


@pytest.mark.parametrize("name", [name for name, _ in writers()])
def test_whoever_writes_an_entry_tells_open_pages(name: str) -> None:
    node = dict(writers())[name]
    called = {ast.unparse(each.func).split(".")[-1] for each in ast.walk(node) if isinstance(each, ast.Call)}
    assert called & TELLS or name in ELSEWHERE


def test_a_key_made_or_revoked_anywhere_shows_on_open_pages(database: Database) -> None:
    def revision() -> int:
        with database.reading() as session:
            return orgs.revisions_by_address(session, ["acme"]).get("acme", 0)

    with database.writing() as session:
        owner = stored_id(an_organization(session, "acme"))
    before = revision()
    with database.writing() as session:
        made = api_keys.create(session, owner, "Program", [Scope.READ], "tests", NOON)
    assert revision() == before + 1
    with database.writing() as session:
        api_keys.revoke(session, owner, made.view.id, NOON, actor="tests")
    assert revision() == before + 2
