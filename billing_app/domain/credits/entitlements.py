"""What may still be used: the arithmetic of check, consume and reservations (credits.md, fine points 11 to 13)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from billing_app.domain.credits.facts import Aggregation


class MeterState(StrEnum):
    """What an organization sees of a metric at a glance (fine point 11)."""

    OK = "ok"
    USING_CREDITS = "using_credits"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a decision about one metric needs. `allowance` None is unlimited; `level` is what is held now."""

    aggregation: Aggregation
    allowance: int | None
    used: int
    left: int
    reserved: int = 0
    level: int = 0

    @property
    def available(self) -> int | None:
        """How much more may be taken; None without end (fine point 12)."""
        if self.allowance is None:
            return None
        return max(0, max(0, self.allowance - self.used) + self.left - self.reserved)

    def asked(self, quantity: int, *, counted_already: bool = False) -> int:
        """What a request for `quantity` more asks of the metric (fine point 13).

        For a `level` only what rises above the period's peak; for a `unique` subject that is counted already, nothing.
        """
        if self.aggregation is Aggregation.LEVEL:
            return max(0, self.level + quantity - self.used)
        if self.aggregation is Aggregation.UNIQUE and counted_already:
            return 0
        return quantity

    def allows(self, quantity: int, *, counted_already: bool = False) -> bool:
        """Whether `quantity` more may be used."""
        asked = self.asked(quantity, counted_already=counted_already)
        available = self.available
        return asked == 0 or available is None or asked <= available

    def fits(self, quantity: int) -> int:
        """How much of `quantity` can be taken."""
        available = self.available
        return quantity if available is None else min(quantity, available)

    @property
    def overage(self) -> int:
        """Usage above the allowance."""
        return 0 if self.allowance is None else max(0, self.used - self.allowance)

    @property
    def state(self) -> MeterState:
        """`blocked` when a check of 1 would be refused; else `using_credits` when there is overage; else `ok`."""
        if not self.allows(1):
            return MeterState.BLOCKED
        return MeterState.USING_CREDITS if self.overage else MeterState.OK
