"""Refunds, disputes and the debts they leave, as the reference reads rules 9 and 10 and fine points 6, 8 and 9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing_app.domain.credits.facts import Dispute, DisputeStatus, RefundPolicy

from .reference_lots import Lot, burn_order

if TYPE_CHECKING:
    from .reference import Replay


@dataclass(slots=True)
class Settlement:
    """`amount` credits of `payer` paid the debt of `debtor`: burned credits that its refund asks back."""

    payer: Lot
    debtor: Lot
    amount: int


class GivingBack:
    """What the refunds of a history took, from whom, and what is still owed."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.debts: dict[Lot, int] = {}  # who owes how much; who came to owe first is first
        self.settlements: list[Settlement] = []  # oldest first
        self.undone: list[Settlement] = []  # those whose payer was refunded, oldest first

    def owed(self, lot: Lot | None = None) -> int:
        """The unpaid debt of one grant, or of all."""
        return sum(self.debts.values()) if lot is None else self.debts.get(lot, 0)

    def owe(self, lot: Lot, amount: int) -> None:
        """A grant has one debt, however many refunds made it; when it is gone the grant has left the queue."""
        self.debts[lot] = self.owed(lot) + amount
        if not self.debts[lot]:
            del self.debts[lot]

    def given_back(self, lot: Lot) -> int:
        """The credits that the refunds of `lot` have accounted for so far, in whatever way."""
        paid_by_others = sum(paid.amount for paid in self.settlements if paid.debtor is lot)
        return lot.at["taken"] + lot.counted + lot.forgiven + self.owed(lot) + paid_by_others

    def target(self, lot: Lot) -> int:
        """Rule 9: floor(quantity * refunded / paid) in total; rule 10: together never more than the grant."""
        paid = lot.grant.paid_cents
        cents = min(paid, lot.refunded_cents + lot.lost_cents)
        return lot.grant.quantity * cents // paid

    def refund(self, lot: Lot, refunded_cents: int) -> None:
        """Rule 9; fine point 8: refunded above paid is capped, refunding a free grant is refused."""
        if lot.grant.paid_cents == 0:
            return
        lot.refunded_cents = min(refunded_cents, lot.grant.paid_cents)
        self.match_target(lot)

    def dispute(self, lot: Lot, action: Dispute) -> None:
        """Rule 10 and fine point 9: repeating a status changes nothing, and a lost dispute stays lost."""
        before = lot.disputes.get(action.dispute_id)
        if lot.grant.paid_cents == 0 or before in (action.status, DisputeStatus.LOST):
            return
        if action.status is DisputeStatus.OPENED:
            lot.disputes[action.dispute_id] = action.status
            lot.move("pending", "held", lot.pending)
            lot.move("left", "held", lot.left)
            return
        if action.status is DisputeStatus.LOST:
            # As a refund of the disputed amount; without one it is the whole grant. Taken while still on hold.
            lot.lost_cents += lot.grant.paid_cents if action.amount_cents is None else action.amount_cents
            self.match_target(lot)
        lot.disputes[action.dispute_id] = action.status
        if not lot.disputed:
            # Won: it comes back. Lost in part: the dispute is over, so what it did not take comes back too.
            self.replay.give(lot, "held", lot.at["held"])

    def match_target(self, lot: Lot) -> None:
        """Take or return the difference between what is to be given back in total and what was so far."""
        missing = self.target(lot) - self.given_back(lot)
        if missing > 0:
            self.take(lot, missing)
        elif missing < 0:
            self.put_back(lot, -missing)

    def take(self, lot: Lot, amount: int) -> None:
        """Rule 9 and fine point 8: left, then held, then what expired or was voided, then what was burned."""
        for place in ("pending", "left", "held"):
            amount -= lot.move(place, "taken", min(amount, lot.at[place]))
        counting = min(amount, lot.at["expired"] + lot.at["voided"] - lot.counted)
        lot.counted += counting
        amount -= counting
        # Fine point 6: what paid a debt of another grant is taken too, and that debt is owed again.
        for paid in reversed([paid for paid in self.settlements if paid.payer is lot]):
            again = lot.move("settled", "taken", min(amount, paid.amount))
            paid.amount -= again
            amount -= again
            self.owe(paid.debtor, again)
            self.undone.append(Settlement(lot, paid.debtor, again))
        if self.replay.policy().refund_shortfall is RefundPolicy.FORGIVE:
            lot.forgiven += amount
        else:
            self.owe(lot, amount)

    def put_back(self, lot: Lot, amount: int) -> None:
        """Fine point 8, a refund that failed: cancels unpaid debt first, then returns to left."""
        cancelled = min(amount, self.owed(lot))
        self.owe(lot, -cancelled)
        amount -= cancelled
        for undone in reversed([undone for undone in self.undone if undone.payer is lot]):
            # A debt that this refund made owed again, and that still is, was paid by this grant after all.
            returning = min(amount, undone.amount, self.owed(undone.debtor), lot.at["taken"])
            settled = lot.move("taken", "settled", returning)
            undone.amount -= settled
            amount -= settled
            self.owe(undone.debtor, -settled)
            self.settlements.append(Settlement(lot, undone.debtor, settled))
        # What was burned and forgiven stood for debt: it is no longer asked, and nothing moves.
        unasked = min(amount, lot.forgiven)
        lot.forgiven -= unasked
        amount -= unasked
        returned = min(amount, lot.at["taken"])
        self.replay.give(lot, "taken", returned)
        amount -= returned
        # Nothing may stay taken in total beyond rule 9's floor: what others paid for this refund is theirs again.
        for paid in self.latest_payer_first(lot):
            theirs = min(amount, paid.amount)
            paid.amount -= theirs
            amount -= theirs
            self.replay.give(paid.payer, "settled", theirs)
        # The rest was only counted as given back: it had expired or was void, and stays that.
        lot.counted -= amount

    def convert(self, lot: Lot, amount: int) -> int:
        """Gift cards and tokens: what was converted stays converted, whatever is learnt later of the time before.

        Of a grant that can be spent: what is left, what is on hold, and what was taken back, which is then owed.
        """
        ends = lot.grant.expires_at
        if lot.is_void or lot.grant.effective_at > self.replay.now or (ends is not None and ends <= self.replay.now):
            return 0
        found = 0
        for place in ("left", "held", "taken"):
            moved = lot.move(place, "converted", min(amount - found, lot.at[place]))
            found += moved
            if place == "taken" and self.replay.policy().refund_shortfall is RefundPolicy.FORGIVE:
                lot.forgiven += moved
            elif place == "taken":
                self.owe(lot, moved)
        return found

    def release(self, lot: Lot, amount: int) -> None:
        """Fine point 8: what a correction releases first cancels the grant's own debt, the rest becomes left.

        What was forgiven was no gift: while the refunds of the grant have not all that they ask, they get it first.
        """
        cancelled = lot.move("burned", "taken", min(amount, self.owed(lot)))
        self.owe(lot, -cancelled)
        back = lot.move("burned", "taken", min(amount - cancelled, lot.forgiven))
        lot.forgiven -= back
        self.replay.give(lot, "burned", amount - cancelled - back)

    def pay_debts(self, lot: Lot) -> None:
        """Rule 9 and fine point 6: a grant that becomes effective pays what is owed, oldest first, before all else."""
        for debtor in list(self.debts):
            settled = lot.move("left", "settled", min(lot.left, self.owed(debtor)))
            self.owe(debtor, -settled)
            self.settlements.append(Settlement(lot, debtor, settled))

    def latest_payer_first(self, debtor: Lot) -> list[Settlement]:
        """Who paid this debt, the one that became effective last first: the reverse of paying, as in rule 5."""
        return sorted(
            [paid for paid in self.settlements if paid.debtor is debtor],
            key=lambda paid: (paid.payer.grant.effective_at, burn_order(paid.payer)),
            reverse=True,
        )
