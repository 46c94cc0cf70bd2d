"""What the engine keeps while a period runs: the month itself, the base of thresholds, and the trace of movements."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from billing_app.domain.common.periods import Period


@dataclass(slots=True)
class RunningMonth:
    """One period while it fills. `unpaid` is its deficit while it runs and its uncovered part once it has ended."""

    period: Period
    allowance: int | None
    used: int = 0
    unpaid: int = 0
    granted: int = 0
    expired: int = 0
    balance: int = 0
    burns: dict[str, int] = field(default_factory=dict)
    converted: int = 0

    @property
    def burned(self) -> int:
        """Credits that paid for its overage."""
        return sum(self.burns.values())

    @property
    def overage(self) -> int:
        """Usage above the allowance."""
        return 0 if self.allowance is None else max(0, self.used - self.allowance)


@dataclass(slots=True)
class Base:
    """What was spendable right after the latest grant, and what had been burned until then (credits.md, Thresholds)."""

    grant_id: str
    available: int
    burned: int


@dataclass(frozen=True, slots=True)
class Step:
    """One movement of credits: what an explanation and the ledger's dates are made of.

    `kind` is a ledger kind; `quantity` is signed as in the ledger; `grant_id` is None for movements of debt, whose
    `origin` names the refunded grant; `period` is the number of the period that the movement belongs to.
    `sequence` tells conversions of one grant apart.
    """

    at: datetime
    kind: str
    quantity: int
    grant_id: str | None
    period: int
    origin: str | None = None
    sequence: int | None = None


Move = tuple[datetime, int]
"""When something last moved, and in the period of which number."""
