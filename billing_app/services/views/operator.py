"""What operators see."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OperatorShellView:
    """What is around every page of an operator."""

    person_name: str
    person_email: str
    test_mode: bool
    """The local Stripe stand-in or a test key is in use: every page says TEST MODE."""
    selling: bool
    """Stripe is set up."""
    home: str
    """The address of an organization of theirs; empty without any."""


@dataclass(frozen=True, slots=True)
class OrganizationLine:
    """One organization in a list of all."""

    address: str
    name: str
    plan_name: str
    blocked: bool
    members: int
    payer_name: str = ""
    """Whose plan that is, if another pays."""


@dataclass(frozen=True, slots=True)
class OrganizationsView:
    """One page of a search for organizations."""

    organizations: tuple[OrganizationLine, ...]
    next_cursor: str
    """The page after this one; empty at the end."""
