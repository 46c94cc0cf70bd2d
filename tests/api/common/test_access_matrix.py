"""Who may call what: every route of the API against every kind of caller.

A route without a row fails, and so does a row without a route. A row says what each caller gets; `ok` is any answer
that was let through (a body may still be refused for what it says).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from billing_app.db import Database
from billing_app.domain.common.access import Role, Scope
from billing_app.services.access import api_keys, sessions
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import NOON, a_key, a_session_token, a_user, an_organization, the_catalogue

OK = "ok"

ANYONE = "anyone"
"""Rows of routes that ask nobody."""

NOWHERE = "00000000-0000-7000-8000-000000000000"
"""The id of nothing."""


@dataclass(frozen=True)
class Row:
    """What callers get, all spelt out: no role implies another here."""

    anonymous: object
    other_admin: object
    member: object
    billing: object
    admin: object
    operator: object
    key: object
    other_key: object
    key_without_scope: object
    revoked_key: object
    operator_key: object
    signed_out: object


def open_to_all() -> Row:
    return Row(*[OK] * 12)


def keys_only() -> Row:
    """Reporting and asking is for programs."""
    return Row(
        anonymous=401, other_admin=404, member=403, billing=403, admin=403, operator=OK,
        key=OK, other_key=404, key_without_scope=403, revoked_key=401, operator_key=OK, signed_out=401,
    )  # fmt: skip


def for_members() -> Row:
    return Row(
        anonymous=401, other_admin=404, member=OK, billing=OK, admin=OK, operator=OK,
        key=OK, other_key=404, key_without_scope=403, revoked_key=401, operator_key=OK, signed_out=401,
    )  # fmt: skip


def for_who_pays() -> Row:
    return Row(
        anonymous=401, other_admin=404, member=403, billing=OK, admin=OK, operator=OK,
        key=OK, other_key=404, key_without_scope=403, revoked_key=401, operator_key=OK, signed_out=401,
    )  # fmt: skip


def for_admins() -> Row:
    return Row(
        anonymous=401, other_admin=404, member=403, billing=403, admin=OK, operator=OK,
        key=OK, other_key=404, key_without_scope=403, revoked_key=401, operator_key=OK, signed_out=401,
    )  # fmt: skip


def for_signed_in_people() -> Row:
    """Whoever is signed in may found an organization; of programs only the operator's."""
    return Row(
        anonymous=401, other_admin=OK, member=OK, billing=OK, admin=OK, operator=OK,
        key=403, other_key=403, key_without_scope=403, revoked_key=401, operator_key=OK, signed_out=401,
    )  # fmt: skip


def for_people_of_it() -> Row:
    """What a person does about themselves; a key is nobody's membership."""
    return Row(
        anonymous=401, other_admin=404, member=OK, billing=OK, admin=OK, operator=OK,
        key=403, other_key=404, key_without_scope=403, revoked_key=401, operator_key=OK, signed_out=401,
    )  # fmt: skip


def for_operators() -> Row:
    """Nobody's organization opens these: only the role does."""
    return Row(
        anonymous=401, other_admin=403, member=403, billing=403, admin=403, operator=OK,
        key=403, other_key=403, key_without_scope=403, revoked_key=401, operator_key=OK, signed_out=401,
    )  # fmt: skip


MATRIX: dict[str, Row] = {
    "POST /sign-in": open_to_all(),
    "POST /sign-out": open_to_all(),
    "POST /sign-up": open_to_all(),
    "GET /sign-in-link": open_to_all(),
    "POST /set-up": open_to_all(),
    "POST /new-password": open_to_all(),
    "POST /forgot-password": open_to_all(),
    "POST /accept-invitation": open_to_all(),
    "GET /docs": open_to_all(),
    "GET /connection": open_to_all(),
    "GET /openapi.json": open_to_all(),
    "GET /metrics": open_to_all(),
    "GET /packs": open_to_all(),
    "GET /plans": open_to_all(),
    "GET /plans/{plan}": open_to_all(),
    "POST /organizations/{address}/usage": keys_only(),
    "POST /organizations/{address}/check": keys_only(),
    "POST /organizations/{address}/consume": keys_only(),
    "POST /organizations/{address}/reservations": keys_only(),
    "POST /organizations/{address}/reservations/{reservation_id}/confirm": keys_only(),
    "DELETE /organizations/{address}/reservations/{reservation_id}": keys_only(),
    "GET /organizations/{address}/balances": for_members(),
    "GET /organizations/{address}/usage/days": for_members(),
    "GET /organizations/{address}/forecast": for_who_pays(),
    "GET /organizations/{address}/ledger/{number}": for_who_pays(),
    "GET /organizations/{address}/tokens": for_who_pays(),
    "GET /organizations/{address}/balances.csv": for_members(),
    "GET /organizations/{address}/grants": for_who_pays(),
    "GET /organizations/{address}/grants.csv": for_who_pays(),
    "GET /organizations/{address}/ledger": for_who_pays(),
    "GET /organizations/{address}/ledger.csv": for_who_pays(),
    "GET /organizations/{address}/explain": for_who_pays(),
    "GET /organizations/{address}/history": for_who_pays(),
    "GET /organizations/{address}/history.csv": for_who_pays(),
    "POST /organizations/{address}/sign-in-links": for_admins(),
    "POST /organizations/{address}/checkout": for_who_pays(),
    "GET /organizations/{address}/checkout/{session_id}": for_who_pays(),
    "GET /organizations/{address}/subscription": for_who_pays(),
    "PATCH /organizations/{address}/subscription": for_who_pays(),
    "DELETE /organizations/{address}/subscription": for_who_pays(),
    "POST /organizations/{address}/subscription/preview": for_who_pays(),
    "POST /organizations/{address}/subscription/keep": for_who_pays(),
    "POST /organizations/{address}/subscription/pause": for_who_pays(),
    "POST /organizations/{address}/subscription/resume": for_who_pays(),
    "GET /organizations/{address}/ending": for_who_pays(),
    "POST /organizations/{address}/ending": for_admins(),
    "DELETE /organizations/{address}/ending": for_admins(),
    "POST /organizations/{address}/portal": for_who_pays(),
    "GET /organizations/{address}/invoices": for_who_pays(),
    "GET /organizations/{address}/recurring-packs": for_who_pays(),
    "PATCH /organizations/{address}/recurring-packs/{pack_id}": for_who_pays(),
    "DELETE /organizations/{address}/recurring-packs/{pack_id}": for_who_pays(),
    "GET /organizations/{address}/auto-top-up/{metric}": for_who_pays(),
    "PUT /organizations/{address}/auto-top-up/{metric}": for_who_pays(),
    "POST /organizations/{address}/auto-top-up/{metric}/preview": for_who_pays(),
    "POST /organizations/{address}/saved-card": for_who_pays(),
    "GET /organizations/{address}/features": for_members(),
    "PUT /organizations/{address}/features": for_admins(),
    "GET /organizations/{address}/processes": for_members(),
    "POST /organizations/{address}/processes": for_admins(),
    "GET /organizations/{address}/processes/{process_id}": for_members(),
    "PATCH /organizations/{address}/processes/{process_id}": for_admins(),
    "DELETE /organizations/{address}/processes/{process_id}": for_admins(),
    "POST /organizations/{address}/processes/{process_id}/publish": for_admins(),
    "POST /organizations/{address}/processes/{process_id}/close": for_admins(),
    "POST /organizations/{address}/processes/{process_id}/cancel": for_admins(),
    "POST /organizations/{address}/gift-cards/redeem": for_who_pays(),
    "POST /organizations/{address}/tokens/convert": for_who_pays(),
    "GET /organizations/{address}/notifications": for_admins(),
    "PUT /organizations/{address}/notifications": for_admins(),
    "POST /organizations/{address}/notifications/webhooks": for_admins(),
    "DELETE /organizations/{address}/notifications/webhooks/{webhook_id}": for_admins(),
    "POST /organizations/{address}/notifications/webhooks/{webhook_id}/rotate-secret": for_admins(),
    "POST /organizations/{address}/notifications/webhooks/{webhook_id}/enable": for_admins(),
    "POST /organizations/{address}/notifications/webhooks/{webhook_id}/test": for_admins(),
    "GET /organizations/{address}/notifications/deliveries": for_admins(),
    "GET /organizations/{address}/notifications/deliveries/{delivery_id}": for_admins(),
    "POST /organizations/{address}/notifications/deliveries/{delivery_id}/resend": for_admins(),
    "GET /admin/organizations": for_operators(),
    "POST /admin/organizations": for_operators(),
    "PUT /admin/organizations/{organization}/plan": for_operators(),
    "GET /admin/organizations/{organization}/overrides": for_operators(),
    "PUT /admin/organizations/{organization}/overrides/{kind}/{name}": for_operators(),
    "DELETE /admin/organizations/{organization}/overrides/{kind}/{name}": for_operators(),
    "GET /admin/audit": for_operators(),
    "POST /admin/grants": for_operators(),
    "POST /admin/grants/{grant}/void": for_operators(),
    "GET /admin/grants/{grant}/refund": for_operators(),
    "POST /admin/grants/{grant}/refund": for_operators(),
    "GET /admin/stripe-events": for_operators(),
    "GET /admin/stripe-events/{event_id}": for_operators(),
    "POST /admin/stripe-events/{event_id}/replay": for_operators(),
    "GET /admin/reconciliation": for_operators(),
    "POST /admin/reconciliation": for_operators(),
    "GET /admin/reconciliation/latest": for_operators(),
    "GET /admin/reconciliation/{run}": for_operators(),
    "GET /admin/recounts": for_operators(),
    "POST /admin/recounts": for_operators(),
    "GET /admin/gift-cards": for_operators(),
    "POST /admin/gift-cards": for_operators(),
    "GET /admin/gift-cards/{card}/redemptions": for_operators(),
    "POST /admin/gift-cards/{card}/void": for_operators(),
    "GET /admin/catalogue": for_operators(),
    "PUT /admin/catalogue": for_operators(),
    "GET /admin/catalogue/plans.json": for_operators(),
    "GET /admin/catalogue/file": for_operators(),
    "POST /admin/catalogue/rebase": for_operators(),
    "POST /admin/catalogue/push": for_operators(),
    "POST /admin/catalogue/validate": for_operators(),
    "POST /admin/catalogue/preview": for_operators(),
    "GET /admin/catalogue/versions": for_operators(),
    "GET /admin/catalogue/versions/{version}": for_operators(),
    "POST /webhooks/stripe": open_to_all(),
    "POST /organizations": for_signed_in_people(),
    "GET /organizations/{address}": for_members(),
    "PATCH /organizations/{address}": for_admins(),
    "GET /organizations/{address}/members": for_members(),
    "POST /organizations/{address}/members": for_admins(),
    "DELETE /organizations/{address}/members/me": for_people_of_it(),
    "PATCH /organizations/{address}/members/{member}": for_admins(),
    "DELETE /organizations/{address}/members/{member}": for_admins(),
    "GET /organizations/{address}/suborganizations": for_members(),
    "POST /organizations/{address}/suborganizations": for_admins(),
    "PATCH /organizations/{address}/suborganizations/{suborganization}": for_admins(),
    "DELETE /organizations/{address}/suborganizations/{suborganization}": for_admins(),
    "GET /organizations/{address}/api-keys": for_admins(),
    "POST /organizations/{address}/api-keys": for_admins(),
    "DELETE /organizations/{address}/api-keys/{key_id}": for_admins(),
    "GET /organizations/{address}/audit": for_admins(),
}

SCOPES = {
    "PATCH /organizations/{address}": {Scope.ADMIN},
    "POST /organizations/{address}/members": {Scope.ADMIN},
    "PATCH /organizations/{address}/members/{member}": {Scope.ADMIN},
    "DELETE /organizations/{address}/members/{member}": {Scope.ADMIN},
    "POST /organizations/{address}/suborganizations": {Scope.ADMIN},
    "PATCH /organizations/{address}/suborganizations/{suborganization}": {Scope.ADMIN},
    "DELETE /organizations/{address}/suborganizations/{suborganization}": {Scope.ADMIN},
    "GET /organizations/{address}/api-keys": {Scope.ADMIN},
    "POST /organizations/{address}/api-keys": {Scope.ADMIN},
    "DELETE /organizations/{address}/api-keys/{key_id}": {Scope.ADMIN},
    "GET /organizations/{address}/audit": {Scope.ADMIN},
    "DELETE /organizations/{address}/members/me": set(),
    "POST /organizations/{address}/usage": {Scope.USAGE_WRITE},
    "POST /organizations/{address}/check": {Scope.CHECK},
    "POST /organizations/{address}/consume": {Scope.USAGE_WRITE},
    "POST /organizations/{address}/reservations": {Scope.USAGE_WRITE},
    "POST /organizations/{address}/reservations/{reservation_id}/confirm": {Scope.USAGE_WRITE},
    "DELETE /organizations/{address}/reservations/{reservation_id}": {Scope.USAGE_WRITE},
    "POST /organizations/{address}/sign-in-links": {Scope.ADMIN},
    "POST /organizations/{address}/checkout": {Scope.BILLING, Scope.ADMIN},
    "GET /organizations/{address}/checkout/{session_id}": {Scope.BILLING, Scope.ADMIN},
    "PATCH /organizations/{address}/subscription": {Scope.BILLING, Scope.ADMIN},
    "DELETE /organizations/{address}/subscription": {Scope.BILLING, Scope.ADMIN},
    "POST /organizations/{address}/subscription/preview": {Scope.BILLING, Scope.ADMIN},
    "POST /organizations/{address}/subscription/keep": {Scope.BILLING, Scope.ADMIN},
    "POST /organizations/{address}/subscription/pause": {Scope.BILLING, Scope.ADMIN},
    "POST /organizations/{address}/subscription/resume": {Scope.BILLING, Scope.ADMIN},
    "POST /organizations/{address}/ending": {Scope.ADMIN},
    "DELETE /organizations/{address}/ending": {Scope.ADMIN},
    "POST /organizations/{address}/portal": {Scope.BILLING, Scope.ADMIN},
    "GET /organizations/{address}/recurring-packs": {Scope.BILLING, Scope.ADMIN},
    "PATCH /organizations/{address}/recurring-packs/{pack_id}": {Scope.BILLING, Scope.ADMIN},
    "DELETE /organizations/{address}/recurring-packs/{pack_id}": {Scope.BILLING, Scope.ADMIN},
    "GET /organizations/{address}/auto-top-up/{metric}": {Scope.BILLING, Scope.ADMIN},
    "PUT /organizations/{address}/auto-top-up/{metric}": {Scope.BILLING, Scope.ADMIN},
    "POST /organizations/{address}/auto-top-up/{metric}/preview": {Scope.BILLING, Scope.ADMIN},
    "POST /organizations/{address}/saved-card": {Scope.BILLING, Scope.ADMIN},
    "POST /organizations/{address}/gift-cards/redeem": {Scope.BILLING, Scope.ADMIN},
    "POST /organizations/{address}/tokens/convert": {Scope.BILLING, Scope.ADMIN},
    "PUT /organizations/{address}/features": {Scope.ADMIN},
    "POST /organizations/{address}/processes": {Scope.ADMIN},
    "PATCH /organizations/{address}/processes/{process_id}": {Scope.ADMIN},
    "DELETE /organizations/{address}/processes/{process_id}": {Scope.ADMIN},
    "POST /organizations/{address}/processes/{process_id}/publish": {Scope.ADMIN},
    "POST /organizations/{address}/processes/{process_id}/close": {Scope.ADMIN},
    "POST /organizations/{address}/processes/{process_id}/cancel": {Scope.ADMIN},
    "GET /organizations/{address}/notifications": {Scope.ADMIN},
    "PUT /organizations/{address}/notifications": {Scope.ADMIN},
    "POST /organizations/{address}/notifications/webhooks": {Scope.ADMIN},
    "DELETE /organizations/{address}/notifications/webhooks/{webhook_id}": {Scope.ADMIN},
    "POST /organizations/{address}/notifications/webhooks/{webhook_id}/rotate-secret": {Scope.ADMIN},
    "POST /organizations/{address}/notifications/webhooks/{webhook_id}/enable": {Scope.ADMIN},
    "POST /organizations/{address}/notifications/webhooks/{webhook_id}/test": {Scope.ADMIN},
    "GET /organizations/{address}/notifications/deliveries": {Scope.ADMIN},
    "GET /organizations/{address}/notifications/deliveries/{delivery_id}": {Scope.ADMIN},
    "POST /organizations/{address}/notifications/deliveries/{delivery_id}/resend": {Scope.ADMIN},
}
"""Which scopes open a route; all others are opened by READING."""

READING = {Scope.READ, Scope.BILLING, Scope.ADMIN}

BODIES: dict[str, Any] = {
    "POST /organizations": {"name": "Taken", "address": "acme"},
    "PATCH /organizations/{address}": {},
    "POST /organizations/{address}/members": {"email": "no-address"},
    "PATCH /organizations/{address}/members/{member}": {"role": "member"},
    "POST /organizations/{address}/suborganizations": {"name": "Taken", "address": "acme"},
    "PATCH /organizations/{address}/suborganizations/{suborganization}": {},
    "POST /organizations/{address}/api-keys": {"name": "a test"},
    "POST /organizations/{address}/usage": {"events": [{"id": "1", "metric": "mau", "subject": "device"}]},
    "POST /organizations/{address}/check": {"metric": "mau"},
    "POST /organizations/{address}/consume": {"metric": "bandwidth", "quantity": 1},
    "POST /organizations/{address}/reservations": {"metric": "bandwidth", "quantity": 1},
    "POST /organizations/{address}/reservations/{reservation_id}/confirm": {},
    "POST /organizations/{address}/sign-in-links": {"email": "no address"},
    "POST /organizations/{address}/checkout": {"items": [{"pack": "no-such-pack"}]},
    "PATCH /organizations/{address}/subscription": {"plan": "no-such-plan", "at": "2026-03-10T12:00:00Z"},
    "POST /organizations/{address}/subscription/preview": {"plan": "no-such-plan"},
    "POST /organizations/{address}/ending": {"reason": "a test"},
    "PATCH /organizations/{address}/recurring-packs/{pack_id}": {"quantity": 2},
    "PUT /organizations/{address}/auto-top-up/{metric}": {
        "enabled": True,
        "pack": "no-such-pack",
        "monthly_cap_cents": 1_000,
    },
    "POST /organizations/{address}/auto-top-up/{metric}/preview": {
        "enabled": True,
        "pack": "no-such-pack",
        "monthly_cap_cents": 1_000,
    },
    "POST /organizations/{address}/saved-card": {"metric": "no-such-metric"},
    "POST /organizations/{address}/gift-cards/redeem": {"code": "no code"},
    "POST /organizations/{address}/tokens/convert": {"metric": "mau", "tokens": 1},
    "POST /admin/organizations": {"address": "acme"},
    "PUT /admin/organizations/{organization}/plan": {"plan": "no-such-plan", "reason": "a test"},
    "PUT /admin/organizations/{organization}/overrides/{kind}/{name}": {"value": 2, "reason": "a test"},
    "POST /admin/grants": {"organization": "acme", "metric": "mau", "quantity": 1, "reason": "a test"},
    "POST /admin/grants/{grant}/void": {"reason": "a test"},
    "POST /admin/grants/{grant}/refund": {"reason": "a test"},
    "POST /admin/reconciliation": {},
    "POST /admin/gift-cards": {"name": "a test", "contents": {"mau": 1}},
    "POST /admin/gift-cards/{card}/void": {"reason": "a test"},
    "PUT /admin/catalogue": {"document": {}, "based_on": 1},
    "POST /admin/catalogue/validate": {"document": {}},
    "POST /admin/catalogue/rebase": {"document": {}, "based_on": 1},
    "POST /admin/catalogue/preview": {"document": {}, "based_on": 1},
    "PUT /organizations/{address}/features": {},
    "POST /organizations/{address}/processes": {},
    "PATCH /organizations/{address}/processes/{process_id}": {},
    "POST /organizations/{address}/processes/{process_id}/close": {},
    "POST /organizations/{address}/processes/{process_id}/cancel": {},
    "PUT /organizations/{address}/notifications": {"people": {"nobody@example.org": []}},
    "POST /organizations/{address}/notifications/webhooks": {"url": "no address"},
}

REPEATABLE = {
    "POST /organizations/{address}/gift-cards/redeem",
    "POST /organizations/{address}/tokens/convert",
    "POST /admin/grants",
    "POST /admin/grants/{grant}/refund",
    "POST /admin/gift-cards",
    "POST /organizations/{address}/consume",
    "POST /organizations/{address}/reservations",
    "POST /organizations/{address}/checkout",
}
"""Routes that ask for an Idempotency-Key."""

REFUSALS = {
    "unauthenticated",
    "unknown_key",
    "organization_not_found",
    "forbidden",
    "missing_scope",
    "wrong_origin",
}
"""Codes of a refused access; whatever else is answered, the caller had been let through."""

CALLERS = tuple(Row.__dataclass_fields__)


def routes_of(api: Api) -> set[str]:
    """Every route that the running app has, documented or not."""
    with api.client() as anyone:
        documented = anyone.get("/openapi.json").json()["paths"]
    found = {f"{method.upper()} {path}" for path, methods in documented.items() for method in methods}
    versioned: Any = next(route for route in api.app.routes if getattr(route, "path", "") == "/api/v1")
    for route in versioned.app.routes:
        path = getattr(route, "path", None)
        if path is not None:
            found |= {f"{method} {path}" for method in route.methods or () if method != "HEAD"}
    return found


def test_every_route_has_a_row(api: Api) -> None:
    routes = routes_of(api)
    assert routes - MATRIX.keys() == set(), "routes without a row: say who may call them"
    assert MATRIX.keys() - routes == set(), "rows without a route"


def test_every_route_of_an_organization_has_a_door(api: Api) -> None:
    """A route that gets its database session elsewhere would not be guarded at all."""
    for route in MATRIX:
        if "{address}" in route:
            assert MATRIX[route].anonymous == 401, route


@pytest.fixture
def api(site: Site, database: Database) -> Api:
    """The API with buying set up, though what it finds at Stripe's address is no Stripe."""
    secrets = {"stripe_api_secret": "sk_test_none", "stripe_webhook_secret": "whsec_none"}
    return Api(site, database, stripe_api_base=site.url, **secrets)


@pytest.fixture
def callers(api: Api) -> Iterator[dict[str, httpx.Client]]:
    """One client for every kind of caller, all with the origin of our own pages."""
    the_catalogue(api.database)
    with api.database.writing() as session:
        acme, globex = an_organization(session, "acme"), an_organization(session, "globex")
        tokens = {
            role.value: a_session_token(session, a_user(session, f"{role}@acme.example", member_of=acme, role=role))
            for role in (Role.MEMBER, Role.BILLING, Role.ADMIN)
        }
        tokens["other_admin"] = a_session_token(session, a_user(session, "admin@globex.example", member_of=globex))
        tokens["operator"] = a_session_token(session, a_user(session, "op@example.org", operator=True))
        left = a_user(session, "left@acme.example", member_of=acme)
        tokens["signed_out"] = a_session_token(session, left)
        sessions.sign_out(session, tokens["signed_out"])
        keys = {
            "key": a_key(session, acme, *Scope)[0],
            "other_key": a_key(session, globex, *Scope)[0],
            "operator_key": a_key(session, None)[0],
        }
        keys["revoked_key"], revoked = a_key(session, acme, *Scope)
        api_keys.revoke(session, acme.id, revoked, NOON)
        for scope in Scope:
            keys[f"scope {scope.value}"] = a_key(session, acme, scope)[0]
    clients = {"anonymous": api.browser()}
    clients |= {name: api.browser(token) for name, token in tokens.items()}
    clients |= {name: api.program(secret) for name, secret in keys.items()}
    yield clients
    for client in clients.values():
        client.close()


def call(client: httpx.Client, route: str) -> object:
    """The answer as the matrix writes it: the status if access was refused, or OK."""
    method, path = route.split()
    url = path.format(
        address="acme",
        plan="free",
        session_id="cs_test_none",
        pack_id="none",
        metric="mau",
        reservation_id="none",
        process_id=NOWHERE,
        webhook_id=NOWHERE,
        delivery_id=NOWHERE,
        organization="acme",
        kind="feature",
        name="whiteLabel",
        grant="none",
        event_id="evt_none",
        run=1,
        number=1,
        card=NOWHERE,
        version=1,
        member=NOWHERE,
        suborganization="none",
        key_id=NOWHERE,
    )
    headers = {"Idempotency-Key": "1"} if route in REPEATABLE else None
    answer = client.request(method, url, json=BODIES.get(route), headers=headers)
    assert answer.status_code != 500, f"{route}: {answer.text}"
    refused = answer.status_code >= 400 and answer.json()["code"] in REFUSALS
    return answer.status_code if refused else OK


def test_each_caller_gets_what_the_matrix_says(callers: dict[str, httpx.Client]) -> None:
    wrong = []
    for caller in CALLERS:
        # Who leaves the organization is out of all that follows.
        for route, row in sorted(MATRIX.items(), key=lambda row: row[0].endswith("/me")):
            if caller == "key_without_scope" or (route == "POST /sign-out" and caller != "anonymous"):
                continue  # the next test is about scopes; signing out would end the session that other rows need
            answer = call(callers[caller], route)
            if answer != getattr(row, caller):
                wrong.append(f"{caller} got {answer} from {route}")
    assert wrong == []


def test_a_key_opens_what_its_scope_opens_and_nothing_else(callers: dict[str, httpx.Client]) -> None:
    wrong = []
    for scope in Scope:
        for route, row in MATRIX.items():
            if "{address}" not in route:
                continue
            expected = OK if scope in SCOPES.get(route, READING) else row.key_without_scope
            answer = call(callers[f"scope {scope.value}"], route)
            if answer != expected:
                wrong.append(f"a key with {scope} got {answer} from {route}")
    assert wrong == []


class TestWhoIsAsking:
    """How a caller is told from another."""

    def test_somebody_elses_organization_and_none_answer_alike(self, callers: dict[str, httpx.Client]) -> None:
        for caller in ("other_admin", "other_key"):
            answers = [
                callers[caller].get(f"/organizations/{address}/balances").json() for address in ("acme", "nowhere")
            ]
            for answer in answers:
                del answer["request_id"]
            first, second = (str(answer).replace("acme", "X").replace("nowhere", "X") for answer in answers)
            assert first == second

    def test_a_cookie_alone_changes_nothing_from_another_site(self, callers: dict[str, httpx.Client]) -> None:
        for origin in ("https://evil.example", "null"):
            answer = callers["operator"].post(
                "/organizations/acme/check", json={"metric": "mau"}, headers={"Origin": origin}
            )
            assert (answer.status_code, answer.json()["code"]) == (403, "wrong_origin")

    def test_a_key_needs_no_origin_and_beats_the_cookie(self, callers: dict[str, httpx.Client]) -> None:
        signed_in = callers["operator"].cookies
        answer = callers["revoked_key"].get(
            "/organizations/acme/balances", headers={"Cookie": f"billing_session={signed_in['billing_session']}"}
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "unknown_key")

    def test_a_strange_authorization_is_nobody(self, api: Api) -> None:
        with api.client() as client:
            for header in (b"Bearer", b"Bearer x y", b"Basic YTpi", b"bk_live_abc", b"Bearer bk_live_\xff"):
                answer = client.get("/organizations/acme/balances", headers={b"Authorization": header})
                assert answer.status_code == 401, header
                assert answer.headers["www-authenticate"].startswith("Bearer")

    def test_a_strange_address_is_no_organization(self, callers: dict[str, httpx.Client]) -> None:
        for address in ("%00", "a%2Fb", "%2e%2e", "a" * 65, "ä", "a b", "acme%0d%0aX: y"):
            for caller in ("key", "operator_key", "admin"):
                answer = callers[caller].get(f"/organizations/{address}/balances")
                assert answer.status_code == 404, f"{caller}: {address}"

    def test_a_key_is_noted_as_used_at_most_once_a_minute(self, api: Api, callers: dict[str, httpx.Client]) -> None:
        def last_used() -> object:
            with api.database.reading() as session:
                acme = sessions.organization_at(session, "acme")
                newest = {key.last_used_at for key in api_keys.every(session, acme.id) if key.last_used_at}
            return max(newest) if newest else None

        assert last_used() is None
        callers["key"].get("/organizations/acme/balances")
        assert last_used() == NOON
        api.now = NOON.replace(second=30)
        callers["key"].get("/organizations/acme/balances")
        assert last_used() == NOON
        api.now = NOON.replace(minute=2)
        callers["key"].get("/organizations/acme/balances")
        assert last_used() == api.now

    def test_a_session_that_calls_the_api_is_in_use(self, api: Api, callers: dict[str, httpx.Client]) -> None:
        api.now = NOON + sessions.IDLE - sessions.RENEW_AFTER
        assert callers["admin"].get("/organizations/acme/balances").status_code == 200
        api.now += sessions.IDLE - sessions.RENEW_AFTER
        assert callers["admin"].get("/organizations/acme/balances").status_code == 200
        assert callers["member"].get("/organizations/acme/balances").status_code == 401
