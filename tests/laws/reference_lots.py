"""One grant of the reference and where each of its credits is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from billing_app.domain.credits.facts import DisputeStatus, Grant


@dataclass(eq=False)
class Lot:
    """Every credit of the grant is in one place: pending, left, burned, held, expired, voided, taken, settled or
    converted.

    `taken` was clawed back by the grant's own refunds and lost disputes, `settled` paid the debt of another grant.
    `converted` became credits of another metric: burned, to a reader.
    """

    grant: Grant
    at: Counter[str] = field(init=False)
    is_void: bool = False
    refunded_cents: int = 0
    disputes: dict[str, DisputeStatus] = field(default_factory=dict)
    lost_cents: int = 0
    counted: int = 0  # expired and voided credits that count as given back (fine point 8)
    forgiven: int = 0  # burned credits that the refund would have taken and policy "forgive" did not

    def __post_init__(self) -> None:
        self.at = Counter(pending=self.grant.quantity)

    @property
    def pending(self) -> int:
        return self.at["pending"]

    @property
    def left(self) -> int:
        return self.at["left"]

    @property
    def disputed(self) -> bool:
        """Whether any dispute of this grant is open."""
        return DisputeStatus.OPENED in self.disputes.values()

    def move(self, source: str, target: str, amount: int) -> int:
        """Move credits between places, so that none is ever made or lost; says how many."""
        assert 0 <= amount <= self.at[source], (self.grant.id, source, target, amount)
        self.at[source] -= amount
        self.at[target] += amount
        return amount


def burn_order(lot: Lot) -> tuple:
    """Rule 3: priority, expiry (none last), free before paid, effective, created, id."""
    grant = lot.grant
    never = grant.expires_at is None
    bought = 1 if grant.paid_cents else 0
    expiry = () if grant.expires_at is None else (grant.expires_at,)
    return (grant.priority, never, expiry, bought, grant.effective_at, grant.created_at, grant.id)
