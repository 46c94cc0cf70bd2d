"""Where the credits of one grant are while the engine runs, and the moves between those places.

Every move keeps the law of conservation: quantity = pending + left + burned + held + expired + voided + taken +
settled + converted. What is "clawed back" to a reader is taken + settled, what is "burned" is burned + converted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from billing_app.domain.credits.accounts import GrantAccount
from billing_app.domain.credits.facts import DisputeStatus, Grant


@dataclass(slots=True)
class Position:
    """The running state of one grant.

    `taken` went back by refunds and lost disputes, `settled` paid other grants' debts. `asked` is what refunds and
    lost disputes demand in total; it is answered by `taken`, by what had ended anyway (`counted`), by `debt` (unpaid),
    `debt_paid` and by what policy has `forgiven`. `settlements` lists (origin, quantity) of debts that this grant paid,
    `reowed` those of them that came back when this grant was refunded itself. `conversions` maps the sequence of each
    conversion to what it found here. `spendable` is the part of the state's `left` that is this grant's.
    """

    grant: Grant
    pending: int = 0
    left: int = 0
    burned: int = 0
    held: int = 0
    expired: int = 0
    voided: int = 0
    taken: int = 0
    settled: int = 0
    converted: int = 0
    asked: int = 0
    counted: int = 0
    debt: int = 0
    debt_paid: int = 0
    forgiven: int = 0
    refunded_cents: int = 0
    lost_cents: int = 0
    wholly_lost: bool = False
    effective: bool = False
    ended: bool = False
    void: bool = False
    spendable: int = 0
    disputes: dict[str, DisputeStatus] = field(default_factory=dict)
    settlements: list[tuple[str, int]] = field(default_factory=list)
    reowed: list[tuple[str, int]] = field(default_factory=list)
    conversions: dict[int, int] = field(default_factory=dict)

    def copy(self) -> Position:
        """A copy that shares nothing that changes."""
        return replace(
            self,
            disputes=dict(self.disputes),
            settlements=list(self.settlements),
            reowed=list(self.reowed),
            conversions=dict(self.conversions),
        )

    @property
    def closed(self) -> bool:
        """Whether nothing is left of it that time or use could move: only what is done to it may."""
        return self.effective and not (self.left or self.held or self.pending or self.debt)

    @property
    def disputed(self) -> bool:
        """Whether a dispute of it is open, so that nothing of it may be spent (rule 10)."""
        return DisputeStatus.OPENED in self.disputes.values()

    @property
    def demand(self) -> int:
        """Credits that refunds and lost disputes take back in total (rules 9 and 10), never above the grant."""
        quantity, paid = self.grant.quantity, self.grant.paid_cents
        if self.wholly_lost:
            return quantity
        if paid <= 0:
            return 0
        return quantity * min(self.refunded_cents + self.lost_cents, paid) // paid

    def take(self, wanted: int) -> int:
        """Takes back what is still there: not effective, left, held (fine point 8). Answers how much it was."""
        rest = wanted
        for place in ("pending", "left", "held"):
            part = min(rest, getattr(self, place))
            setattr(self, place, getattr(self, place) - part)
            self.taken += part
            rest -= part
        return wanted - rest

    def count_ended(self, wanted: int) -> int:
        """What expired or was voided counts as given back before what was burned (fine point 8)."""
        part = min(wanted, self.expired + self.voided - self.counted)
        self.counted += part
        return part

    def owe(self, wanted: int, forgive: bool) -> None:
        """What was already burned, or converted, becomes debt, or is forgiven (rule 9)."""
        part = min(wanted, self.burned + self.converted - self.debt - self.debt_paid - self.forgiven)
        if part <= 0:
            return
        if forgive:
            self.forgiven += part
        else:
            self.debt += part

    def put_back(self, quantity: int) -> str:
        """Credits come back to this grant; answers where they ended up.

        A voided grant voids them (fine point 7), a disputed one holds them (fine point 9), an expired one expires them
        at once (rule 5), one that is not effective yet keeps them for later.
        """
        if self.void:
            place = "voided"
        elif self.disputed:
            place = "held"
        elif self.ended:
            place = "expired"
        else:
            place = "left" if self.effective else "pending"
        setattr(self, place, getattr(self, place) + quantity)
        return place

    def release(self, quantity: int) -> None:
        """A correction gives burned credits back: first to what refunds of this grant still lack (fine point 8).

        That is its unpaid debt, or what policy had forgiven in its place: nobody keeps credits whose money went back.
        """
        self.burned -= quantity
        cancelled = min(quantity, self.debt)
        self.debt -= cancelled
        made_good = min(quantity - cancelled, self.forgiven)
        self.forgiven -= made_good
        self.taken += cancelled + made_good
        if quantity > cancelled + made_good:
            self.put_back(quantity - cancelled - made_good)

    def account(self) -> GrantAccount:
        """What a reader sees of it."""
        return GrantAccount(
            id=self.grant.id,
            quantity=self.grant.quantity,
            pending=self.pending,
            left=self.left,
            burned=self.burned + self.converted,
            held=self.held,
            expired=self.expired,
            voided=self.voided,
            clawed_back=self.taken + self.settled,
            debt=self.debt,
            converted=self.converted,
        )
