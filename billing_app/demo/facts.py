"""What can happen to an organization of the demo, and an organization's whole story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing_app.demo.people import DemoOrganization
from billing_app.domain.common.access import Role
from billing_app.domain.credits.facts import DisputeStatus
from billing_app.domain.processes.processes import Content
from billing_app.services.usage.reporting import ReportedEvent


@dataclass(frozen=True, slots=True)
class HoldPlan:
    """The organization changes to a plan."""

    at: datetime
    plan: str
    reason: str


@dataclass(frozen=True, slots=True)
class Buy:
    """A pack is paid for. `source` is purchase, recurring or top_up; `key` names the purchase."""

    at: datetime
    key: str
    pack: str
    source: str = "purchase"


@dataclass(frozen=True, slots=True)
class Give:
    """Credits that cost nothing: from an operator or a gift card."""

    at: datetime
    key: str
    metric: str
    quantity: int
    source: str
    reason: str
    days: int
    """How long they are valid."""


@dataclass(frozen=True, slots=True)
class Void:
    """An operator takes a grant back."""

    at: datetime
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refund:
    """So many cents of a purchase were given back, cumulative."""

    at: datetime
    key: str
    refunded_cents: int
    reason: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """The card's owner disputes a purchase, or that dispute ends."""

    at: datetime
    key: str
    status: DisputeStatus


@dataclass(frozen=True, slots=True)
class Report:
    """Use that was reported at a moment of its own: late, or as a correction."""

    at: datetime
    events: tuple[ReportedEvent, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The first admin makes a sub-organization, which from then on reports a part of the organization's use."""

    at: datetime
    address: str
    name: str
    one_in: int
    """Every so manieth event of the counted metrics is its own; the organization's totals stay what they are."""


@dataclass(frozen=True, slots=True)
class Invite:
    """The first admin invites somebody, who has not answered yet."""

    at: datetime
    email: str
    role: Role


@dataclass(frozen=True, slots=True)
class Decide:
    """The first admin prepares a process, which is published, and perhaps closed without taking anything back."""

    at: datetime
    content: Content
    published: bool = True
    closed_at: datetime | None = None


Fact = HoldPlan | Buy | Give | Void | Refund | Dispute | Report | Found | Invite | Decide


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that happened to one organization. `usage` is in order of time, facts need not be."""

    organization: DemoOrganization
    profile: dict[str, str]
    anchor: datetime
    plan: str
    facts: tuple[Fact, ...]
    usage: tuple[ReportedEvent, ...]
