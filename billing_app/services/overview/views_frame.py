"""What is around every page of an organization, and of an operator."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OrganizationLink:
    """One line of the switcher."""

    address: str
    name: str
    plan_name: str
    """Of its payer."""
    payer_name: str = ""
    """Who that is, if another does."""
    blocked: bool = False
    """A metric of it is blocked: a red dot with words."""


@dataclass(frozen=True, slots=True)
class PayerLink:
    """Who pays for a sub-organization without a plan of its own, and what this person may do there."""

    address: str
    name: str
    visible: bool
    """This person may see its pages."""
    may_buy: bool
    """... and buy there."""
    revision: int
    """Of the payer: what its pages show is a part of what these show."""
    keeps_credits: bool = False
    """The sub-organization has credits of a time when it paid for itself."""


@dataclass(frozen=True, slots=True)
class FrameView:
    """Switcher, person and marks of the frame; read anew with every push, as roles may change."""

    organization: OrganizationLink
    organizations: tuple[OrganizationLink, ...]
    """Every organization of this person by name, this one among them; at most 50, the page says when there are more."""
    person_name: str
    person_email: str
    role: str
    """Of this person in this organization: admin, billing, member; operator."""
    test_mode: bool
    """The fake Stripe or a test key is in use: every page says TEST MODE."""
    may_buy: bool
    """The role buys (admin, billing, operator)."""
    selling: bool
    """Stripe is set up; False shows buying as unavailable, and why."""
    revision: int
    """Of the organization, read in the same transaction: a later one means that the page is out of date."""
    more_organizations: int = 0
    """How many the list leaves out."""
    may_create: bool = True
    """This sign-in may make another organization."""
    payer: PayerLink | None = None
    """Who pays for this organization, if another does."""


@dataclass(frozen=True, slots=True)
class OperatorFrameView:
    """What is around every page of an operator."""

    person_name: str
    person_email: str
    test_mode: bool
    """The fake Stripe or a test key is in use: every page says TEST MODE."""
    selling: bool
    """Stripe is set up."""
    home: str
    """The address of an organization of theirs; empty without any."""
    given_up: int = 0
    """Events of Stripe that nobody tries any more: they need a person."""
