"""Which network addresses a customer's URL may lead us to: public ones, and those that a setting names.

A customer chooses the URL and its DNS. So a name is resolved once, each address is looked at, and the connection goes
to an address that was looked at: asking DNS again could give another one.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

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
