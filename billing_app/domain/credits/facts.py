"""The facts about credits that the engine reads: grants, what happened to them, allowances and policies.

Quantities are whole numbers in the metric's base unit, money is whole cents, moments are aware UTC datetimes.
Source: credits.md, Words and Rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from billing_app.domain.common.errors import FactRefusedError
from billing_app.domain.common.periods import one_year_after

MAX_QUANTITY = 2**63 - 1
"""The largest quantity: what a BIGINT column holds."""

DEFAULT_PRIORITY = 50

NEVER = datetime.max.replace(tzinfo=UTC)
"""Stands for "does not end" where moments are compared."""


class Aggregation(StrEnum):
    """How usage events of a metric add up inside one period."""

    SUM = "sum"
    UNIQUE = "unique"
    MAX = "max"
    LEVEL = "level"


class DeficitPolicy(StrEnum):
    """What happens to a deficit when its period ends (rule 4)."""

    FORGIVE = "forgive"
    CARRY = "carry"


class RefundPolicy(StrEnum):
    """What happens to refunded credits that were already burned (rule 9)."""

    DEBT = "debt"
    FORGIVE = "forgive"


class DisputeStatus(StrEnum):
    """Where a dispute stands (rule 10)."""

    OPENED = "opened"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Grant:
    """A lot of credits of one metric. `paid_cents` above 0 makes it a paid one; `expires_at` None never ends."""

    id: str
    quantity: int
    effective_at: datetime
    expires_at: datetime | None
    created_at: datetime
    priority: int = DEFAULT_PRIORITY
    paid_cents: int = 0

    @property
    def burn_key(self) -> tuple[int, datetime, bool, datetime, datetime, str]:
        """Its place in burn order: total and deterministic (rule 3)."""
        return (
            self.priority,
            self.expires_at or NEVER,
            self.paid_cents > 0,
            self.effective_at,
            self.created_at,
            self.id,
        )


@dataclass(frozen=True, slots=True)
class Void:
    """Forfeits what is left of a grant (rule 8). `sequence` is the recorded order within one instant."""

    at: datetime
    sequence: int
    grant_id: str


@dataclass(frozen=True, slots=True)
class Refund:
    """So far `refunded_cents` of the grant's price were given back, cumulative (rule 9)."""

    at: datetime
    sequence: int
    grant_id: str
    refunded_cents: int


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute's new status (rule 10). `amount_cents` None is the whole grant."""

    at: datetime
    sequence: int
    grant_id: str
    status: DisputeStatus
    amount_cents: int | None = None
    dispute_id: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """`quantity` credits of the grant became credits of another metric (credits.md, Gift cards and tokens)."""

    at: datetime
    sequence: int
    grant_id: str
    quantity: int


Action = Void | Refund | Dispute | Conversion


@dataclass(frozen=True, slots=True)
class Allowance:
    """From `at` on the organization holds a plan that includes `quantity` per period; None is unlimited.

    The first one of a history has always been held (fine point 3).
    """

    at: datetime
    quantity: int | None


@dataclass(frozen=True, slots=True)
class Policy:
    """The metric's policies, in force for periods that start at `at` or later; the first one always was."""

    at: datetime
    deficit: DeficitPolicy = DeficitPolicy.FORGIVE
    refund_shortfall: RefundPolicy = RefundPolicy.DEBT


@dataclass(frozen=True, slots=True)
class UsagePoint:
    """What a period's usage amounts to once all events of the instant `at` are counted.

    `used` is the aggregate of the running period (never negative); `level` is the level last reported (for `level`
    metrics: it still stands when the period turns; 0 for the others).
    """

    at: datetime
    used: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """Everything that decides one organization's credits of one metric. All tuples may come in any order."""

    anchor: datetime
    aggregation: Aggregation
    allowances: tuple[Allowance, ...]
    grants: tuple[Grant, ...] = ()
    usage: tuple[UsagePoint, ...] = ()
    actions: tuple[Action, ...] = ()
    policies: tuple[Policy, ...] = ()


def validated_grant(grant: Grant) -> Grant:
    """`grant` itself if rule 2 allows it.

    Raises FactRefusedError `invalid_quantity` (below 1 or above 2**63-1) or `invalid_expiry` (not after its start).
    """
    if not 1 <= grant.quantity <= MAX_QUANTITY:
        raise FactRefusedError(
            f"A grant's quantity must be between 1 and {MAX_QUANTITY}, not {grant.quantity}.", code="invalid_quantity"
        )
    if grant.expires_at is not None and grant.expires_at <= grant.effective_at:
        raise FactRefusedError(
            f"The grant would end at {grant.expires_at.isoformat()}, which is not after its start "
            f"{grant.effective_at.isoformat()}. Choose a later end.",
            code="invalid_expiry",
        )
    return grant


def default_expiry(effective_at: datetime) -> datetime:
    """When a grant ends unless told otherwise: one year after its start (rule 2)."""
    return one_year_after(effective_at)
