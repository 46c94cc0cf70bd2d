"""Requests per caller: let in up to a limit, told what is left, and when to come again."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.api import app as building
from billing_app.api.common.rate_limits import WINDOW_S, Buckets, Limit, MemoryBuckets, RedisBuckets, buckets_of
from billing_app.db import Database
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import a_key, a_session_token, a_user, an_organization, the_catalogue


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        """Begins somewhere."""
        self.seconds = 1000.0

    def __call__(self) -> float:
        """Now."""
        return self.seconds


def take(buckets: Buckets, limit: Limit, times: int, caller: str = "a") -> int:
    """How many of `times` requests are let in."""

    async def all_of_them() -> int:
        try:
            return sum([(await buckets.take(caller, limit)).allowed for _ in range(times)])
        finally:
            if isinstance(buckets, RedisBuckets):
                await buckets.close()

    return asyncio.run(all_of_them())


def test_a_quiet_caller_may_use_all_of_a_minute_at_once() -> None:
    clock = Clock()
    buckets, limit = MemoryBuckets(clock), Limit(10)
    assert take(buckets, limit, 15) == 10
    assert take(buckets, limit, 15, caller="b") == 10
    clock.seconds += WINDOW_S / 10
    assert take(buckets, limit, 5) == 1
    clock.seconds += WINDOW_S
    assert take(buckets, limit, 15) == 10


@given(
    limit=st.integers(1, 50).map(Limit),
    waits=st.lists(st.floats(0, 30), min_size=1, max_size=200),
)
def test_no_minute_lets_in_more_than_twice_the_limit(limit: Limit, waits: list[float]) -> None:
    """All of a full bucket, and what flows in meanwhile; never more, and over long spans the limit itself."""
    clock = Clock()
    buckets = MemoryBuckets(clock)
    let_in: list[float] = []
    for wait in waits:
        clock.seconds += wait
        if take(buckets, limit, 1):
            let_in.append(clock.seconds)
    for start in let_in:
        within = sum(start <= at < start + WINDOW_S for at in let_in)
        assert within <= 2 * limit.requests


@pytest.mark.both_databases
def test_redis_counts_for_all_processes(redis_url: str) -> None:
    limit = Limit(20)
    counts: list[int] = []

    def client() -> None:
        counts.append(take(RedisBuckets(redis_url), limit, 15, caller=redis_url))

    clients = [threading.Thread(target=client) for _ in range(3)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    assert 20 <= sum(counts) <= 21, "20, and one more if the run took three seconds"


def test_a_redis_that_does_not_answer_stops_nobody() -> None:
    assert take(RedisBuckets("redis://127.0.0.1:1"), Limit(1), 3) == 3


class TestOverHttp:
    """What callers see of it."""

    @pytest.fixture(params=["memory", "redis"])
    def api(self, site: Site, database: Database, request: pytest.FixtureRequest) -> Iterator[Api]:
        buckets = buckets_of(request.getfixturevalue("redis_url") if request.param == "redis" else "")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(building, "buckets_of", lambda _: buckets)
            yield Api(site, database, rate_limit_per_minute=5)
        site.app = None
        if isinstance(buckets, RedisBuckets):
            site.run(buckets.close())  # else Python warns of the open connection, in whichever test comes then

    @pytest.fixture
    def callers(self, api: Api) -> Iterator[dict[str, httpx.Client]]:
        the_catalogue(api.database)
        with api.database.writing() as session:
            acme = an_organization(session)
            keys = [a_key(session, acme, "check")[0] for _ in range(2)]
            token = a_session_token(session, a_user(session, member_of=acme))
        found = {"one": api.program(keys[0]), "two": api.program(keys[1]), "person": api.browser(token)}
        found["anyone"] = api.client()
        yield found
        for client in found.values():
            client.close()

    def test_too_many_are_told_when_to_come_again(self, callers: dict[str, httpx.Client]) -> None:
        question = {"metric": "bandwidth"}
        answers = [callers["one"].post("/organizations/acme/check", json=question) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        left = [re.findall(r'^"caller";r=(\d+);t=\d+$', answer.headers["ratelimit"]) for answer in answers]
        assert left == [["4"], ["3"], ["2"], ["1"], ["0"], ["0"]]
        assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"caller";q=5;w=60'}
        refused = answers[-1]
        assert refused.headers["content-type"] == "application/problem+json"
        assert (refused.json()["code"], refused.json()["limit"]) == ("rate_limited", 5)
        assert 1 <= int(refused.headers["retry-after"]) <= WINDOW_S // 5
        assert "content-security-policy" in refused.headers

    def test_callers_do_not_share(self, callers: dict[str, httpx.Client]) -> None:
        for _ in range(6):
            callers["one"].get("/plans")
        assert callers["one"].get("/plans").status_code == 429
        for other in ("two", "person", "anyone"):
            assert callers[other].get("/plans").status_code == 200

    def test_a_browser_counts_by_its_session(self, callers: dict[str, httpx.Client]) -> None:
        statuses = [callers["person"].get("/organizations/acme/balances").status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]

    def test_who_shows_nothing_is_not_counted(self, callers: dict[str, httpx.Client]) -> None:
        answers = [callers["anyone"].get("/plans") for _ in range(8)]
        assert {answer.status_code for answer in answers} == {200}
        assert "ratelimit" not in answers[0].headers
