"""`check` and `consume` go a short way past FastAPI: with few statements, and to the same answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from billing_app.domain.common.access import Scope
from billing_app.services.access.fast_path import Asker, FastPath, Question
from billing_app.store.access import callers
from tests.api.conftest import Api
from tests.services.credits.test_reading_cost import heard
from tests.support.builders import NOON, a_key, an_organization, the_catalogue

pytestmark = pytest.mark.both_databases

JSON = "application/json"

LONG = "application/json; charset=utf-8"
"""Right too, but not so plainly that it goes the short way."""


@pytest.fixture
def acme(api: Api) -> Iterator[httpx.Client]:
    """A program of acme."""
    the_catalogue(api.database)
    with api.database.writing() as session:
        secret, _ = a_key(session, an_organization(session), *Scope)
    with api.program(secret) as client:
        yield client


def ask(client: httpx.Client, route: str, body: str, content_type: str = JSON, **headers: str) -> httpx.Response:
    sent = {"Content-Type": content_type, **headers}
    return client.post(f"/organizations/acme/{route}", content=body, headers=sent)


def plain(answer: httpx.Response) -> tuple[int, Any, str]:
    """An answer without what is new in each."""
    content = {name: value for name, value in answer.json().items() if name != "request_id"}
    return answer.status_code, content, answer.headers["content-type"]


BODIES = (
    '{"metric": "bandwidth"}',
    '{"metric": "bandwidth", "quantity": 20000000001}',
    '{"metric": "bandwidth", "quantity": 5, "mode": "clamp"}',
    '{"metric": "bandwidth", "quantity": 1.5}',
    '{"metric": "bandwidth", "quantity": 0}',
    '{"metric": "nothing", "quantity": 1}',
    '{"metric": "mau", "quantity": 1}',
    '{"action": "upload"}',
    '{"action": "nothing"}',
    '{"limit": "memberships"}',
    '{"wrong": 1}',
    '{"metric": ',
    "[]",
    "",
)


@pytest.mark.parametrize("route", ["check", "consume"])
def test_both_ways_answer_the_same(acme: httpx.Client, route: str) -> None:
    for number, body in enumerate(BODIES):
        # the second of a pair repeats the first one's key, and so has its figures
        both = [ask(acme, route, body, kind, **{"Idempotency-Key": f"k{number}"}) for kind in (JSON, LONG)]
        assert plain(both[0]) == plain(both[1]), body


@pytest.mark.parametrize("route", ["check", "consume"])
def test_who_may_not_pass_is_told_the_same(api: Api, acme: httpx.Client, route: str) -> None:
    with api.database.writing() as session:
        other, _ = a_key(session, an_organization(session, "other"), *Scope)
        needs = Scope.CHECK if route == "check" else Scope.USAGE_WRITE
        scoped, _ = a_key(session, an_organization(session, "third"), *(scope for scope in Scope if scope is not needs))
    for secret in ("bk_live_" + "x" * 43, "none", other, scoped):
        body = '{"metric": "bandwidth", "quantity": 1}'
        sent = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "k"}
        address = "third" if secret == scoped else "acme"
        both = [
            acme.post(f"/organizations/{address}/{route}", content=body, headers={**sent, "Content-Type": kind})
            for kind in (JSON, LONG)
        ]
        assert plain(both[0]) == plain(both[1])
        assert both[0].status_code in {401, 403, 404}
        assert both[0].headers.get("www-authenticate") == both[1].headers.get("www-authenticate")


def test_a_consume_without_a_key_is_refused(acme: httpx.Client) -> None:
    answer = ask(acme, "consume", '{"metric": "bandwidth", "quantity": 1}')
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_fields")
    too_long = ask(acme, "consume", '{"metric": "bandwidth", "quantity": 1}', **{"Idempotency-Key": "x" * 256})
    assert (too_long.status_code, too_long.json()["code"]) == (422, "invalid_fields")


def test_few_statements_are_asked(api: Api, acme: httpx.Client) -> None:
    def asked(route: str, key: str) -> list[str]:
        with heard(api.database) as statements:
            answer = ask(acme, route, '{"metric": "bandwidth", "quantity": 1}', **{"Idempotency-Key": key})
        assert answer.status_code == 200, answer.text
        return [statement for statement in statements if not statement.startswith("BEGIN")]

    for number in range(2):  # the first makes the meter, and notes that the key was used
        asked("consume", f"first {number}")
    assert len(asked("check", "")) == 1
    assert len(asked("consume", "k")) == (5 if api.database.sqlite else 2)


def test_what_one_organization_asks_waits_for_no_other_s(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that hangs (a connection that was lost) holds up its own organization alone; a file does not hang."""
    if api.database.sqlite:
        return
    may, begun = threading.Event(), threading.Event()

    def read(_connection: object, _hash: str, address: str, *_moments: object) -> None:
        if address == "slow":
            begun.set()
            assert may.wait(30)

    monkeypatch.setattr(callers, "with_meters", read)
    path = FastPath(api.database, leaders=2)
    asked = {
        address: Question(Asker(f"bk_live_{'x' * 43}", address, NOON), {"bandwidth": 1}) for address in ("slow", "fast")
    }
    hangs = path.check(asked["slow"])
    assert begun.wait(30)
    assert path.check(asked["fast"]).result(30) is None
    assert not hangs.done()
    may.set()
    assert hangs.result(30) is None
