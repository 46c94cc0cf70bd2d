"""Webhooks that we send: signed as Standard Webhooks says, to addresses that were looked at, with limits on everything.

One request and one answer: redirects are not followed, no proxy or cookie is used, and whoever answers slowly or
endlessly is cut off.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import httpcore
import httpx
from standardwebhooks import Webhook

from billing_app.gateways import tls
from billing_app.settings import Settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses whose last 32 bits are an IPv4 address behind a translator."""

INSIDE = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "168.63.129.16/32", "fec0::/10", "3fff::/20")))
"""What Python takes for public and is not: addresses at which clouds tell a machine its secrets, and such that were set
aside for private networks or for documentation."""


class RefusedAddressError(OSError):
    """Nothing may be sent there."""


def networks(listed: str) -> tuple[Network, ...]:
    """The networks of a list separated by commas. Raises ValueError for what is none."""
    return tuple(ipaddress.ip_network(each.strip()) for each in listed.split(",") if each.strip())


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for; else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def allowed(address: Address, private: Iterable[Network] = ()) -> bool:
    """Whether something may be sent to `address`: a public one, or one of the networks `private`."""
    found = plain(address)
    if any(found in network for network in private if network.version == found.version):
        return True
    if any(found in network for network in INSIDE if network.version == found.version):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved and not found.is_unspecified


def resolved(host: str, port: int, private: Iterable[Network] = ()) -> str:
    """An address of `host` that may be connected to. Raises RefusedAddressError, or OSError for an unknown name.

    One forbidden address among several refuses the name: it is somebody's attempt, and no accident.
    """
    found = [info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    addresses = [ipaddress.ip_address(str(each).partition("%")[0]) for each in found]
    if not addresses or not all(allowed(address, private) for address in addresses):
        raise RefusedAddressError(f"{host} leads to an address inside a private network, where nothing is sent.")
    return str(addresses[0])


CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
"""A receiver should store the message and answer; 15 s are plenty for that, as Standard Webhooks advises."""

MAX_ANSWER_BYTES = 4_096
"""Of the answer's body that are read; more of it tells nobody anything."""

USER_AGENT = "Billing-Console-Webhooks/1"


DEMO_NETWORKS = "127.0.0.0/8"
"""The demo's receiver is on this machine."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try. `status` is None where there was no answer; `error` is a sentence, empty if it worked.

    `gone` says not to try again: the receiver asked for that (410).
    """

    status: int | None
    error: str
    text: str
    duration_ms: int
    gone: bool = False

    @property
    def ok(self) -> bool:
        """Whether the message has arrived."""
        return not self.error


class WebhookSender(Protocol):
    """Sends one message to one URL."""

    def send(self, url: str, headers: Mapping[str, str], body: str) -> Answer:
        """Sends it and says what came of it; never raises for what the other side does."""


def reachable(settings: Settings) -> tuple[Network, ...]:
    """The networks that webhooks may reach besides the public internet. Raises ValueError for what is none."""
    return networks(settings.webhook_networks or (DEMO_NETWORKS if settings.demo else ""))


def signed(message_id: str, at: datetime, body: str, secrets: Iterable[str]) -> dict[str, str]:
    """The three headers of Standard Webhooks, with one signature for each secret that is valid now."""
    signatures = [Webhook(secret).sign(message_id, at, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


class HttpWebhookSender:
    """Sends over HTTP. `private` are the networks besides the public internet that may be reached."""

    def __init__(self, private: tuple[Network, ...] = (), total_seconds: float = TOTAL_SECONDS) -> None:
        """Opens nothing yet: each message has a connection of its own."""
        self._private = private
        self._total = total_seconds

    def send(self, url: str, headers: Mapping[str, str], body: str) -> Answer:
        """One POST."""
        began = time.monotonic()
        status, text, error = None, "", ""
        try:
            status, text = self._post(url, headers, body.encode(), began + self._total)
            error = "" if 200 <= status < 300 else _refused(status)
        except RefusedAddressError as refused:
            error = str(refused)
        except (httpcore.TimeoutException, TimeoutError):
            error = f"No whole answer within {self._total:g} seconds."
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.InvalidURL, OSError, ValueError) as failure:
            error = f"No connection: {str(failure).strip() or type(failure).__name__}"
        took = int((time.monotonic() - began) * 1_000)
        return Answer(status, error[:500], text, took, gone=status == 410)

    def _post(self, url: str, headers: Mapping[str, str], body: bytes, deadline: float) -> tuple[int, str]:
        target = httpx.URL(url)
        own = {"Content-Type": "application/json", "User-Agent": USER_AGENT, "Connection": "close"}
        host = target.netloc.decode("ascii")
        core_url = httpcore.URL(
            scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
        )
        network = _Checked(self._private, deadline)
        with (
            httpcore.ConnectionPool(ssl_context=tls.context(), network_backend=network, retries=0) as pool,
            pool.stream("POST", core_url, headers={"Host": host, **own, **headers}, content=body) as answer,
        ):
            read = b""
            for chunk in answer.iter_stream():
                read += chunk
                if len(read) >= MAX_ANSWER_BYTES:
                    break
        return answer.status, read[:MAX_ANSWER_BYTES].decode("utf-8", "replace").replace("\x00", "")


class _Checked(httpcore.NetworkBackend):
    """Connects to the address that was looked at, and lets nothing take longer than until the deadline."""

    def __init__(self, private: tuple[Network, ...], deadline: float) -> None:
        self._private = private
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        address = resolved(host, port, self._private)
        wait = min(CONNECT_SECONDS, _left(self._deadline))
        return _Hurried(self._inner.connect_tcp(address, port, wait, local_address, socket_options), self._deadline)


class _Hurried(httpcore.NetworkStream):
    """A connection on which the sum of all waiting has an end: a byte every few seconds does not keep it open."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Hurried(self._inner.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _refused(status: int) -> str:
    if 300 <= status < 400:
        return f"It answered {status}, a redirect. Redirects are not followed: change the address."
    if status == 410:
        return "It answered 410 Gone."
    return f"It answered {status}."
