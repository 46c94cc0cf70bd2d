"""Who can sign in to the demo. Addresses end in `.example`, which belongs to nobody (RFC 2606)."""

from __future__ import annotations

from billing_app.demo.facts import Person

PASSWORD = "only-for-the-demo"  # noqa: S105  # meant to be known
"""Everybody's, and no secret: demo users can't sign in elsewhere, and the demo never starts on a public address."""

OPERATOR = Person("operator@console.example", "Olive Tanner", operator=True)

NORA = Person("nora@larkfield.example", "Nora Sandell")
"""Admin of the first organization with other roles in the other two: the switcher has something to switch."""

LARKFIELD_BILLING = Person("felix@larkfield.example", "Felix Abara")
LARKFIELD_MEMBER = Person("june@larkfield.example", "June Castellan")

MARLOW_ADMIN = Person("theo@marlow.example", "Theo Marlow")
MARLOW_BILLING = Person("ines@marlow.example", "Ines Corrado")
MARLOW_MEMBER = Person("pavel@marlow.example", "Pavel Hruska")

PEBBLEBROOK_ADMIN = Person("greta@pebblebrook.example", "Greta Oyelaran")
PEBBLEBROOK_BILLING = Person("samir@pebblebrook.example", "Samir Vance")
PEBBLEBROOK_MEMBER = Person("lotte@pebblebrook.example", "Lotte Brandt")
