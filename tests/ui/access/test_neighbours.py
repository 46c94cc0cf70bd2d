"""Events with ids of another organization, in arguments and in the page's URL, while the path names one's own."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any
from urllib.parse import quote

import pytest

from billing_app import clock, schema
from billing_app.db import Database
from billing_app.domain.common.access import Role
from billing_app.services.access import one_time_links
from billing_app.services.common import organizations
from billing_app.ui.organizations.page import QUESTIONS, OrganizationState
from billing_app.ui.processes.process import ProcessPageState
from tests.support.neighbour import SECRET, Neighbour, a_neighbour, rows_of
from tests.ui.access.test_event_access import ROWS, _within, cookies, handlers
from tests.ui.states import opened

__all__ = ["cookies"]

ADMINS = [name for name, roles in ROWS.items() if roles is not None and Role.ADMIN in roles]
"""Events that an organization's admin may send."""

FORM = ("id", "address", "name", "parent", "email", "member", "role", "metric", "code", "pack")
"""Names of fields in forms."""


@pytest.fixture
def neighbour(database: Database, cookies: dict[str, str]) -> Neighbour:
    assert cookies
    with database.writing() as session:
        return a_neighbour(session, clock.now(), "initech")


def arguments(handler: Any, value: str) -> list[Any] | None:
    """What a handler may be told, `value` wherever a text goes; None if it takes no texts."""
    kinds = [each.annotation for each in list(inspect.signature(handler.fn).parameters.values())[1:]]
    names = [getattr(kind, "__name__", str(kind)) for kind in kinds]
    given: dict[str, Any] = {"str": value, "int": 1, "bool": True, "dict": dict.fromkeys(FORM, value)}
    return [given.get(name, value) for name in names] if {"str", "dict"} & set(names) else None


def urls(ids: dict[str, str]) -> list[str]:
    """Pages that read an id from their address."""
    words = "&".join(f"{name}={value}" for name, value in ids.items())
    return [
        f"/o/acme/processes/{ids['process_id']}?{words}",
        f"/o/acme/credits/bought?session_id={ids['session_id']}&session={ids['session_id']}",
        f"/o/acme/ledger?grant={ids['grant']}&entry=1&metric=emails",
        f"/o/acme/alerts?delivery={ids['delivery_id']}",
        f"/o/acme/plan?session_id={ids['session_id']}",
        f"/o/acme/credits/renewals?card={ids['session_id']}",
    ]


def owner_of(database: Database, neighbour: Neighbour) -> int:
    with database.reading() as session:
        return organizations.by_address(session, neighbour.address).pk


def test_ids_in_events_find_nothing(database: Database, cookies: dict[str, str], neighbour: Neighbour) -> None:
    owner = owner_of(database, neighbour)
    before = rows_of(database, owner)
    read = []
    for name in ADMINS:
        state_class, found = handlers()[name]
        targets = urls(neighbour.ids) if name.endswith((".load", ".enter", ".settle", ".arrive")) else ["/o/acme/x"]
        told = {str(arguments(found, each)): arguments(found, each) for each in neighbour.ids.values()}
        for url in targets:
            for given in told.values():
                state: Any = opened(state_class, url, cookies["admin"])
                if state_class is ProcessPageState:
                    state._process = neighbour.ids["process_id"]  # what `enter` reads from the URL
                result = asyncio.run(_within(found.fn(state, *(given or []))))
                said = (str(state.dict()) + str(result)).replace(neighbour.ids["email"], "")
                if SECRET in said.replace(quote(neighbour.ids["email"], safe=""), ""):  # what was sent may come back
                    read.append((name, url, given))
    assert read == []
    assert rows_of(database, owner) == before


def test_nor_does_a_question_that_is_then_answered(
    database: Database, cookies: dict[str, str], neighbour: Neighbour
) -> None:
    owner = owner_of(database, neighbour)
    before = rows_of(database, owner)
    for what in QUESTIONS:
        for target in neighbour.ids.values():
            state: Any = opened(OrganizationState, "/o/acme/organization", cookies["admin"])
            asyncio.run(state.ask(what, target, "x"))
            assert state.asked.target == target
            asyncio.run(state.act())
            assert SECRET not in str(state.dict()).replace(neighbour.ids["email"], "")
    assert rows_of(database, owner) == before


def secrets_of(database: Database) -> set[str]:
    """Every stored hash and secret."""
    with database.reading() as session:
        return {
            str(value)
            for table in schema.metadata().sorted_tables
            for column in table.c
            if column.name.endswith(("_hash", "secret"))
            for (value,) in session.connection().execute(table.select().with_only_columns(column))
            if value
        }


def test_no_page_has_a_hash_or_a_secret_in_its_state(
    database: Database, cookies: dict[str, str], neighbour: Neighbour
) -> None:
    """All that a state holds is sent to the browser."""
    with database.writing() as session:
        link = one_time_links.reset_link(session, neighbour.ids["email"], clock.now())
    hidden = secrets_of(database) | {link}
    assert len(hidden) > 10
    shown, read = [], set()
    for name, roles in ROWS.items():
        if roles is not None and name.endswith((".load", ".enter")):
            state_class, found = handlers()[name]
            path = "/admin/organizations/initech" if Role.ADMIN not in roles else "/o/initech/x"
            state: Any = opened(state_class, path, cookies["operator"])
            asyncio.run(_within(found.fn(state)))
            shown += [(name, value) for value in hidden if value in str(state.dict())]
            read |= {name} if SECRET in str(state.dict()) else set()
    assert {"AlertsState.load", "OrganizationState.load", "CreditsState.load"} <= read, "pages were really read"
    assert shown == []
