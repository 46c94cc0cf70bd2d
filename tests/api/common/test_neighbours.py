"""Ids of another organization, in paths, filters and bodies, while the address is one's own: there is nothing there."""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter
from typing import Any

import httpx
import pytest

from billing_app.db import Database
from billing_app.domain.common.access import Scope
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from tests.api.common.test_access_matrix import BODIES, MATRIX, OK, REPEATABLE
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import NOON, a_key, a_session_token, a_user, an_organization, the_catalogue
from tests.support.neighbour import SECRET, Neighbour, a_neighbour, rows_of

ACME = "/organizations/acme"

NAMES = {"metric", "plan"}
"""Parts of paths that name something of the catalogue, which is everybody's."""

WORKING: dict[str, Any] = {
    "PATCH /organizations/{address}/members/{member}": {"role": "admin"},
    "PATCH /organizations/{address}/suborganizations/{suborganization}": {"name": "Mine now", "parent": "acme"},
    "POST /organizations/{address}/reservations/{reservation_id}/confirm": {"quantity": 1},
    "PATCH /organizations/{address}/processes/{process_id}": {"title": "Mine now"},
}
"""Bodies that would do something, if there were something; for other routes those of the access matrix will do."""


@pytest.fixture
def api(site: Site, database: Database) -> Api:
    """An API that sells, so that what belongs to a payment is looked for."""
    return Api(
        site, database, stripe_api_secret="sk_test_none", stripe_webhook_secret="whsec_none", stripe_api_base=site.url
    )


@pytest.fixture
def neighbour(api: Api) -> Neighbour:
    the_catalogue(api.database)
    with api.database.writing() as session:
        return a_neighbour(session, NOON)


@pytest.fixture
def callers(api: Api, neighbour: Neighbour) -> Iterator[list[httpx.Client]]:
    """Acme's admin, and a program of acme with every scope."""
    with api.database.writing() as session:
        acme = an_organization(session, "acme")
        grants.change_plan(Context(session, acme, NOON), "pro")
        token = a_session_token(session, a_user(session, "ada@acme.example", member_of=acme))
        secret = a_key(session, acme, *Scope)[0]
    clients = [api.browser(token), api.program(secret)]
    yield clients
    for client in clients:
        client.close()


@pytest.fixture
def untouched(api: Api, neighbour: Neighbour) -> Iterator[None]:
    """Whatever the test does, the neighbour has what it had."""
    with api.database.reading() as session:
        owner = organizations.by_address(session, neighbour.address).pk
    before = rows_of(api.database, owner)
    assert {name for name, rows in before.items() if rows} >= {"grants", "processes", "api_keys", "memberships"}
    yield
    assert rows_of(api.database, owner) == before


def parts_of(route: str) -> set[str]:
    """What a route's path names besides the organization."""
    return {name for _, name, _, _ in Formatter().parse(route) if name} - {"address"} - NAMES


ROUTES = [route for route in MATRIX if "{address}" in route and parts_of(route)]


def test_every_id_in_a_path_is_one_of_the_neighbours(neighbour: Neighbour) -> None:
    assert {part for route in ROUTES for part in parts_of(route)} <= neighbour.ids.keys()


@pytest.mark.usefixtures("untouched")
def test_ids_in_paths_lead_nowhere(callers: list[httpx.Client], neighbour: Neighbour) -> None:
    wrong = []
    for route in ROUTES:
        method, path = route.split()
        url = path.format(**neighbour.ids | {"address": "acme", "metric": "emails"})
        headers = {"Idempotency-Key": "1"} if route in REPEATABLE else {}
        for client, let_in in zip(callers, (MATRIX[route].admin, MATRIX[route].key), strict=True):
            expected = 404 if let_in == OK else let_in
            answer = client.request(method, url, json=WORKING.get(route, BODIES.get(route)), headers=headers)
            if answer.status_code != expected or SECRET in answer.text:
                wrong.append((route, answer.status_code, answer.text))
    assert wrong == []


def test_the_same_ids_are_there_for_who_they_belong_to(api: Api, neighbour: Neighbour) -> None:
    """Else the test above would find nothing whatever we did."""
    with api.database.writing() as session:
        key, _ = a_key(session, organizations.by_address(session, neighbour.address), *Scope)
    with api.program(key) as program:
        for route in (
            "GET /organizations/{address}/processes/{process_id}",
            "GET /organizations/{address}/notifications/deliveries/{delivery_id}",
            "GET /organizations/{address}/ledger/{number}",
            "POST /organizations/{address}/reservations/{reservation_id}/confirm",
            "PATCH /organizations/{address}/suborganizations/{suborganization}",
            "PATCH /organizations/{address}/members/{member}",
            "POST /organizations/{address}/notifications/webhooks/{webhook_id}/rotate-secret",
            "DELETE /organizations/{address}/api-keys/{key_id}",
        ):
            method, path = route.split()
            body = {"name": "Renamed"} if "suborganizations" in path else WORKING.get(route)
            answer = program.request(method, path.format(**neighbour.ids), json=body)
            assert answer.status_code in (200, 204), answer.text


@pytest.mark.usefixtures("untouched")
def test_ids_in_filters_find_nothing(callers: list[httpx.Client], neighbour: Neighbour) -> None:
    ids = neighbour.ids
    for path, query in (
        ("notifications/deliveries", {"webhook": ids["webhook_id"]}),
        ("ledger", {"grant": ids["grant"]}),
        ("ledger.csv", {"grant": ids["grant"]}),
    ):
        for client in callers:
            answer = client.get(f"{ACME}/{path}", params=query)
            assert answer.status_code in (200, 404), answer.text
            assert SECRET not in answer.text
            assert answer.status_code == 404 or len(answer.json()["items"] if "csv" not in path else []) == 0


@pytest.mark.usefixtures("untouched")
def test_ids_in_bodies_name_nobody(callers: list[httpx.Client], neighbour: Neighbour) -> None:
    ids = neighbour.ids
    for client in callers:
        made = client.post(f"{ACME}/suborganizations", json={"name": "Mine"}).json()["address"]
        for method, path, body in (
            ("PATCH", f"{ACME}/suborganizations/{made}", {"parent": ids["address"]}),
            ("PATCH", f"{ACME}/suborganizations/{made}", {"parent": ids["suborganization"]}),
            ("PUT", f"{ACME}/notifications", {"people": {ids["email"]: []}}),
            ("PUT", f"{ACME}/notifications", {"people": {}, "webhooks": {ids["webhook_id"]: []}}),
        ):
            answer = client.request(method, path, json=body)
            assert (answer.status_code, SECRET in answer.text.replace(ids["email"], "")) == (404, False), answer.text


def test_the_place_in_anothers_list_is_only_a_place(api: Api, callers: list[httpx.Client]) -> None:
    """A cursor says where to go on, and never in whose list."""
    with api.database.writing() as session:
        key, _ = a_key(session, organizations.by_address(session, "globex"), *Scope)
    with api.program(key) as program:
        for path in ("members", "grants", "ledger", "processes", "notifications/deliveries", "audit"):
            theirs = program.get(f"/organizations/globex/{path}", params={"limit": 1}).json()
            if theirs["next_cursor"] is None:
                continue
            for client in callers:
                answer = client.get(f"{ACME}/{path}", params={"cursor": theirs["next_cursor"]})
                assert answer.status_code == 200, answer.text
                assert SECRET not in answer.text


def test_anothers_idempotency_key_is_not_ours(api: Api, callers: list[httpx.Client]) -> None:
    with api.database.writing() as session:
        key, _ = a_key(session, organizations.by_address(session, "globex"), "usage:write")
    body = {"metric": "sms", "quantity": 1}
    headers = {"Idempotency-Key": "the-same"}
    with api.program(key) as program:
        first = program.post("/organizations/globex/reservations", json=body, headers=headers)
    ours = callers[1].post(f"{ACME}/reservations", json=body, headers=headers)
    assert ours.status_code == first.status_code == 201
    assert ours.json()["id"] != first.json()["id"]
    assert "Idempotent-Replayed" not in ours.headers


def test_names_of_the_neighbour_are_nowhere(callers: list[httpx.Client]) -> None:
    for route in MATRIX:
        if route.startswith("GET") and "{address}" in route and not parts_of(route):
            for client in callers:
                answer = client.get(route.split()[1].format(address="acme", metric="emails"))
                assert SECRET not in answer.text, route
