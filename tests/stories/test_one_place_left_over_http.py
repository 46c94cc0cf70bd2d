"""Programs that ask several servers of one database at the same moment: exactly as many get in as there is room for.

On PostgreSQL the servers are processes of their own; SQLite serves one process.
"""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.access import Scope
from billing_app.domain.organizations.limits import Limit
from billing_app.locations import ROOT
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.limits import limits, overrides
from billing_app.services.limits.overrides import Kind
from billing_app.services.organizations import children
from billing_app.services.processes import processes
from billing_app.services.usage import accounts
from tests.conftest import SHARED
from tests.support import databases
from tests.support.builders import a_key, an_organization, the_catalogue
from tests.support.consume_client import GB
from tests.support.patience import PATIENCE_SECONDS

SERVERS = 2
CLIENTS = 9
COMPLETE: dict[str, Any] = {
    "title": "Board",
    "questions": [{"title": "Who?", "answers": ["Ada", "Grace"]}],
    "census": 50,
}

Creation = Callable[[int], tuple[str, dict[str, Any]]]

CREATIONS: dict[Limit, Creation] = {
    Limit.MEMBERSHIPS: lambda number: ("members", {"email": f"new{number}@example.org"}),
    Limit.SUB_ORGS: lambda number: ("suborganizations", {"name": f"Part {number}"}),
    Limit.PROCESSES: lambda _: ("processes", COMPLETE | {"publish": True}),
    Limit.DRAFTS: lambda _: ("processes", {"title": "Board"}),
}
"""What a client asks for, after /organizations/{address}/."""


@contextmanager
def serving(database: Database, *stripe: str) -> Generator[list[str]]:
    """The addresses of servers that answer; `stripe` is the key and address of a fake Stripe that they sell with."""
    url = database.url.render_as_string(hide_password=False)
    ports = [_free_port() for _ in range(1 if database.sqlite else SERVERS)]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.api_server", url, str(port), *stripe],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        for port in ports
    ]
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    try:
        for address in addresses:
            _wait(f"{address}/livez")
        yield addresses
    finally:
        for server in started:
            server.kill()
            server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"{url} did not answer")


@dataclass
class Town:
    """A database, and the servers that work on it."""

    database: Database
    addresses: list[str]
    until: ExitStack

    def callers(self, *secrets: str) -> list[httpx.Client]:
        """Clients with these keys in turn, spread over the servers."""
        turns = zip(range(CLIENTS), itertools.cycle(self.addresses), itertools.cycle(secrets), strict=False)
        return [
            self.until.enter_context(
                httpx.Client(
                    base_url=f"{address}/api/v1/organizations/",
                    headers={"Authorization": f"Bearer {secret}"},
                    timeout=PATIENCE_SECONDS,
                    verify=False,
                )
            )
            for _, address, secret in turns
        ]


def stocked(stack: ExitStack, config: pytest.Config, kind: str, folder: Path) -> Database:
    """A database of one module's stories with the catalogue, until the end of `stack`."""
    shared = config.stash[SHARED]
    if kind == "sqlite":
        url = databases.sqlite_database(shared.sqlite_template, folder)
    else:
        url = stack.enter_context(databases.postgres_database(shared.postgres_uri))
    database = databases.opened(url)
    stack.callback(database.close)
    the_catalogue(database)
    return database


@pytest.fixture(scope="module")
def town(
    database_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """One database for all stories here, because a server takes seconds to start; each has organizations of its own."""
    with ExitStack() as stack:
        database = stocked(stack, request.config, database_kind, tmp_path_factory.mktemp("town"))
        yield Town(database, stack.enter_context(serving(database)), stack)


def a_family(database: Database, name: str, limit: Limit | None) -> tuple[str, str]:
    """An organization with one part, and room for one more; the secrets of their keys."""
    now = clock.now()
    with database.writing() as session:
        top = an_organization(session, name)
        grants.change_plan(Context(session, top, now), "pro")
        part = children.create(Context(session, top, now, "tests"), name="Part", address=f"{name}-part")
        if limit is not None:
            room = limits.peek(Context(session, top, now), limit).used + 1
            overrides.put(Context(session, top, now, "tests"), Kind.LIMIT, limit, room, ends_at=None, reason="a test")
        return a_key(session, top, *Scope, now=now)[0], a_key(session, part, *Scope, now=now)[0]


def at_once(clients: list[httpx.Client], names: tuple[str, str], creation: Creation) -> list[httpx.Response]:
    """All clients ask at the same moment, every other one by way of the part."""
    begin = Barrier(len(clients))

    def ask(number: int) -> httpx.Response:
        path, body = creation(number)
        begin.wait()
        return clients[number].post(f"{names[number % 2]}/{path}", json=body)

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(ask, range(len(clients))))


@pytest.mark.parametrize("limit", CREATIONS)
def test_exactly_one_gets_the_last_place(town: Town, limit: Limit) -> None:
    names = (limit.lower(), f"{limit.lower()}-part")
    answers = at_once(town.callers(*a_family(town.database, names[0], limit)), names, CREATIONS[limit])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 403: CLIENTS - 1}
    with town.database.reading() as session:
        taken = limits.peek(Context(session, organizations.by_address(session, names[0]), clock.now()), limit)
    assert taken.used == taken.maximum
    for said in (answer.json() for answer in answers if answer.status_code == 403):
        told = (said["code"], said["name"], said["limit"], said["used"], said["plan"])
        assert told == ("limit_reached", limit, taken.maximum, taken.maximum, "pro")


def test_a_draft_that_many_publish_is_published_once(town: Town) -> None:
    clients = town.callers(a_family(town.database, "board", None)[0])
    made = clients[0].post("board/processes", json=COMPLETE | {"email_reminders": 2}).json()["id"]

    def both(_: int) -> tuple[str, dict[str, Any]]:
        return f"processes/{made}/publish", {}

    answers = at_once(clients, ("board", "board"), both)
    assert Counter(answer.status_code for answer in answers) == {200: CLIENTS}
    with town.database.reading() as session:
        board = organizations.by_address(session, "board")
        assert accounts.account(session, board, "emails", clock.now()).used == 100
        assert [each.row.state for each in processes.listed(session, board, 10)] == ["published"]


def test_together_they_take_every_byte_and_not_one_more(town: Town) -> None:
    database = town.database
    limit = 3 * GB // 10 + 1
    secrets = a_family(database, "acme", None)
    with database.writing() as session:
        acme = organizations.by_address(session, "acme")
        allowance = accounts.account(session, acme, "bandwidth", clock.now()).allowance
        assert allowance is not None
        grants.grant(
            Context(session, acme, clock.now()),
            grants.NewGrant("bandwidth", limit, source="given", source_key="a", reason="A test"),
        )
    clients = town.callers(*secrets)
    steps = (GB // 10, GB // 4, 7 * GB // 10, 1)
    assert (
        clients[0]
        .post(
            "acme/consume",
            json={"metric": "bandwidth", "quantity": allowance - GB},
            headers={"Idempotency-Key": "first"},
        )
        .is_success
    )

    def client(number: int) -> tuple[int, int]:
        """Takes, and holds, until nothing is left; how much of each."""
        name, taken, held = ("acme", "acme-part")[number % 2], 0, 0
        for turn in itertools.count():
            body = {"metric": "bandwidth", "quantity": steps[(number + turn) % len(steps)]}
            key = {"Idempotency-Key": f"{number}-{turn}"}
            if turn % 4 == 3:
                answer = clients[number].post(f"{name}/reservations", json=body, headers=key)
                held += answer.json()["quantity"] if answer.status_code == 201 else 0
                continue
            mode = "clamp" if turn >= 2 else "reject"
            answer = clients[number].post(f"{name}/consume", json=body | {"mode": mode}, headers=key)
            if answer.status_code == 200:
                taken += answer.json()["accepted"]
            elif mode == "clamp":
                assert answer.json()["code"] == "credits_exhausted"
                break
        return taken, held

    with ThreadPoolExecutor(CLIENTS) as pool:
        done = list(pool.map(client, range(CLIENTS)))
    assert sum(taken + held for taken, held in done) == GB + limit
    with database.reading() as session:
        found = accounts.account(session, organizations.by_address(session, "acme"), "bandwidth", clock.now())
    assert found.used == allowance - GB + sum(taken for taken, _ in done)
    assert found.deficit == 0
