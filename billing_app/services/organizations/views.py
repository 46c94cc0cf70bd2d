"""An organization with its members, parts, keys and audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from billing_app.domain.catalogue import Metric
from billing_app.domain.common.access import Role
from billing_app.domain.organizations.limits import LimitUse
from billing_app.services.access.views import KeyAnswer, MemberAnswer
from billing_app.services.common.views import Entry
from billing_app.services.subscriptions.views_endings import EndingAnswer


@dataclass(frozen=True, slots=True)
class CountsAnswer:
    """What there is now, of this organization alone."""

    members: int
    sub_orgs: int
    processes: int
    drafts: int
    census_size: int
    sms_used: int
    """Of the running period, like reminders."""
    email_reminders_used: int


@dataclass(frozen=True, slots=True)
class MoneyView:
    """What only those see who buy."""

    stripe_customer_id: str | None
    stripe_subscription_id: str | None
    monthly_consumed_tokens: int
    yearly_consumed_tokens: int
    subscribed_at: datetime | None
    renews_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProfileView:
    """What an organization says about itself, and what it is a part of, nearest first."""

    address: str
    name: str
    profile: Mapping[str, str]
    """type, description, size, color, logo, subdomain, timezone, country."""
    active: bool
    parents: tuple[tuple[str, str], ...]
    """Address and name."""
    plan: str
    plan_name: str
    payer: str
    """The address of the payer: its own, or of what it is a part of."""
    payer_name: str
    created_at: datetime
    counts: CountsAnswer
    money: MoneyView | None
    subdomain_in_use: bool = False
    """Whether it has a web address of its own and the plan includes one."""


@dataclass(frozen=True, slots=True)
class PartAnswer:
    """An organization below another. `depth` 1 is right below; `plan` is null where somebody above pays."""

    address: str
    name: str
    parent: str
    depth: int
    active: bool
    members: int
    plan: str | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the audit log; `next_cursor` is empty on the last. Metrics and currency say what its figures are."""

    entries: tuple[Entry, ...]
    next_cursor: str
    metrics: tuple[Metric, ...] = ()
    currency: str = "usd"


@dataclass(frozen=True, slots=True)
class OrganizationPageView:
    """Everything of the organization's page that this role may see; what it may not is empty."""

    now: datetime
    role: Role
    person_id: str
    profile: ProfileView
    limits: tuple[LimitUse, ...]
    members: tuple[MemberAnswer, ...]
    parts: tuple[PartAnswer, ...]
    keys: tuple[KeyAnswer, ...]
    audit: AuditPage
    public_url: str
    ending: EndingAnswer | None = None
    """What it pays for and how it ends, for whoever may end it."""
