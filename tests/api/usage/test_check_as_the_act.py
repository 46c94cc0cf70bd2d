"""`check` says exactly what the act then does: limits, features, ways of voting, metrics (fine points 13, 18)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from billing_app.domain.processes.voting import OptionKind
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.limits import features, overrides
from billing_app.services.limits.overrides import Kind
from billing_app.services.organizations import profiles
from tests.api.conftest import Api
from tests.support.builders import NOON, a_key, an_organization, the_catalogue

ACME = "/organizations/acme"

COMPLETE = {"title": "Board", "questions": [{"title": "Who?", "answers": ["Ada", "Grace"]}], "census": 50}

numbers = count(1)

PLANS = ("free", "essential", "pro", "custom")

LIMITS = {
    "memberships": ("POST", f"{ACME}/members", lambda: {"email": f"m{next(numbers)}@example.org"}),
    "subOrgs": ("POST", f"{ACME}/suborganizations", lambda: {"name": f"Part {next(numbers)}"}),
    "drafts": ("POST", f"{ACME}/processes", lambda: {"title": "Draft"}),
    "maxProcesses": ("POST", f"{ACME}/processes", lambda: COMPLETE | {"publish": True}),
}
"""Each counted limit, and the act that takes one of it."""

FEATURES = (
    "personalization", "emailReminder", "smsNotification", "whiteLabel", "liveStreaming", "anonymousVoting",
    "liveResults",
)  # fmt: skip


@pytest.fixture
def stocked(api: Api) -> Iterator[Callable[[str], httpx.Client]]:
    """acme on a plan, with a key that may do everything."""
    the_catalogue(api.database)
    with api.database.writing() as session:
        acme = an_organization(session)
        secret, _ = a_key(session, acme, "admin", "check", "usage:write", "read", "billing")
    with api.program(secret) as client:

        def on(plan: str) -> httpx.Client:
            with api.database.writing() as session:
                grants.change_plan(Context(session, organizations.by_address(session, "acme"), NOON), plan)
            return client

        yield on


def allowed(client: httpx.Client, **question: Any) -> bool:
    """What check says; whoever is inactive is refused by check as by the act."""
    answer = client.post(f"{ACME}/check", json=question)
    if answer.status_code == 200:
        return answer.json()["allowed"]
    assert answer.json()["code"] == "organization_inactive", answer.text
    return False


def acts(client: httpx.Client, method: str, path: str, body: dict[str, Any]) -> bool:
    """Whether the act is done. It is refused for what check is about, and for nothing else."""
    answer = client.request(method, path, json=body, headers={"Idempotency-Key": str(next(numbers))})
    if answer.is_success:
        return True
    assert answer.json()["code"] in {
        "limit_reached", "census_too_large", "feature_not_in_plan", "feature_switched_off", "voting_type_not_in_plan",
        "voting_type_switched_off", "credits_exhausted", "organization_inactive",
    }, answer.text  # fmt: skip
    return False


def given(api: Api, kind: Kind, name: str, value: int | None) -> None:
    with api.database.writing() as session:
        until = NOON + timedelta(days=1)
        acme = organizations.by_address(session, "acme")
        overrides.put(Context(session, acme, NOON, "tests"), kind, name, value, ends_at=until, reason="A trial")


@pytest.mark.parametrize("limit", LIMITS)
def test_of_every_limit(api: Api, stocked: Callable[[str], httpx.Client], limit: str) -> None:
    method, path, body = LIMITS[limit]
    client = stocked("free")
    if limit == "maxProcesses":
        given(api, Kind.LIMIT, "drafts", None)
    said = []
    for room in (None, 0, 3, 5):  # of the plan, then as the operator says
        if room is not None:
            given(api, Kind.LIMIT, limit, room)
        for _ in range(5):
            said.append(allowed(client, limit=limit))
            assert acts(client, method, path, body()) == said[-1], (limit, room, said)
    assert set(said) == {True, False}
    with api.database.writing() as session:
        given_back = organizations.by_address(session, "acme")
        profiles.set_active(Context(session, given_back, NOON, "tests"), False)
    assert allowed(client, limit=limit) is acts(client, method, path, body()) is False


def test_of_parts_that_would_lie_too_deep(api: Api, stocked: Callable[[str], httpx.Client]) -> None:
    """Three levels are all there are, whatever the plan has room for."""
    stocked("custom")
    with api.database.writing() as session:
        operator, _ = a_key(session, None)
    said = []
    with api.program(operator) as client:
        address = "acme"
        while not said or said[-1]:
            here = f"/organizations/{address}"
            said.append(client.post(f"{here}/check", json={"limit": "subOrgs"}).json()["allowed"])
            made = client.post(f"{here}/suborganizations", json={"name": "Part"})
            assert made.is_success == said[-1], made.text
            address = made.json().get("address", "")
        assert made.json()["code"] == "too_many_levels"
    assert said == [True, True, False]


@pytest.mark.parametrize("plan", PLANS)
def test_of_the_census(stocked: Callable[[str], httpx.Client], plan: str) -> None:
    client = stocked(plan)
    for census in (1, 99, 100, 101, 1_000, 1_001, 10_000, 10_001):
        said = allowed(client, limit="max_census_size", quantity=census)
        body = COMPLETE | {"census": census, "publish": True}
        if not allowed(client, limit="maxProcesses"):
            return
        assert acts(client, "POST", f"{ACME}/processes", body) == said, (plan, census)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("turn", ["as it is", "off", "given", "taken"])
def test_of_every_feature_and_way_of_voting(
    api: Api, stocked: Callable[[str], httpx.Client], plan: str, turn: str
) -> None:
    client = stocked(plan)
    given(api, Kind.LIMIT, "maxProcesses", None)
    given(api, Kind.LIMIT, "drafts", None)
    wanted: list[tuple[OptionKind, str, dict[str, Any]]] = [
        (OptionKind.FEATURE, name, COMPLETE | {"features": [name]}) for name in FEATURES
    ]
    wanted.append((OptionKind.FEATURE, "emailReminder", COMPLETE | {"email_reminders": 1}))
    wanted += [
        (OptionKind.VOTING_TYPE, name, COMPLETE | {"voting_type": name})
        for name in ("single", "multiple", "approval", "cumulative", "ranked", "weighted")
    ]
    seen = set()
    for kind, name, body in wanted:
        if turn in ("given", "taken"):
            given(api, Kind(kind.value), name, int(turn == "given"))
        if turn == "off":
            with api.database.writing() as session:
                acme = organizations.by_address(session, "acme")
                features.switch(Context(session, acme, NOON, "tests"), {(kind, name): False})
        said = allowed(client, **{kind.value: name})
        seen.add(said)
        assert acts(client, "POST", f"{ACME}/processes", body | {"publish": True}) == said, (plan, turn, name)
    assert seen == {"off": {False}, "taken": {False}, "given": {True}}.get(turn, seen)


@pytest.mark.parametrize("way", ["consume", "reservations"])
@pytest.mark.parametrize("plan", PLANS)
def test_of_every_metric_that_is_asked_first(
    api: Api, stocked: Callable[[str], httpx.Client], plan: str, way: str
) -> None:
    client = stocked(plan)
    with api.database.writing() as session:
        acme = organizations.by_address(session, "acme")
        grants.grant(
            Context(session, acme, NOON),
            grants.NewGrant("sms", 100, source="operator", source_key="one", reason="Sorry"),
        )
    for metric in ("sms", "emails", "bandwidth"):
        balance = {each["metric"]: each for each in client.get(f"{ACME}/balances").json()["items"]}[metric]
        left = 5 if balance["allowance"] is None else balance["allowance"] + balance["credits"]
        for quantity in (left + 1, left - 1, 2, 1, 1, 1):
            said = allowed(client, metric=metric, quantity=quantity)
            body = {"metric": metric, "quantity": quantity}
            assert acts(client, "POST", f"{ACME}/{way}", body) == said, (metric, quantity)


def test_of_every_action(stocked: Callable[[str], httpx.Client]) -> None:
    """An action is what consuming its metrics is; those of levels and devices are reported, and never refused."""
    client = stocked("free")
    for action, metric in (("email_reminder", "emails"), ("download", "bandwidth"), ("sms_notification", "sms")):
        for quantity in (10**11, 251, 250, 249, 1, 1):
            said = allowed(client, action=action, quantities={metric: quantity})
            body = {"metric": metric, "quantity": quantity}
            assert acts(client, "POST", f"{ACME}/consume", body) == said, (action, quantity)


def test_of_a_metric_of_whom_nobody_lets_work(api: Api, stocked: Callable[[str], httpx.Client]) -> None:
    client = stocked("custom")
    with api.database.writing() as session:
        profiles.set_active(Context(session, organizations.by_address(session, "acme"), NOON, "tests"), False)
    for body in ({"metric": "sms", "quantity": 1}, {"metric": "bandwidth", "quantity": 1}):
        for way in ("consume", "reservations"):
            assert allowed(client, **body) is acts(client, "POST", f"{ACME}/{way}", body) is False
