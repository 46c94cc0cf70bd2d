"""Making an organization, by whoever is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Founder:
    """Who is at the form. `why_not` says why this sign-in may make none; empty when it may."""

    email: str
    why_not: str
    home: str
    """The address of an organization of theirs; empty without any."""
    public_url: str


class FoundingDesks(Protocol):
    """What the page does. Identity comes from the cookie; there is no organization yet."""

    def founder(self, cookies: str) -> Founder:
        """Who is signed in. Raises UnauthenticatedError."""

    def propose_address(self, cookies: str, name: str) -> str:
        """A free address made of a name; empty where there is none. Raises UnauthenticatedError."""

    def found(self, cookies: str, fields: Mapping[str, str]) -> str:
        """Makes an organization of the form's fields and gives its address. Raises as `founding.found` does."""
