"""Making an organization on its page, with the services and a real database behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.access import Role
from billing_app.services.access import members, sessions, sign_in_links
from billing_app.services.access.cookies import HASH_NAME
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.common.secrets import digest
from billing_app.services.organizations import create
from billing_app.services.organizations.profiles import validated
from billing_app.store.organizations import organizations as org_store
from billing_app.ui.organizations.create import CreateOrganizationState, countries, time_zones
from billing_app.ui.sign_in.page import EntranceState
from tests.support.builders import a_session_token, a_user, an_organization, the_catalogue
from tests.ui.states import opened, served_from

ROBIN = "robin@example.org"


@pytest.fixture
def cookie(database: Database) -> Iterator[str]:
    """Robin is signed in and in no organization; `acme` is there."""
    the_catalogue(database)
    with database.writing() as session:
        an_organization(session, "acme")
        token = a_session_token(session, a_user(session, ROBIN), clock.now())
    with served_from(database):
        yield f"{HASH_NAME}={digest(token)}"


def the_form(cookie: str) -> Any:
    """The page, opened."""
    state: Any = opened(CreateOrganizationState, "/new-organization", cookie)
    sent_to = asyncio.run(state.open())
    assert sent_to is None, sent_to
    return state


def send(state: Any, **fields: Any) -> str:
    """Sends the form; where that leads."""
    return str(asyncio.run(state.create_organization(fields)) or "")


def test_a_name_is_enough_and_whoever_makes_it_is_its_admin(database: Database, cookie: str) -> None:
    state = the_form(cookie)
    assert (state.email, state.why_not, state.home_href) == (ROBIN, "", "")
    asyncio.run(state.propose("Ünder Ash & Söhne"))
    assert state.proposed == "under-ash-sohne"
    assert "/o/under-ash-sohne" in send(state, name="Ünder Ash & Söhne", country="DE", timezone="Europe/Berlin")
    with database.reading() as session:
        made = organizations.by_address(session, "under-ash-sohne")
        (robin,) = members.every(session, made)
    assert (made.name, made.country, made.timezone) == ("Ünder Ash & Söhne", "DE", "Europe/Berlin")
    assert (robin.email, robin.role) == (ROBIN, Role.ADMIN)


def test_a_taken_address_is_not_proposed_and_typed_it_is_refused_beside_its_field(cookie: str) -> None:
    state = the_form(cookie)
    asyncio.run(state.propose("Acme"))
    assert state.proposed == "acme-2"
    assert send(state, name="Acme", address="acme") == ""
    assert (state.wrong, state.refused) == (
        "address",
        "The address acme belongs to another organization; A and a are the same here.",
    )
    assert "/o/acme-2" in send(state, name="Acme")
    assert (state.wrong, state.refused) == ("", "")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "Ash", "address": "a b"}, "address"),
        ({"name": "Ash", "type": "x" * 101}, "type"),
        ({"name": "Ash", "country": "Germany"}, "country"),
        ({"name": "Ash", "timezone": "Berlin"}, "timezone"),
        ({"name": ["Ash"], "address": 7}, "name"),
    ],
)
def test_what_is_refused_is_said_where_it_was_typed(
    database: Database, cookie: str, fields: dict[str, Any], wrong: str
) -> None:
    state = the_form(cookie)
    assert send(state, **fields) == ""
    assert state.wrong == wrong
    assert state.refused
    with database.reading() as session:
        assert [each.address for each in org_store.page(session, "", 10)] == ["acme"]


def test_nobody_is_asked_to_sign_in_and_comes_back(cookie: str) -> None:
    for work in (lambda state: state.open(), lambda state: state.create_organization({"name": "Ash"})):
        state: Any = opened(CreateOrganizationState, "/new-organization", "")
        assert "/sign-in?next=%2Fnew-organization" in str(asyncio.run(work(state)))
    state = opened(CreateOrganizationState, "/new-organization", "")
    asyncio.run(state.propose("Acme"))
    assert state.proposed == ""


def test_a_sign_in_for_one_organization_makes_no_other(database: Database, cookie: str) -> None:
    now = clock.now()
    with database.writing() as session:
        acme = organizations.by_address(session, "acme")
        link = sign_in_links.create(Context(session, acme, now, "tests"), "kim@example.org", Role.ADMIN, "")
        token = sign_in_links.follow(session, link.token, now).signed_in.token
    state = the_form(f"{HASH_NAME}={digest(token)}")
    assert state.why_not.startswith("This sign-in opens one organization only.")
    assert send(state, name="Another") == ""
    assert (state.wrong, state.refused) == ("", state.why_not)


def test_who_has_many_is_told_before_typing(database: Database, cookie: str) -> None:
    with database.writing() as session:
        identity = sessions.identify_socket(session, cookie, clock.now())
        assert identity is not None
        for number in range(create.MAX_OWN):
            create.found(session, clock.now(), name=f"Ash {number}", identity=identity, actor=ROBIN)
    assert the_form(cookie).why_not.startswith(f"You are in {create.MAX_OWN} organizations already.")


def test_somebody_without_an_organization_lands_where_one_is_made(cookie: str) -> None:
    state: Any = opened(EntranceState, "/", cookie)
    assert asyncio.run(state.go_home()) is None
    assert (state.without, state.email) == (True, ROBIN)


def test_every_country_and_time_zone_to_choose_is_taken() -> None:
    assert 240 < len(countries()) < 270
    assert time_zones()[0].value == "UTC"
    for each in countries():
        assert validated({"country": each.value}) == {"country": each.value}
    for each in time_zones():
        assert validated({"timezone": each.value}) == {"timezone": each.value}
