"""What only pages showed before: days, forecasts, traces, tokens; the operator's file, rebase and push."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from billing_app.domain.common.access import Scope
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.organizations import children
from billing_app.services.usage import reporting
from billing_app.services.usage.reporting import ReportedEvent
from tests.api.conftest import Api
from tests.support.builders import a_key, an_organization, the_catalogue

DAY = timedelta(days=1)


@pytest.fixture
def program(api: Api) -> Iterator[httpx.Client]:
    """acme, four days into its period, using 3 GB of bandwidth a day beside 500 tokens that it was given."""
    the_catalogue(api.database)
    began = api.now - 4 * DAY
    with api.database.writing() as session:
        acme = an_organization(session, anchor=began)
        grants.grant(
            Context(session, acme, began),
            grants.NewGrant("token", 500, source="operator", source_key="t", reason="Welcome"),
        )
        grants.grant(
            Context(session, acme, began),
            grants.NewGrant("bandwidth", 10**9, source="operator", source_key="b", reason="Some"),
        )
        secret = a_key(session, acme, Scope.READ)[0]
    for day in range(4):
        at = began + day * DAY
        with api.database.writing() as session:
            event = ReportedEvent("bandwidth", 3 * 10**9, None, at, f"day {day}")
            reporting.report(Context(session, organizations.by_address(session, "acme"), at), [event])
    with api.program(secret) as client:
        yield client


def test_the_days_of_a_period(program: httpx.Client) -> None:
    found = program.get("/organizations/acme/usage/days", params={"metric": "bandwidth"}).json()
    assert sum(day["quantity"] for day in found["days"]) == 12 * 10**9
    assert all(
        day["quantity"] == day["covered"] + day["burned"] + day["uncovered"] + day["deficit"] for day in found["days"]
    )
    assert found["sources"] == [{"address": "acme", "name": "acme", "used": 12 * 10**9}]
    refused = program.get("/organizations/acme/usage/days", params={"metric": "none"})
    assert (refused.status_code, refused.json()["code"]) == (404, "metric_not_found")


def test_a_forecast_and_what_would_cover_it(program: httpx.Client) -> None:
    found = program.get("/organizations/acme/forecast", params={"metric": "bandwidth"}).json()
    assert (found["kind"], found["pace"] > 0) == ("runs_out", True)
    later = program.get(
        "/organizations/acme/forecast", params={"metric": "bandwidth", "until": found["choices"][-1]}
    ).json()
    assert later["shortfall"] > 0
    packs = {pack["id"]: pack for pack in program.get("/packs", params={"metric": "bandwidth"}).json()["items"]}
    offer = later["offer"]
    assert offer["quantity"] >= later["shortfall"]
    assert offer["quantity"] == sum(packs[item["pack"]]["quantity"] * item["count"] for item in offer["items"])
    assert offer["price_cents"] == sum(packs[item["pack"]]["price_cents"] * item["count"] for item in offer["items"])


def test_a_part_has_no_forecast_of_its_own(api: Api, program: httpx.Client) -> None:
    with api.database.writing() as session:
        acme = organizations.by_address(session, "acme")
        grants.change_plan(Context(session, acme, api.now), "pro")
        part = children.create(Context(session, acme, api.now, ""), name="Part", address="part")
        secret = a_key(session, part, Scope.READ)[0]
    with api.program(secret) as parts:
        refused = parts.get("/organizations/part/forecast", params={"metric": "bandwidth"})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_own_plan")


def test_the_trace_of_an_entry(program: httpx.Client) -> None:
    entries = program.get("/organizations/acme/ledger").json()["items"]
    for entry in entries:
        found = program.get(f"/organizations/acme/ledger/{entry['number']}").json()
        assert found["entry"] == entry
        assert {each["grant_id"] for each in found["others"]} <= {entry["grant_id"]}
    assert program.get("/organizations/acme/ledger/999").status_code == 404


def test_tokens_and_their_rates(program: httpx.Client) -> None:
    found = program.get("/organizations/acme/tokens").json()
    assert found["left"] == 500
    assert {"metric": "sms", "tokens": 1, "quantity": 2} in found["rates"]


def test_an_edit_that_was_overtaken_is_put_on_top(api: Api, program: httpx.Client) -> None:
    with api.database.writing() as session:
        secret = a_key(session, None)[0]
    with api.program(secret) as operator:
        begun = operator.get("/admin/catalogue").json()
        documents: list[dict[str, Any]] = [{**begun["document"], "grace_days": days} for days in (8, 9)]
        theirs, mine = documents
        mine["packs"] = [dict(pack, price_cents=pack["price_cents"] + 1) for pack in begun["document"]["packs"]]
        operator.put("/admin/catalogue", json={"document": theirs, "based_on": begun["version"]})
        edit = {"document": mine, "based_on": begun["version"]}
        assert operator.put("/admin/catalogue", json=edit).json()["code"] == "catalogue_changed"
        found = operator.post("/admin/catalogue/rebase", json=edit).json()
        assert found["both"] == ["grace_days"]
        assert found["document"]["packs"] == mine["packs"]
        again = {"document": found["document"], "based_on": found["version"]}
        assert operator.put("/admin/catalogue", json=again).status_code == 200
        assert operator.get("/admin/catalogue/file").json()["state"] == "known"  # it was loaded at the start
        broken: list[Any] = [{}, {"packs": [1]}, {"metrics": "none"}]
        for nonsense in broken:
            refused = operator.post("/admin/catalogue/rebase", json={"document": nonsense, "based_on": 1})
            assert (refused.status_code, refused.json()["code"]) == (422, "catalogue_invalid")
        assert operator.post("/admin/catalogue/push").json()["code"] == "buying_unavailable"
