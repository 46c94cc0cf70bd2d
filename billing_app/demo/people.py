"""Who can sign in to the demo, and where. Addresses end in `.example`, which belongs to nobody (RFC 2606)."""

from __future__ import annotations

from dataclasses import dataclass

from billing_app.domain.common.access import Role

PASSWORD = "only-for-the-demo"  # noqa: S105  # meant to be known
"""Everybody's, and no secret: demo users can't sign in elsewhere, and the demo never starts on a public address."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in to the demo."""

    email: str
    name: str
    operator: bool = False


@dataclass(frozen=True, slots=True)
class DemoOrganization:
    """An organization of the demo and who is what in it. The first member is its admin."""

    address: str
    name: str
    members: tuple[tuple[Person, Role], ...]


@dataclass(frozen=True, slots=True)
class DemoAccounts:
    """Everybody who can sign in, all with one password."""

    password: str
    operator: Person
    organizations: tuple[DemoOrganization, ...]


NORA = Person("nora@larkfield.example", "Nora Sandell")
"""Admin of the first organization with other roles in the other two: the switcher has something to switch."""

LARKFIELD = DemoOrganization(
    "larkfield-maps",
    "Larkfield Maps",
    (
        (NORA, Role.ADMIN),
        (Person("felix@larkfield.example", "Felix Abara"), Role.BILLING),
        (Person("june@larkfield.example", "June Castellan"), Role.MEMBER),
    ),
)

MARLOW = DemoOrganization(
    "marlow-letters",
    "Marlow Letters",
    (
        (Person("theo@marlow.example", "Theo Marlow"), Role.ADMIN),
        (Person("ines@marlow.example", "Ines Corrado"), Role.BILLING),
        (Person("pavel@marlow.example", "Pavel Hruska"), Role.MEMBER),
        (NORA, Role.BILLING),
    ),
)

PEBBLEBROOK = DemoOrganization(
    "pebblebrook-archive",
    "Pebblebrook Archive",
    (
        (Person("greta@pebblebrook.example", "Greta Oyelaran"), Role.ADMIN),
        (Person("samir@pebblebrook.example", "Samir Vance"), Role.BILLING),
        (Person("lotte@pebblebrook.example", "Lotte Brandt"), Role.MEMBER),
        (NORA, Role.MEMBER),
    ),
)

ACCOUNTS = DemoAccounts(
    PASSWORD,
    Person("operator@console.example", "Olive Tanner", operator=True),
    (LARKFIELD, MARLOW, PEBBLEBROOK),
)
