"""What one caller asks holds up nobody else: shares, lines with an end, connections of their own (decision 18)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from billing_app.api.common import lanes
from billing_app.api.common.lanes import DECIDING, OTHERS, THREADS, Lanes, lane_of
from billing_app.db import Database
from billing_app.domain.common.access import Scope
from billing_app.services.credits import statements
from billing_app.turns import Limits
from tests.api.common.test_access_matrix import MATRIX
from tests.api.conftest import Api
from tests.support.builders import NOON, a_key, a_session_token, a_user, an_organization, the_catalogue

MANY = 60
"""Requests of one caller at once."""

FEW = 12
"""And where they wait for a lock, one after the other: still more than may go on at once."""

WAIT_S = 60
"""For what comes at once, on a machine that does other things too."""

HEADERS = {"Content-Type": "application/json"}


class Held:
    """Work that stops in the middle until it is let go, and how many were in it at once."""

    def __init__(self, work: Callable[..., Any], only: str = "") -> None:
        """Holds `work(session, organization, ...)` for the organization at `only`, or for any."""
        self.work = work
        self.only = only
        self.free = threading.Event()
        self.inside = self.most = self.began = 0
        self._changed = threading.Condition()

    def __call__(self, context: Any, *rest: Any, **named: Any) -> Any:
        if self.only and context.organization.address != self.only:
            return self.work(context, *rest, **named)
        with self._changed:
            self.inside += 1
            self.began += 1
            self.most = max(self.most, self.inside)
            self._changed.notify_all()
        assert self.free.wait(WAIT_S * 2)
        with self._changed:
            self.inside -= 1
        return self.work(context, *rest, **named)

    def until(self, inside: int) -> None:
        """Returns when so many are in it."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.inside >= inside, WAIT_S)


@pytest.fixture(autouse=True)
def nobody_waits_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about order and numbers: no wait ends by its time unless a test says so."""
    for lane in ("DECIDING", "OTHERS"):
        patient = {name: replace(limits, seconds=None) for name, limits in getattr(lanes, lane).items()}
        monkeypatch.setattr(lanes, lane, patient)


@pytest.fixture
def programs(api: Api) -> Iterator[dict[str, httpx.Client]]:
    """A program of acme and one of other, each with a session of a person there: `acme's Ada`."""
    the_catalogue(api.database)
    with api.database.writing() as session:
        made = {}
        for address in ("acme", "other"):
            organization = an_organization(session, address)
            made[address] = api.program(a_key(session, organization, *Scope)[0])
            user = a_user(session, f"ada@{address}.example", member_of=organization)
            made[f"{address}'s Ada"] = api.browser(a_session_token(session, user))
    for client in made.values():
        client.timeout = httpx.Timeout(120)
    yield made
    for client in made.values():
        client.close()


def layer(api: Api) -> Lanes:
    """The layer itself, to look into."""
    found: Any = api.app.middleware_stack
    while not isinstance(found, Lanes):
        found = found.app
    return found


def decide(program: httpx.Client, address: str, key: str = "k") -> list[int]:
    """Everything that a product waits for; the statuses."""
    here = f"/organizations/{address}"
    consumed = program.post(
        f"{here}/consume", json={"metric": "bandwidth", "quantity": 1}, headers={"Idempotency-Key": key}
    )
    reserved = program.post(
        f"{here}/reservations", json={"metric": "bandwidth", "quantity": 1}, headers={"Idempotency-Key": key}
    )
    usage = {"id": key, "metric": "mau", "subject": "s", "quantity": 1, "at": NOON.isoformat()}
    return [
        program.post(f"{here}/check", json={"metric": "bandwidth"}).status_code,
        consumed.status_code,
        reserved.status_code,
        program.post(f"{here}/usage", json={"events": [usage]}).status_code,
    ]


@contextmanager
def many(client: httpx.Client, path: str, number: int = MANY) -> Generator[list[Future[httpx.Response]]]:
    """So many requests of one caller at once, under way until the block ends."""
    with ThreadPoolExecutor(number) as pool:
        yield [pool.submit(client.get, path) for _ in range(number)]


@pytest.mark.both_databases
@pytest.mark.parametrize("who", ["acme", "acme's Ada"])
def test_reads_of_one_caller_hold_up_nobody(
    api: Api, programs: dict[str, httpx.Client], monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    held = Held(statements.balances, only="acme")
    monkeypatch.setattr(statements, "balances", held)
    with many(programs[who], "/organizations/acme/balances") as asked:
        held.until(OTHERS["read"].each)
        assert decide(programs["other"], "other") == [200, 200, 201, 202]
        assert programs["other"].get("/organizations/other/balances").status_code == 200
        assert programs["other's Ada"].get("/organizations/other/balances").status_code == 200
        assert decide(programs["acme"], "acme") == [200, 200, 201, 202]  # nor what acme's product asks meanwhile
        assert httpx.get(f"{api.url}/healthz").status_code == 200
        assert held.began == OTHERS["read"].each
        held.free.set()
        answers = [each.result(WAIT_S) for each in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert held.most == OTHERS["read"].each
    assert nothing_left(api)


@pytest.mark.both_databases
def test_reads_of_everybody_hold_up_no_decision(
    api: Api, programs: dict[str, httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(statements.balances)
    monkeypatch.setattr(statements, "balances", held)
    reading = OTHERS["read"].at_once
    with ThreadPoolExecutor(4 * reading) as pool:
        asked = [
            pool.submit(programs[who].get, f"/organizations/{who[:4] if who != 'other' else who}/balances")
            for who in ("acme", "acme's Ada", "other")
            for _ in range(reading)
        ]
        held.until(reading)
        assert decide(programs["other"], "other") == [200, 200, 201, 202]
        assert httpx.get(f"{api.url}/readyz").status_code == 200
        held.free.set()
        assert {each.result(WAIT_S).status_code for each in asked} == {200}
    assert held.most == reading


@contextmanager
def locked(database: Database, address: str) -> Generator[None]:
    """Somebody outside holds what a consume of that organization writes: its meters, or on SQLite the file."""
    with database.engine.begin() as connection:  # BEGIN IMMEDIATE on SQLite
        if not database.sqlite:
            connection.execute(
                text(
                    "SELECT 1 FROM meters JOIN organizations ON organizations.id = organization_id "
                    "WHERE address = :address FOR UPDATE OF meters"
                ),
                {"address": address},
            )
        yield


@pytest.mark.both_databases
def test_consumes_that_wait_for_a_lock_hold_up_no_check_and_no_other_consume(
    api: Api, programs: dict[str, httpx.Client]
) -> None:
    for address in ("acme", "other"):
        assert decide(programs[address], address, "before") == [200, 200, 201, 202]
    api.now = NOON.replace(minute=10)  # so that each key's use is worth a note again, for which nobody waits
    body = {"metric": "bandwidth", "quantity": 1}
    with ThreadPoolExecutor(FEW) as pool:
        with locked(api.database, "acme"):
            asked = [
                pool.submit(
                    programs["acme"].post, "/organizations/acme/consume", json=body, headers={"Idempotency-Key": f"{n}"}
                )
                for n in range(FEW)
            ]
            turns = layer(api).turns["consume"]
            until(lambda: turns.going == DECIDING["consume"].each and turns.waiting == FEW - turns.going)
            for address in ("acme", "other"):
                answer = programs[address].post(f"/organizations/{address}/check", json={"metric": "bandwidth"})
                assert answer.status_code == 200
                assert programs[address].get(f"/organizations/{address}/balances").status_code == 200
            if not api.database.sqlite:  # one file has one writer
                assert decide(programs["other"], "other", "meanwhile") == [200, 200, 201, 202]
        answers = [each.result(WAIT_S) for each in asked]
    # A lock that is held for too long is told as such, on either kind.
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert nothing_left(api)


@contextmanager
def narrow(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> Generator[None]:
    """Reads with such limits, for an app that has not answered yet."""
    usual = Limits(at_once=1, each=1, waiting=100, waiting_each=100, seconds=60.0)
    with monkeypatch.context() as patch:
        patch.setattr(lanes, "OTHERS", {**OTHERS, "read": replace(usual, **changed)})
        yield


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("limits", "status", "code"),
    [
        ({"waiting_each": 2}, 429, "too_many_at_once"),
        ({"waiting": 2}, 503, "busy"),
        ({"seconds": 0.05}, 429, "too_many_at_once"),
        ({"at_once": 2, "each": 2, "seconds": 0.05}, 503, "busy"),
    ],
)
def test_what_cannot_be_begun_in_time_is_told_so(
    api: Api,
    programs: dict[str, httpx.Client],
    monkeypatch: pytest.MonkeyPatch,
    limits: dict[str, Any],
    status: int,
    code: str,
) -> None:
    held = Held(statements.balances)
    monkeypatch.setattr(statements, "balances", held)
    with narrow(monkeypatch, **limits):
        layers = programs["acme"].get("/organizations/acme/grants")
    assert layers.status_code == 200
    going = limits.get("at_once", 1)
    with ThreadPoolExecutor(10) as pool:
        first = [pool.submit(programs["other"].get, "/organizations/other/balances")] if going == 2 else []
        first += [pool.submit(programs["acme"].get, "/organizations/acme/balances")]
        held.until(going)
        more = [pool.submit(programs["acme"].get, "/organizations/acme/balances") for _ in range(5)]
        waiting = min(limits.get("waiting_each", 5), limits.get("waiting", 5)) if "seconds" not in limits else 0
        refused = [each for each in more if settled(each, layer(api).turns["read"].waiting == waiting)]
        told = [each.result(WAIT_S) for each in refused]
        assert len(told) == 5 - waiting
        for answer in told:
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
        assert httpx.get(f"{api.url}/healthz").status_code == 200
        assert httpx.get(f"{api.url}/readyz").status_code == 200
        held.free.set()
        assert {each.result(WAIT_S).status_code for each in [*first, *(set(more) - set(refused))]} == {200}
    assert nothing_left(api)


def settled(asked: Future[httpx.Response], _all_in_line: bool) -> bool:
    """Whether it was answered while the others are held."""
    try:
        asked.result(2)
    except TimeoutError:
        return False
    return True


@pytest.mark.both_databases
def test_a_caller_without_a_credential_has_a_share_by_address(api: Api) -> None:
    the_catalogue(api.database)
    with api.client() as anyone:
        assert anyone.get("/plans").status_code == 200
        assert anyone.get("/organizations/acme/balances").status_code == 401
    assert nothing_left(api)


def test_every_route_has_its_lane() -> None:
    """What products ask before and after what they do is apart from everything that is read or changed."""
    found: dict[str, set[str]] = {}
    for route in MATRIX:
        method, path = str(route).split(" ", 1)
        found.setdefault(lane_of(method, path.replace("{address}", "acme"), known=True), set()).add(str(route))
    assert found["check"] == {"POST /organizations/{address}/check"}
    assert found["usage"] == {"POST /organizations/{address}/usage"}
    assert found["consume"] == {
        "POST /organizations/{address}/consume",
        "POST /organizations/{address}/reservations",
        "POST /organizations/{address}/reservations/{reservation_id}/confirm",
        "DELETE /organizations/{address}/reservations/{reservation_id}",
    }
    assert all(route.startswith("GET ") for route in found["read"])
    assert not any(route.startswith("GET ") for route in found["write"])
    assert lane_of("POST", "/webhooks/stripe", known=False) == "stripe"
    assert lane_of("POST", "/sign-in", known=False) == "open"


def test_turns_alone_decide_who_waits() -> None:
    """There are a thread and a connection for all that may go on at once."""
    every = [*DECIDING.values(), *OTHERS.values()]
    assert sum(limits.at_once for limits in every) < THREADS
    assert all(limits.each < limits.at_once for name, limits in {**DECIDING, **OTHERS}.items() if name != "stripe")
    without = sum(limits.at_once for name, limits in OTHERS.items() if name != "write")
    assert without < lanes.OTHER_CONNECTIONS


def nothing_left(api: Api) -> bool:
    """Nobody goes on, waits or is remembered."""
    return until(lambda: all(turns.going + turns.waiting + turns.callers == 0 for turns in layer(api).turns.values()))


def until(so: Callable[[], bool]) -> bool:
    """Whether it came to be so."""
    again = threading.Event()
    for _ in range(WAIT_S * 100):
        if so():
            return True
        again.wait(0.01)
    return False
