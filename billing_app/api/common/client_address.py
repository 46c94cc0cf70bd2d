"""Where a request comes from: the credential that limits count for, and the address that failed sign-ins count for."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence

from starlette.requests import HTTPConnection
from starlette.types import Scope

from billing_app.gateways.webhooks import Network, networks, plain
from billing_app.services.access.cookies import token_in

MAX_HOPS = 20
"""Addresses of X-Forwarded-For that are looked at, from our end."""


CALLER = "billing.caller"
"""Where a request's scope keeps what `caller_of` found."""


def caller_of(scope: Scope, *, secure: bool) -> str | None:
    """Names the credential of a request, an API key or a browser's session, as a hash; None for one without."""
    if CALLER not in scope:
        scope[CALLER] = _credential(scope, secure=secure)
    return scope[CALLER]


def _credential(scope: Scope, *, secure: bool) -> str | None:
    credential: bytes | None = None
    cookies: list[str] = []
    for name, value in scope["headers"]:
        if name == b"authorization":
            credential = value
        elif name == b"cookie":
            cookies.append(value.decode("latin-1"))
    if credential is None:
        token = token_in("; ".join(cookies), secure=secure) if cookies else None
        credential = token.encode("latin-1", "replace") if token else None
    return None if credential is None else hashlib.sha256(credential).hexdigest()


def client_of(request: HTTPConnection, trusted_proxies: str) -> str:
    """The address of the client, as told by the proxies before us; empty where it cannot be known.

    Each proxy adds whom it was asked by to X-Forwarded-For, on the right. Whatever is left of the first address that is
    no proxy of ours was sent by that client, who may write there what they like.
    """
    trusted = networks(trusted_proxies)
    address = request.client.host if request.client else ""
    said = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    for before in [each.strip() for each in said if each.strip()][: -MAX_HOPS - 1 : -1]:
        if not _within(address, trusted):
            break
        address = before
    return address


def _within(address: str, trusted: Sequence[Network]) -> bool:
    try:
        found = plain(ipaddress.ip_address(address))
    except ValueError:
        return False
    return any(found in network for network in trusted if network.version == found.version)
