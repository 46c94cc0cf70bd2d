"""Webhooks that we send: where to, how long, and that the reference library takes them."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from billing_app.gateways.webhooks import (
    MAX_ANSWER_BYTES,
    Answer,
    HttpWebhookSender,
    RefusedAddressError,
    allowed,
    networks,
    resolved,
    signed,
)
from tests.support.webhook_receiver import Receiver, running_receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYq="
OLD = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs="
HERE = networks("127.0.0.0/8")


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def receiver(server: Receiver) -> Receiver:
    server.received.clear()
    server.status = 204
    return server


def send(url: str, *, total: float = 5.0, private: Any = HERE, secrets: tuple[str, ...] = (SECRET,)) -> Answer:
    body = '{"type":"test","data":{}}'
    return HttpWebhookSender(private, total).send(url, signed("msg_1", datetime.now(UTC), body, secrets), body)


def test_the_reference_library_takes_what_arrives(receiver: Receiver) -> None:
    answer = send(f"{receiver.url}/hooks?for=billing")
    assert (answer.ok, answer.status, answer.error) == (True, 204, "")
    (came,) = receiver.received
    assert came.path == "/hooks?for=billing"
    assert came.verified(SECRET) == {"type": "test", "data": {}}
    assert came.headers["webhook-id"] == "msg_1"
    assert came.headers["host"] == receiver.url.removeprefix("http://")
    assert not came.verifies(OLD)


def test_two_secrets_give_two_signatures_and_either_is_enough(receiver: Receiver) -> None:
    send(receiver.url, secrets=(SECRET, OLD))
    (came,) = receiver.received
    assert came.headers["webhook-signature"].count("v1,") == 2
    assert came.verifies(SECRET)
    assert came.verifies(OLD)


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("broken", 500, "It answered 500."),
        ("gone", 410, "It answered 410 Gone."),
        ("redirect", 302, "It answered 302, a redirect. Redirects are not followed: change the address."),
        ("nonsense", None, "No connection"),
    ],
)
def test_anything_but_success_is_said(receiver: Receiver, path: str, status: int | None, error: str) -> None:
    answer = send(f"{receiver.url}/{path}")
    assert (answer.ok, answer.status, answer.gone) == (False, status, status == 410)
    assert answer.error.startswith(error)
    assert [each.path for each in receiver.received] == [f"/{path}"], "nobody is asked twice"


@pytest.mark.parametrize("path", ["hang", "drip"])
def test_who_answers_slowly_is_cut_off(receiver: Receiver, path: str) -> None:
    began = time.monotonic()
    answer = send(f"{receiver.url}/{path}", total=0.5)
    assert time.monotonic() - began < 2
    assert answer.error == "No whole answer within 0.5 seconds."


def test_an_endless_answer_is_read_only_so_far(receiver: Receiver) -> None:
    answer = send(f"{receiver.url}/huge")
    assert answer.ok
    assert len(answer.text) == MAX_ANSWER_BYTES


def test_nobody_there_is_said(receiver: Receiver) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = send(f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert answer.status is None
    assert answer.error.startswith("No connection")


def test_a_name_that_does_not_exist_is_said() -> None:
    assert send("https://nobody.invalid/").error.startswith("No connection")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
        "2002:a9fe:a9fe::1", "::127.0.0.1", "2001:db8::1", "fec0::1", "3fff::1", "192.0.0.192", "168.63.129.16",
        "::ffff:168.63.129.16",
    ],
)  # fmt: skip
def test_nothing_is_sent_into_private_networks(address: str) -> None:
    assert not allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_the_public_internet_is_open(address: str) -> None:
    assert allowed(ipaddress.ip_address(address))


def test_a_setting_opens_exactly_what_it_names() -> None:
    private = networks("10.1.0.0/16, 127.0.0.0/8")
    assert allowed(ipaddress.ip_address("10.1.2.3"), private)
    assert allowed(ipaddress.ip_address("::ffff:10.1.2.3"), private)
    assert not allowed(ipaddress.ip_address("10.2.0.1"), private)
    assert not allowed(ipaddress.ip_address("::1"), private)
    with pytest.raises(ValueError, match="does not appear to be"):
        networks("localhost")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]"])
def test_no_way_of_writing_an_address_gets_past(receiver: Receiver, host: str) -> None:
    port = receiver.url.rpartition(":")[2]
    answer = send(f"http://{host}:{port}/", private=())
    assert (answer.ok, receiver.received) == (False, [])


def dns(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Lets a name resolve to the next of `answers` each time it is asked for; gives the names that were asked."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *more: Any, **options: Any) -> list[Any]:
        if host[0].isdigit():
            return real(host, port, *more, **options)  # an address, and no name that anybody would be asked about
        addresses = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_the_address_that_was_looked_at_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    """A name that turns from an allowed address to another between two look-ups: there is no second look-up."""
    asked = dns(monkeypatch, ["127.0.0.1"], ["10.255.255.1"])
    port = receiver.url.rpartition(":")[2]
    assert send(f"http://rebinding.example:{port}/").ok
    assert asked == ["rebinding.example"]
    assert receiver.received[0].headers["host"] == f"rebinding.example:{port}"


def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    dns(monkeypatch, ["93.184.215.14", "169.254.169.254"])
    with pytest.raises(RefusedAddressError):
        resolved("mixed.example", 443)
    assert send("https://mixed.example/", private=()).error == (
        "mixed.example leads to an address inside a private network, where nothing is sent."
    )


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert send(receiver.url).ok
