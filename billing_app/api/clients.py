"""Where a request comes from: the address that failed sign-ins are counted for."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request

from billing_app.gateways.addresses import Network, networks, plain

MAX_HOPS = 20
"""Addresses of X-Forwarded-For that are looked at, from our end."""


def client_of(request: Request, trusted_proxies: str) -> str:
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
