"""What operators see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
class AccountIssueView:
    """One thing that is wrong: with which metrics or how much money; `at` is until when a plan not paid for stays."""

    kind: AccountIssue
    metrics: tuple[str, ...] = ()
    amount_cents: int = 0
    currency: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrganizationLine:
    """One organization in a list of all."""

    address: str
    name: str
    plan_name: str
    troubles: tuple[AccountIssueView, ...]
    members: int
    payer_name: str = ""
    """Whose plan that is, if another pays."""

    @property
    def blocked(self) -> bool:
        """Whether something stands still."""
        return any(each.kind is AccountIssue.BLOCKED for each in self.troubles)


@dataclass(frozen=True, slots=True)
class OrganizationsView:
    """One page of a search for organizations."""

    organizations: tuple[OrganizationLine, ...]
    now: datetime
    next_cursor: str
    """The page after this one; empty at the end."""
