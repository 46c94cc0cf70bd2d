"""Many consumes in one request, and many requests at once: each with its own answer, as if it had come alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from billing_app.domain.common.access import Scope
from billing_app.services.access.fast_path import Asker, Consume, FastPath
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.credits.grants import NewGrant
from billing_app.services.usage import consumption, debits
from billing_app.services.usage.debits import Mode, Wanted
from billing_app.services.verification import verification
from tests.api.conftest import Api
from tests.services.credits.test_reading_cost import heard
from tests.support.builders import NOON, a_key, an_organization, the_catalogue

pytestmark = pytest.mark.both_databases

INCLUDED = 250
"""Emails of the free plan."""


@pytest.fixture
def acme(api: Api) -> Iterator[httpx.Client]:
    """A program of acme, whose meters are there and whose key was just used."""
    the_catalogue(api.database)
    with api.database.writing() as session:
        secret, _ = a_key(session, an_organization(session), *Scope)
    with api.program(secret) as client:
        for metric in ("emails", "bandwidth"):
            one(client, f"first {metric}", metric, 1)
        yield client


def one(client: httpx.Client, key: str, metric: str, quantity: int) -> httpx.Response:
    body = {"metric": metric, "quantity": quantity}
    return client.post("/organizations/acme/consume", json=body, headers={"Idempotency-Key": key})


def many(client: httpx.Client, key: str, *consumes: Any) -> list[dict[str, Any]]:
    answer = client.post(
        "/organizations/acme/consume", json={"consumes": list(consumes)}, headers={"Idempotency-Key": key}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def emails(quantity: Any, **more: Any) -> dict[str, Any]:
    return {"metric": "emails", "quantity": quantity, **more}


def differences(api: Api) -> list[Any]:
    with api.database.reading() as session:
        return list(verification.verify(Context(session, organizations.by_address(session, "acme"), api.now)))


def test_each_is_decided_in_order_and_has_its_own_answer(api: Api, acme: httpx.Client) -> None:
    found = many(
        acme, "k", emails(100), {"metric": "bandwidth", "quantity": 5}, emails(200), emails(100), emails("x"),
        {"metric": "nothing", "quantity": 1}, {"metric": "mau", "quantity": 1}, emails(100, mode="clamp"), 7, emails(1),
    )  # fmt: skip
    assert [each["accepted"] for each in found] == [100, 5, 0, 100, 0, 0, 0, 49, 0, 0]
    assert [each["code"] for each in found] == [
        None, None, "credits_exhausted", None, "invalid_fields", "metric_not_found", "not_consumable", None,
        "invalid_fields", "credits_exhausted",
    ]  # fmt: skip
    assert [each["used"] for each in found] == [101, 6, 101, 201, None, None, None, 250, None, 250]
    assert found[4]["detail"].startswith("quantity: ")
    assert differences(api) == []


def test_the_same_request_again_is_answered_the_same(api: Api, acme: httpx.Client) -> None:
    sent = [emails(100), emails(200), emails(100), emails(60, mode="clamp", key="own")]
    first = many(acme, "k", *sent)
    assert [each["accepted"] for each in first] == [100, 0, 100, 49]
    again = many(acme, "k", *sent)
    assert [{**each, "replayed": False} for each in again] == first
    assert all(each["replayed"] for each in again)
    assert many(acme, "other", emails(60, mode="clamp", key="own"))[0]["replayed"]
    assert one(acme, "own", "emails", 60).json()["code"] == "idempotency_mismatch"
    assert differences(api) == []


def test_a_key_is_of_one_body_as_everywhere(api: Api, acme: httpx.Client) -> None:
    """Fine point 15: what was changed, left out or added is not taken, and neither is a single one with that key."""
    sent = [emails(10), emails(20), emails("x")]
    first = many(acme, "k", *sent)
    others = [[emails(11), *sent[1:]], sent[:1], sent[::-1], [*sent, emails(30)], [*sent, {"wrong": 1}], ["x"]]
    for other in others:
        answer = acme.post("/organizations/acme/consume", json={"consumes": other}, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch"), other
    assert one(acme, "k", "emails", 10).json()["code"] == "idempotency_mismatch"
    answer = acme.post("/organizations/acme/consume", json={"consumes": sent}, headers={"Idempotency-Key": "alone"})
    assert answer.status_code == 200
    assert one(acme, "single", "emails", 1).status_code == 200
    answer = acme.post("/organizations/acme/consume", json={"consumes": sent}, headers={"Idempotency-Key": "single"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    turned = [dict(reversed(each.items())) for each in sent]  # what it says, however that is written
    assert [{**each, "replayed": False} for each in many(acme, "k", *turned)] == first
    assert differences(api) == []


def test_they_are_one_request_of_the_rate_limit(acme: httpx.Client) -> None:
    """As a batch of usage is; its length and the caller's share of the process bound it."""
    left = []
    for key, count in (("a", 1), ("b", 500), ("c", 1)):
        sent = {"consumes": [emails(1)] * count}
        answer = acme.post("/organizations/acme/consume", json=sent, headers={"Idempotency-Key": key})
        left.append(int(re.search(r"r=(\d+)", answer.headers["RateLimit"])[1]))  # ty: ignore[not-subscriptable]
    assert left[0] - left[2] <= 2


def test_they_say_what_they_would_say_one_by_one(api: Api, acme: httpx.Client) -> None:
    quantities = [3, 40, 7, 90, 60, 30, 50, 20, 5, 300, 1, 1, 80]  # over the thresholds of the plan, and into credits
    with api.database.writing() as session:
        for address in ("acme", "twin"):
            if address == "twin":
                made = an_organization(session, address)
                consumption.consume(Context(session, made, NOON), "emails", 1, key="first")
            context = Context(session, organizations.by_address(session, address), NOON)
            grants.grant(context, NewGrant("emails", 200, source="operator", source_key="g", reason="G"))
    found = many(acme, "k", *map(emails, quantities))
    for place, (quantity, answer) in enumerate(zip(quantities, found, strict=True)):
        with api.database.writing() as session:
            context = Context(session, organizations.by_address(session, "twin"), NOON)
            alone = consumption.consume(context, "emails", quantity, key=f"k{place}")
        expected = (alone.accepted, alone.used, alone.allowance, alone.credits)
        assert (answer["accepted"], answer["used"], answer["allowance"], answer["credits"]) == expected
    assert differences(api) == []


def test_statements_do_not_grow_with_them(api: Api, acme: httpx.Client) -> None:
    asked = []
    for count in (2, 200):
        with heard(api.database) as statements:
            found = many(acme, f"k{count}", *[{"metric": "bandwidth", "quantity": 1}] * count)
        assert [each["accepted"] for each in found] == [1] * count
        asked.append(len(statements))
    assert asked[0] == asked[1] <= 12


def test_a_request_again_costs_by_its_length(api: Api, acme: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is answered by its key; what lies behind it is not looked at again for each."""
    made: list[object] = []
    first = debits.Debit
    monkeypatch.setattr(debits, "Debit", lambda *told, **named: made.append(told) or first(*told, **named))
    sent = [emails(1) for _ in range(100)]
    answers = many(acme, "k", *sent)
    once, made[:] = len(made), []
    again = many(acme, "k", *sent)
    assert [each["used"] for each in again] == [each["used"] for each in answers]
    assert once == 100
    assert len(made) < 5 * once


@pytest.mark.parametrize("consumes", [[], [emails(1)] * 1_001, "x", None])
def test_a_body_that_is_no_list_of_them_is_refused(acme: httpx.Client, consumes: Any) -> None:
    key = {"Idempotency-Key": "k"}
    answer = acme.post("/organizations/acme/consume", json={"consumes": consumes}, headers=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_fields")
    assert answer.json()["errors"][0]["field"] == "body.consumes"


def test_those_at_once_never_pass_the_limit(api: Api, acme: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: one(acme, f"n{number % 300}", "emails", 1), range(320)))
    accepted = {number % 300 for number, answer in enumerate(found) if answer.status_code == 200}
    assert len(accepted) == INCLUDED - 1
    assert {answer.status_code for answer in found} == {200, 402}
    assert one(acme, "last", "emails", 1).json()["used"] == INCLUDED
    assert differences(api) == []


def a_path(api: Api) -> FastPath:
    """The fast path, which knows the catalogue already."""
    with api.database.reading() as session:
        versions.current(session, NOON)
    return FastPath(api.database, leaders=1)


def consume(secret: str, metric: str, quantity: int, key: str) -> Consume:
    return Consume(Asker(secret, "acme", NOON), Wanted(metric, quantity, Mode.REJECT, key))


def test_those_that_wait_together_have_answers_of_their_own(api: Api, acme: httpx.Client) -> None:
    secret = acme.headers["Authorization"].removeprefix("Bearer ")
    asked = [
        consume(secret, "emails", 100, "a"), consume(secret, "emails", 10**6, "b"), consume(secret, "emails", 100, "a"),
        consume(secret, "emails", 20, "c"), consume("none", "emails", 1, "d"), consume(secret, "bandwidth", 3, "e"),
        consume(secret, "mau", 1, "f"), consume(secret, "emails", 3, "g"), consume(secret, "emails", 1, "h"),
    ]  # fmt: skip
    path = a_path(api)
    found = [each and each.consumed.used for each in path._take(asked)]
    # None is left to the usual way: what does not fit, a repeated key, a key that is none, a metric that is no sum,
    # and what reaches a threshold
    assert found == [101, None, None, 121, None, 4, None, 124, None]
    assert differences(api) == []


def test_what_breaks_leaves_nothing_behind(api: Api, acme: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = acme.headers["Authorization"].removeprefix("Bearer ")

    path = a_path(api)
    asked = [
        consume(secret, "emails", 9, "a"),
        consume(secret, "emails", 9, "b"),
        consume(secret, "bandwidth", 1, "c"),
    ]

    def breaks_with(error: Exception) -> Callable[..., None]:
        def breaks(*_: object) -> None:
            raise error

        return breaks

    with monkeypatch.context() as patch:
        patch.setattr(debits, "take_own", breaks_with(IntegrityError("", {}, Exception())))
        assert path._take(asked) == [None] * 3  # each is then decided by itself
        patch.setattr(debits, "take_own", breaks_with(OperationalError("", {}, Exception())))
        with pytest.raises(OperationalError):  # by itself each would wait for the same once more
            path._take(asked)
    assert one(acme, "next", "emails", 1).json()["used"] == 2
    assert differences(api) == []
