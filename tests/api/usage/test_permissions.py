"""What check answers about limits, features and voting types, and the explanation of a balance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from billing_app.domain.common.access import Scope
from billing_app.domain.common.errors import ForbiddenError
from billing_app.domain.processes.voting import OptionKind
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.limits import features, overrides
from billing_app.services.limits.overrides import Kind
from tests.api.conftest import Api
from tests.support.builders import NOON, a_key, a_user, an_organization, the_catalogue


class TestCheck:
    """acme has the free plan: two members, no sub-organizations, single and multiple choice, live results."""

    @pytest.fixture
    def program(self, api: Api) -> Iterator[httpx.Client]:
        the_catalogue(api.database)
        with api.database.writing() as session:
            acme = an_organization(session)
            a_user(session, member_of=acme)
            secret = a_key(session, acme, "check")[0]
        with api.program(secret) as client:
            yield client

    def ask(self, program: httpx.Client, **question: Any) -> Any:
        answer = program.post("/organizations/acme/check", json=question)
        return answer.json() if answer.status_code == 200 else (answer.status_code, answer.json()["code"])

    def give(self, api: Api, kind: Kind, name: str, value: int | None) -> None:
        with api.database.writing() as session:
            acme = organizations.by_address(session, "acme")
            until = NOON + timedelta(days=1)
            overrides.put(Context(session, acme, NOON, "tests"), kind, name, value, ends_at=until, reason="A trial")

    def test_a_limit_has_room_until_it_is_reached(self, api: Api, program: httpx.Client) -> None:
        assert self.ask(program, limit="memberships") == {
            "allowed": True, "blocking": [], "still_works": [], "plan": "free", "upgrade_url": f"{api.url}/o/acme/plan",
            "limit": {"limit": "memberships", "maximum": 2, "used": 1},
        }  # fmt: skip
        assert self.ask(program, limit="memberships", quantity=1)["allowed"]
        assert not self.ask(program, limit="memberships", quantity=2)["allowed"]
        assert not self.ask(program, limit="subOrgs")["allowed"]
        assert self.ask(program, limit="max_census_size", quantity=100)["allowed"]
        assert not self.ask(program, limit="max_census_size", quantity=101)["allowed"]

    def test_what_the_operator_gives_counts_until_its_end(self, api: Api, program: httpx.Client) -> None:
        self.give(api, Kind.LIMIT, "subOrgs", None)
        self.give(api, Kind.FEATURE, "whiteLabel", 1)
        self.give(api, Kind.VOTING_TYPE, "ranked", 1)
        questions = [{"limit": "subOrgs"}, {"feature": "whiteLabel"}, {"voting_type": "ranked"}]
        assert [self.ask(program, **question)["allowed"] for question in questions] == [True] * 3
        api.now += timedelta(days=1)
        assert [self.ask(program, **question)["allowed"] for question in questions] == [False] * 3

    @pytest.mark.parametrize(
        ("question", "allowed"),
        [
            ({"feature": "liveResults"}, True), ({"feature": "whiteLabel"}, False),
            ({"voting_type": "multiple"}, True), ({"voting_type": "ranked"}, False),
        ],
    )  # fmt: skip
    def test_the_plan_decides(self, program: httpx.Client, question: dict[str, str], allowed: bool) -> None:
        answer = self.ask(program, **question)
        assert (answer["allowed"], answer["plan"]) == (allowed, "free")

    @pytest.mark.parametrize(
        ("kind", "name"), [(OptionKind.FEATURE, "liveResults"), (OptionKind.VOTING_TYPE, "multiple")]
    )
    @pytest.mark.parametrize("given", [False, True])
    def test_what_an_admin_has_switched_off_is_refused_as_by_the_act(
        self, api: Api, program: httpx.Client, kind: OptionKind, name: str, given: bool
    ) -> None:
        if given:
            self.give(api, Kind(kind.value), name, 1)
        with api.database.writing() as session:
            acme = organizations.by_address(session, "acme")
            features.switch(Context(session, acme, NOON, "tests"), {(kind, name): False})
        answer = self.ask(program, **{kind.value: name})
        assert (answer["allowed"], answer["switched_off"]) == (False, True)
        with api.database.writing() as session:
            acme = organizations.by_address(session, "acme")
            wanted: dict[str, Any] = {"voting_type": name} if kind is OptionKind.VOTING_TYPE else {"features": [name]}
            with pytest.raises(ForbiddenError) as refusal:
                features.require(Context(session, acme, NOON), **wanted)
            assert refusal.value.code == f"{kind.value}_switched_off"
            features.switch(Context(session, acme, NOON, "tests"), {(kind, name): True})
        assert self.ask(program, **{kind.value: name})["allowed"]

    def test_every_option_is_answered_as_the_act_is(self, api: Api, program: httpx.Client) -> None:
        self.give(api, Kind.FEATURE, "whiteLabel", 1)
        self.give(api, Kind.VOTING_TYPE, "single", 0)
        with api.database.reading() as session:
            found = features.available(Context(session, organizations.by_address(session, "acme"), NOON))
        for option in found:
            assert self.ask(program, **{option.kind.value: option.id})["allowed"] == option.usable, option.id

    @pytest.mark.parametrize(
        ("question", "refusal"),
        [
            ({"limit": "cars"}, (404, "limit_not_found")),
            ({"feature": "teleport"}, (404, "feature_not_found")),
            ({"voting_type": "dice"}, (404, "voting_type_not_found")),
            ({"limit": "memberships", "quantity": -1}, (422, "invalid_quantity")),
            ({"metric": "mau", "limit": "memberships"}, (422, "invalid_fields")),
            ({}, (422, "invalid_fields")),
        ],
    )
    def test_refusals(self, program: httpx.Client, question: dict[str, Any], refusal: tuple[int, str]) -> None:
        assert self.ask(program, **question) == refusal


def test_an_explanation_sums_to_the_balance(api: Api) -> None:
    the_catalogue(api.database)
    with api.database.writing() as session:
        acme = an_organization(session)
        secret = a_key(session, acme, *Scope)[0]
        grants.grant(
            Context(session, acme, NOON),
            grants.NewGrant("sms", 100, source="operator", source_key="one", reason="Sorry"),
        )
    with api.program(secret) as program:
        event = {"id": "1", "metric": "sms", "quantity": 130}
        program.post("/organizations/acme/usage", json={"events": [event]})
        api.now += timedelta(hours=6)
        explained = program.get("/organizations/acme/explain", params={"metric": "sms"}).json()
        before = program.get(
            "/organizations/acme/explain", params={"metric": "sms", "at": (NOON - timedelta(days=1)).isoformat()}
        ).json()
        unknown = program.get("/organizations/acme/explain", params={"metric": "none"})
    assert sum(step["quantity"] for step in explained["steps"]) == explained["left"] - explained["debt"] == 0
    assert [(step["kind"], step["quantity"]) for step in explained["steps"]] == [("grant", 100), ("unposted", -100)]
    assert before["steps"] == []
    assert (unknown.status_code, unknown.json()["code"]) == (404, "metric_not_found")
