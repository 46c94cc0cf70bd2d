"""What the engine answers: where every credit of one organization and metric is at a moment (credits.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from billing_app.domain.common.periods import Period


@dataclass(frozen=True, slots=True)
class GrantAccount:
    """Where the credits of one grant are.

    quantity = pending + left + burned + held + expired + voided + clawed_back (law of conservation). `pending` is what
    is not effective yet; `debt` is what its refunds still ask of burned credits, and is not part of the sum.
    `converted` is the part of `burned` that became credits of another metric.
    """

    id: str
    quantity: int
    pending: int
    left: int
    burned: int
    held: int
    expired: int
    voided: int
    clawed_back: int
    debt: int
    converted: int = 0


@dataclass(frozen=True, slots=True)
class Month:
    """What one period used and who paid. used = covered + burned + uncovered + deficit.

    `allowance` None is unlimited. `uncovered` is what an ended period left unpaid, `deficit` the same of the running
    one. `burns` maps grant ids to what the period's overage burned of them. `balance` is what was spendable at its end
    (or is now, for the running one). `converted` is what became credits of another metric in it, beside all use.
    """

    period: Period
    allowance: int | None
    used: int
    covered: int
    burned: int
    uncovered: int
    deficit: int
    granted: int
    expired: int
    balance: int
    burns: dict[str, int] = field(default_factory=dict)
    converted: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """The state of one organization's metric at `as_of`. Totals are over all grants; `used` is the running period's."""

    as_of: datetime
    period: Period
    allowance: int | None
    used: int
    level: int
    left: int
    burned: int
    held: int
    expired: int
    voided: int
    clawed_back: int
    debt: int
    deficit: int
    uncovered: int
    grants: dict[str, GrantAccount]
    months: tuple[Month, ...]

    @property
    def ledger_sum(self) -> int:
        """What the ledger of this metric adds up to: credits left minus debt (fine point 5)."""
        return self.left - self.debt

    def month(self, period: Period) -> Month:
        """The month of `period`; all zero where nothing happened in it."""
        for month in self.months:
            if month.period.number == period.number:
                return month
        return Month(period, self.allowance, 0, 0, 0, 0, 0, 0, 0, 0)
