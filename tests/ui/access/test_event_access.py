"""Who may send which event: every handler of every page, with the services and a real database behind it.

Handlers are called as a browser's websocket calls them, by every kind of caller and with arguments of their own choice.
A handler without a row fails, and so does a row without a handler.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import reflex as rx
from sqlalchemy import MetaData

from billing_app import clock, schema
from billing_app.db import Database
from billing_app.domain.common.access import ADMIN_ROLES, ALL_ROLES, MONEY_ROLES, Role
from billing_app.services.access import sessions, sign_in_links
from billing_app.services.access.cookies import HASH_NAME
from billing_app.services.common.context import Context
from billing_app.services.common.secrets import digest
from billing_app.ui.access.session import GUARD
from tests.support.builders import a_session_token, a_user, an_organization, the_catalogue
from tests.ui.states import opened, pages, served_from

SECRET_NAME = "Acme of the locked room"
"""Acme's name, which nobody may read who is not of acme."""

OPERATORS = frozenset({Role.OPERATOR})
PUBLIC = None

MATRIX: dict[frozenset[Role] | None, dict[str, str]] = {
    PUBLIC: {
        "EntranceState": "sign_in open_link go_home",
        "CreateOrganizationState": "open propose create_organization",
        "GuardedPage": "fail",
    },
    ALL_ROLES: {
        "CreditsState": "load",
        "FeaturesState": "load",
        "OrganizationState": "load leave open ask close",
        "OverviewState": "load",
        "ProcessPageState": "enter load go",
        "ProcessesState": "load",
        "UsageState": "load pick",
    },
    MONEY_ROLES: {
        "BuyState": "load change cover take pay",
        "CardsState": "ask close redeem convert",
        "ExplainState": "load choose",
        "LedgerState": "load search",
        "PlanState": "load arrive choose ask close confirm manage",
        "RenewalsState": "arrive edit weigh switch agree card choose renew",
        "CheckoutReturnState": "load settle",
    },
    ADMIN_ROLES: {
        "AlertsState": "load choose choose_person open_adding add rotate hide_secret enable delete test resend",
        "FeaturesState": "switch",
        "OrganizationState": (
            "save invite renew change_role create_child create_key act end_organization keep_organization"
        ),
        "ProcessPageState": "fill choose ask add drop save publish discard end",
    },
    OPERATORS: {
        "AuditState": "load search",
        "CatalogueState": (
            "load show_part edit add take_out move discard take_newer open_file restore review close_review save push"
        ),
        "CustomerState": "load reckon give_back load_again",
        "GiftCardsState": "load ask close make save_codes void",
        "ManualChangesState": "ask close act",
        "OrganizationsState": "load search",
        "ReconciliationState": "load run watch",
        "RecountsState": "load run",
        "StripeEventsState": "load search replay",
    },
}
"""Who gets through: members, who may pay, admins (operators get through all of these), operators alone."""

ROWS = {
    f"{state}.{name}": roles
    for roles, states in MATRIX.items()
    for state, names in states.items()
    for name in names.split()
}

OF_ACME = {"member": Role.MEMBER, "billing": Role.BILLING, "admin": Role.ADMIN}
STRANGERS = ("anonymous", "signed_out", "ended", "other_admin", "other_link", "made_up")
CALLERS = (*STRANGERS, *OF_ACME, "operator")

TABLES_OF_SIGNING_IN = {"sessions"}
"""That a session was used is noted whatever became of the event."""

LONGEST_S = 5.0
"""Some handlers watch something until it is over; that is long enough to see whether they were let in."""


@dataclass(frozen=True)
class Answer:
    """What came of one event."""

    problem: str
    result: str
    shown: str

    @property
    def asked_to_sign_in(self) -> bool:
        """Whether the browser is sent to the sign-in page."""
        return "/sign-in?next=" in self.result


def handlers() -> dict[str, tuple[type[rx.State], Any]]:
    """Every handler of every state of ours, by name."""
    return {
        f"{state.__name__}.{name}": (state, found)
        for state in pages()
        for name, found in vars(state).items()
        if type(found).__name__ == "EventHandler"
    }


@pytest.fixture
def cookies(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The Cookie header of every caller, as Reflex sees it; pages are served from this test's database."""
    the_catalogue(database)
    now = clock.now()
    with database.writing() as session:
        acme, globex = an_organization(session, "acme"), an_organization(session, "globex")
        acme.name = SECRET_NAME
        session.add(acme)
        users = {
            name: a_user(session, f"{name}@acme.example", member_of=acme, role=role) for name, role in OF_ACME.items()
        }
        users["other_admin"] = a_user(session, "admin@globex.example", member_of=globex)
        users["operator"] = a_user(session, "op@example.org", operator=True)
        users["signed_out"] = a_user(session, "left@acme.example", member_of=acme)
        users["ended"] = a_user(session, "idle@acme.example", member_of=acme)
        tokens = {name: a_session_token(session, user, now) for name, user in users.items()}
        sessions.sign_out(session, tokens["signed_out"])
        tokens["ended"] = sessions.start(session, users["ended"], now - sessions.IDLE).token
        link = sign_in_links.create(Context(session, globex, now, "tests"), "admin@acme.example", Role.ADMIN, "")
        tokens["other_link"] = sign_in_links.follow(session, link.token, now).signed_in.token
        tokens["made_up"] = "x" * 43
    # A background handler holds its state through a proxy, which the event loop of the real app makes.
    monkeypatch.setattr(rx.State, "__aenter__", _itself, raising=False)
    monkeypatch.setattr(rx.State, "__aexit__", _nothing, raising=False)
    with served_from(database):
        yield {name: f"{HASH_NAME}={digest(token)}" for name, token in tokens.items()} | {"anonymous": ""}


async def _itself(state: rx.State) -> rx.State:
    return state


async def _nothing(_state: rx.State, *_error: object) -> None:
    return None


def send(name: str, cookie: str) -> Answer:
    """Sends an event about acme, with arguments of the declared types."""
    state_class, found = handlers()[name]
    path = "/admin/organizations/acme" if ROWS[name] == OPERATORS else "/o/acme/x"
    state: Any = opened(state_class, path, cookie)
    values = {"str": "acme", "int": 1, "bool": True, "dict": {"name": "Taken over", "email": "eve@example.org"}}
    given = [
        values.get(getattr(each.annotation, "__name__", str(each.annotation)), "acme")
        for each in list(inspect.signature(found.fn).parameters.values())[1:]
    ]
    result = asyncio.run(_within(found.fn(state, *given)))
    return Answer(state.problem if hasattr(state, "problem") else "", str(result), str(state.dict()))


async def _within(work: Any) -> Any:
    """The result of a handler, or all that it yields."""
    results: list[Any] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_S):
            if inspect.isasyncgen(work):
                results = [each async for each in work]
            elif inspect.isawaitable(work):
                results = [await work]
            else:
                results = list(work) if inspect.isgenerator(work) else [work]
    return results


def content(database: Database) -> dict[str, list[str]]:
    """Everything that is stored, but for who was seen when."""
    metadata: MetaData = schema.metadata()
    with database.reading() as session:
        return {
            table.name: sorted(str(row) for row in session.connection().execute(table.select()))
            for table in metadata.sorted_tables
            if table.name not in TABLES_OF_SIGNING_IN
        }


def test_every_handler_has_a_row() -> None:
    found = handlers().keys()
    assert found - ROWS.keys() == set(), "handlers without a row: say who may send these events"
    assert ROWS.keys() - found == set(), "rows without a handler"


def test_every_guard_is_what_its_row_says() -> None:
    guards = {name: getattr(found.fn, GUARD, "no guard") for name, (_, found) in handlers().items()}
    said = {name: None if isinstance(guard, str) and guard != "no guard" else guard for name, guard in guards.items()}
    assert said == ROWS


@pytest.mark.parametrize("caller", STRANGERS)
def test_strangers_change_nothing_and_read_nothing(database: Database, cookies: dict[str, str], caller: str) -> None:
    before = content(database)
    let_in = []
    for name, roles in ROWS.items():
        if roles is PUBLIC:
            continue
        answer = send(name, cookies[caller])
        if SECRET_NAME in answer.shown or SECRET_NAME in answer.result:
            let_in.append(name)
    assert let_in == []
    assert content(database) == before


@pytest.mark.parametrize("caller", [*OF_ACME])
def test_members_get_no_further_than_their_role(database: Database, cookies: dict[str, str], caller: str) -> None:
    before = content(database)
    wrong = []
    for name, roles in ROWS.items():
        if roles is PUBLIC or OF_ACME[caller] in roles:
            continue
        answer = send(name, cookies[caller])
        if answer.problem == "broken" or answer.asked_to_sign_in:
            wrong.append((name, answer.problem))
        if name.endswith((".load", ".enter")) and answer.problem not in ("forbidden", "not_found"):
            wrong.append((name, "let in"))
        if roles == OPERATORS and SECRET_NAME in answer.shown:
            wrong.append((name, "read"))
    assert wrong == []
    assert content(database) == before


@pytest.mark.parametrize("caller", [*OF_ACME, "operator"])
def test_whoever_may_is_let_in(cookies: dict[str, str], caller: str) -> None:
    """Reading: what changes something has tests of its own."""
    refused = []
    for name, roles in ROWS.items():
        if roles is PUBLIC or not name.endswith((".load", ".enter")):
            continue
        if caller == "operator" or (roles is not None and OF_ACME[caller] in roles):
            answer = send(name, cookies[caller])
            if answer.problem == "forbidden" or answer.asked_to_sign_in:
                refused.append((name, answer.problem))
    assert refused == []
