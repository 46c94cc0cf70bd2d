"""The organization object, in the names and with the values that it was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from billing_app.domain.common.access import Role, Scope
from billing_app.services.common import organizations, places
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from tests.api.conftest import Api
from tests.support.builders import NOON, a_key, a_session_token, a_user, an_organization, the_catalogue

ASKED_FOR: dict[str, Any] = {
    "address": "0x...", "name": "Test Organization", "type": "community", "description": "...", "size": 10,
    "color": "#ff0000", "logo": "https://...", "subdomain": "mysubdomain", "timezone": "GMT+2", "active": True,
    "parents": [],
}  # fmt: skip

NAMES = {
    *ASKED_FOR, "subscriptionPlan", "subscriptionId", "currentMembers", "currentSubOrgs", "currentProcesses",
    "currentSMSUsed", "currentEmailRemindersUsed", "currentCensusSize", "stripeCustomerId", "yearlyConsumedTokens",
    "monthlyConsumedTokens", "created_at", "subscribed_at", "renewal_at",
}  # fmt: skip

SAME = {
    "plan": "subscriptionPlan", "stripe_customer_id": "stripeCustomerId", "stripe_subscription_id": "subscriptionId",
    "monthly_consumed_tokens": "monthlyConsumedTokens", "yearly_consumed_tokens": "yearlyConsumedTokens",
    "renews_at": "renewal_at",
}  # fmt: skip


@pytest.fixture
def nora(api: Api) -> Iterator[httpx.Client]:
    """An admin of acme."""
    the_catalogue(api.database)
    with api.database.writing() as session:
        acme = an_organization(session, "acme")
        token = a_session_token(session, a_user(session, "nora@example.org", member_of=acme))
    with api.browser(token) as client:
        yield client


@pytest.fixture
def operator(api: Api, nora: httpx.Client) -> Iterator[httpx.Client]:
    """A program of the operator's."""
    with api.database.writing() as session:
        secret = a_key(session, None)[0]
    with api.program(secret) as client:
        yield client


@pytest.mark.parametrize("address", ["0x...", "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"])
@pytest.mark.parametrize("caller", ["nora", "operator"])
def test_the_object_is_accepted_as_it_stands(
    nora: httpx.Client, operator: httpx.Client, caller: str, address: str
) -> None:
    client = nora if caller == "nora" else operator
    sent = ASKED_FOR | {"address": address}
    made = client.post("/organizations", json=sent)
    assert made.status_code == 201, made.text
    assert {name: made.json()[name] for name in sent} == sent
    assert made.json()["subdomain_in_use"] is False
    read = client.get(f"/organizations/{address}").json()
    assert read.keys() >= NAMES
    assert read == made.json()
    assert (read["subscriptionPlan"], read["subscriptionId"]) == ("free", None)
    assert read["currentMembers"] == (1 if caller == "nora" else 0)
    again = client.patch(f"/organizations/{address}", json=sent)
    assert (again.status_code, again.json()) == (200, read)


def test_an_organization_that_is_there_takes_the_object_too(nora: httpx.Client) -> None:
    changed = nora.patch("/organizations/acme", json=ASKED_FOR | {"address": "acme"})
    assert changed.status_code == 200, changed.text
    assert {name: changed.json()[name] for name in ASKED_FOR} == ASKED_FOR | {"address": "acme"}


def test_each_fact_is_one_under_all_its_names(nora: httpx.Client) -> None:
    found = nora.get("/organizations/acme").json()
    assert {old: found[old] for old in SAME} == {old: found[new] for old, new in SAME.items()}
    counts = found["counts"]
    assert (found["currentMembers"], found["currentCensusSize"]) == (counts["members"], counts["census_size"]) == (1, 0)
    assert found["monthlyConsumedTokens"] == 0


def test_billing_fields_are_for_those_who_buy(api: Api, nora: httpx.Client) -> None:
    money = ("subscriptionId", "stripeCustomerId", "yearlyConsumedTokens", "monthlyConsumedTokens", "subscribed_at",
             "renewal_at")  # fmt: skip
    with api.database.writing() as session:
        acme = organizations.by_address(session, "acme")
        acme.stripe_customer_id = "cus_1"
        session.add(acme)
        tokens = {
            role: a_session_token(session, a_user(session, f"{role}@example.org", member_of=acme, role=role))
            for role in (Role.MEMBER, Role.BILLING)
        }
        reader = a_key(session, acme, Scope.READ)[0]
    assert nora.get("/organizations/acme").json()["stripeCustomerId"] == "cus_1"
    with api.browser(tokens[Role.BILLING]) as client:
        assert client.get("/organizations/acme").json()["stripeCustomerId"] == "cus_1"
    for client in (api.browser(tokens[Role.MEMBER]), api.program(reader)):
        with client:
            found = client.get("/organizations/acme").json()
            assert {found[name] for name in money} == {None}
            assert found["currentMembers"] == 3


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (0, 0),
        (250, 250),
        (3.0, 3),
        ("11-50", "11-50"),
        ("10", 10),
        ("", ""),
        ("010", "010"),
        (10**15 - 1, 10**15 - 1),
    ],
)
def test_a_size_is_a_number_or_a_class(nora: httpx.Client, sent: Any, kept: Any) -> None:
    changed = nora.patch("/organizations/acme", json={"size": sent})
    assert (changed.status_code, changed.json().get("size", changed.text)) == (200, kept)


@pytest.mark.parametrize("wrong", [-1, 1.5, True, 10**15, [10], {"a": 1}, "x" * 51])
def test_what_is_no_size_is_refused_by_name(nora: httpx.Client, wrong: Any) -> None:
    refused = nora.patch("/organizations/acme", json={"size": wrong})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.size")


@pytest.mark.parametrize(
    ("sent", "kept", "hours"),
    [
        ("GMT+2", "GMT+2", 2), ("GMT-3", "GMT-3", -3), ("UTC+5:45", "UTC+5:45", 5.75), ("gmt+02:00", "GMT+2", 2),
        ("GMT-3:30", "GMT-3:30", -3.5), ("UTC-12", "UTC-12", -12), ("GMT+14", "GMT+14", 14), ("UTC", "UTC", 0),
        ("GMT \N{MINUS SIGN}8", "GMT-8", -8), ("GMT+0", "GMT+0", 0), ("Etc/GMT+2", "Etc/GMT+2", -2),
        ("Asia/Kathmandu", "Asia/Kathmandu", 5.75), ("GMT+0530", "GMT+5:30", 5.5),
    ],
)  # fmt: skip
def test_a_time_zone_is_a_name_or_a_distance(nora: httpx.Client, sent: str, kept: str, hours: float) -> None:
    changed = nora.patch("/organizations/acme", json={"timezone": sent})
    assert (changed.status_code, changed.json().get("timezone")) == (200, kept), changed.text
    assert NOON.astimezone(places.zone(kept)).utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize("wrong", ["GMT+15", "GMT-13", "GMT+2:10", "GMT+", "+2", "GMT2", "UTC+99:99", "GMT+\u0662", ""])
def test_what_is_no_time_zone_is_refused(nora: httpx.Client, wrong: str) -> None:
    refused = nora.patch("/organizations/acme", json={"timezone": wrong})
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (
        422,
        "invalid_profile",
        "timezone",
    )


@pytest.mark.parametrize("name", sorted(NAMES - set(ASKED_FOR)) + sorted(SAME) + ["counts", "payer"])
def test_what_is_only_read_is_refused_with_the_reason(nora: httpx.Client, name: str) -> None:
    for answer in (
        nora.patch("/organizations/acme", json={name: None}),
        nora.post("/organizations", json={"name": "N", name: 1}),
    ):
        (mistake,) = answer.json()["errors"]
        assert (answer.status_code, mistake["field"]) == (422, f"body.{name}")
        assert mistake["detail"].startswith(f"`{name}` ")
        assert mistake["detail"].endswith("leave it out.") or "leave it out here." in mistake["detail"]


def test_what_it_does_not_have_is_refused_by_name(nora: httpx.Client) -> None:
    refused = nora.patch("/organizations/acme", json={"colour": "#ff0000"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.colour")


@pytest.mark.parametrize(("name", "value"), [("address", "0xother"), ("parents", ["globex"])])
def test_an_address_and_parents_do_not_change_here(nora: httpx.Client, name: str, value: Any) -> None:
    refused = nora.patch("/organizations/acme", json={name: value, "type": "not kept"})
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (422, "read_only_field", name)
    assert nora.get("/organizations/acme").json()["type"] == ""


class TestParents:
    @pytest.fixture(autouse=True)
    def pro(self, api: Api, nora: httpx.Client) -> None:
        """A plan that has sub-organizations."""
        with api.database.writing() as session:
            grants.change_plan(Context(session, organizations.by_address(session, "acme"), api.now), "pro")

    def test_an_admin_above_makes_a_part(self, nora: httpx.Client) -> None:
        made = nora.post("/organizations", json=ASKED_FOR | {"parents": ["acme"]})
        assert (made.status_code, made.json().get("parents")) == (201, ["acme"]), made.text
        assert (made.json()["payer"], made.json()["subscriptionPlan"]) == ("acme", "pro")
        assert nora.get("/organizations/acme").json()["currentSubOrgs"] == 1
        below = {"name": "Below", "address": "below", "parents": ["0x...", "acme"]}
        assert nora.post("/organizations", json=below).json()["parents"] == ["0x...", "acme"]
        kept = nora.patch("/organizations/below", json={"parents": ["0x...", "acme"], "name": "Still"})
        assert (kept.status_code, kept.json()["name"]) == (200, "Still")

    def test_parents_are_as_they_are(self, nora: httpx.Client) -> None:
        refused = nora.post("/organizations", json={"name": "N", "parents": ["acme", "globex"]})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_parents")

    def test_who_is_no_admin_there_makes_none(self, api: Api) -> None:
        with api.database.writing() as session:
            stranger = a_session_token(session, a_user(session, "stranger@example.org"))
            acme = organizations.by_address(session, "acme")
            member = a_session_token(session, a_user(session, "m@example.org", member_of=acme, role=Role.MEMBER))
        for token, status in ((stranger, 404), (member, 403)):
            with api.browser(token) as client:
                answer = client.post("/organizations", json={"name": "N", "parents": ["acme"]})
                assert answer.status_code == status

    def test_the_plans_limit_holds(self, api: Api, nora: httpx.Client) -> None:
        with api.database.writing() as session:
            grants.change_plan(Context(session, organizations.by_address(session, "acme"), api.now), "free")
        refused = nora.post("/organizations", json={"name": "N", "parents": ["acme"]})
        assert (refused.status_code, refused.json()["code"], refused.json()["limit"]) == (403, "limit_reached", 0)


def test_only_operators_say_that_one_is_not_active(nora: httpx.Client, operator: httpx.Client) -> None:
    for answer in (
        nora.post("/organizations", json={"name": "N", "active": False}),
        nora.patch("/organizations/acme", json={"active": False}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    made = operator.post("/organizations", json={"name": "N", "active": False})
    assert (made.status_code, made.json()["active"]) == (201, False)


def test_a_taken_web_address_is_said_so(nora: httpx.Client) -> None:
    assert nora.patch("/organizations/acme", json={"subdomain": "maps"}).status_code == 200
    refused = nora.post("/organizations", json={"name": "N", "address": "n", "subdomain": "maps"})
    assert (refused.status_code, refused.json()["code"]) == (409, "subdomain_taken")
