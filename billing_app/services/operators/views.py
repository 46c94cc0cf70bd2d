"""What operators see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing_app.services.common.answers import SAID_WHOLE, Internal


class AccountIssue(StrEnum):
    """What can be wrong with an organization, the worst first."""

    BLOCKED = "blocked"
    PAST_DUE = "past_due"
    DISPUTED = "disputed"
    SECOND_SUBSCRIPTION = "second_subscription"
    """Another subscription of a plan is billed beside the one whose plan is held."""
    UNKNOWN_PRICE = "unknown_price"
    """The plan is billed at a price that belongs to no plan."""
    PLAN_LOST = "plan_lost"
    """A payment for the plan that is held was disputed and lost, and the plan goes on."""
    PACK_LOST = "pack_lost"
    """The same of a monthly pack that goes on renewing."""
    NOT_COLLECTED = "not_collected"
    """Stripe collects nothing for the plan, or for monthly packs."""
    GIVEN_UP = "given_up"
    """The latest invoice, of the plan or of monthly packs, was voided or marked uncollectible."""
    IN_DEBT = "in_debt"


@dataclass(frozen=True, slots=True)
class TroubleAnswer:
    """One thing that is wrong; `at` is until when a plan that is owed for stays."""

    __pydantic_config__ = SAID_WHOLE

    kind: AccountIssue
    metrics: tuple[str, ...] = ()
    amount_cents: int = 0
    currency: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrganizationLineAnswer:
    """One organization in a list of all."""

    address: str
    name: str
    plan_name: str
    blocked: bool
    troubles: tuple[TroubleAnswer, ...]
    members: int
    payer_name: Internal[str] = ""
    """Whose plan that is, if another pays."""


@dataclass(frozen=True, slots=True)
class OrganizationsView:
    """One page of a search for organizations."""

    organizations: tuple[OrganizationLineAnswer, ...]
    now: datetime
    next_cursor: str
    """The page after this one; empty at the end."""
