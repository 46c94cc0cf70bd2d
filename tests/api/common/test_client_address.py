"""Whom a request comes from, behind proxies: strangers neither lock others out nor count as somebody else."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from billing_app.api.common.client_address import client_of
from billing_app.services.access import sign_in_throttle
from tests.api.conftest import Api, error_of
from tests.support.builders import PASSWORD

LOCAL = "127.0.0.0/8,::1"


def a_request(peer: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return Request({"type": "http", "headers": headers, "client": (peer, 1)})


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "client"),
    [
        ("203.0.113.7", [], LOCAL, "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], LOCAL, "203.0.113.7"),
        ("127.0.0.1", ["198.51.100.1"], LOCAL, "198.51.100.1"),
        ("127.0.0.1", ["1.1.1.1, 198.51.100.1"], LOCAL, "198.51.100.1"),
        ("127.0.0.1", ["1.1.1.1", "198.51.100.1"], LOCAL, "198.51.100.1"),
        ("::1", ["2001:db8::7"], LOCAL, "2001:db8::7"),
        ("::ffff:127.0.0.1", ["198.51.100.1"], LOCAL, "198.51.100.1"),
        ("127.0.0.1", ["1.1.1.1, 198.51.100.1, 10.0.0.2"], f"{LOCAL},10.0.0.0/8", "198.51.100.1"),
        ("127.0.0.1", ["127.0.0.1"], LOCAL, "127.0.0.1"),
        ("127.0.0.1", ["nonsense"], LOCAL, "nonsense"),
        ("127.0.0.1", ["198.51.100.1"], "", "127.0.0.1"),
        ("127.0.0.1", [" , ,"], LOCAL, "127.0.0.1"),
    ],
)
def test_the_client_is_the_first_from_our_end_that_is_no_proxy_of_ours(
    peer: str, forwarded: list[str], trusted: str, client: str
) -> None:
    assert client_of(a_request(peer, *forwarded), trusted) == client


def test_a_stranger_behind_the_same_proxy_locks_nobody_out(api: Api, ada: str) -> None:
    with api.browser() as browser:
        for _ in range(sign_in_throttle.PAIR_FAILURES + 1):
            form = {"email": ada, "password": "wrong"}
            answer = browser.post("/sign-in", data=form, headers={"X-Forwarded-For": "spoofed, 198.51.100.1"})
        assert error_of(answer, "/sign-in") == "too_many_attempts"
        form["password"] = PASSWORD
        owner = browser.post("/sign-in", data=form, headers={"X-Forwarded-For": "203.0.113.7"})
    assert owner.headers["location"] == "/"
