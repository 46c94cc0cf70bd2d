"""The engine's state while it runs: the positions of all grants, the running period, and what is owed.

Each method lets one kind of fact happen at one moment. The order of facts is the engine's business.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from copy import copy
from dataclasses import replace
from datetime import datetime

from billing_app.domain.common.periods import Period
from billing_app.domain.credits.account_reading import account_of
from billing_app.domain.credits.accounts import Account
from billing_app.domain.credits.facts import DeficitPolicy, Grant, History, Policy
from billing_app.domain.credits.period_state import Base, Move, RunningMonth, Step
from billing_app.domain.credits.positions import Position


class State:
    """Everything the engine knows at `at`."""

    __slots__ = (
        "at", "base", "burned", "carried", "debts", "first", "left", "level", "months", "moved", "open", "policy",
        "positions", "stack", "trace",
    )  # fmt: skip

    def __init__(self, history: History) -> None:
        """All grants pending, no period open."""
        self.at: datetime | None = None
        self.first: datetime | None = None
        self.level = 0
        self.left = 0  # spendable credits: effective, unexpired, unheld (fine point 5)
        self.burned = 0
        self.base: Base | None = None
        self.policy = Policy(history.anchor)
        self.months: list[RunningMonth] = []
        self.positions = {grant.id: Position(grant, pending=grant.quantity) for grant in history.grants}
        self.open: list[tuple] = []  # burn keys of grants with credits left, in burn order
        self.stack: list[list] = []  # [grant id, quantity] burned in the running period, in order of burning
        self.carried: list[RunningMonth] = []  # ended periods whose deficit is still owed, oldest first
        self.debts: list[str] = []  # grants with unpaid debt, in the order in which it arose
        self.trace: list[Step] | None = None
        self.moved: dict[str, Move] = {}  # by bucket the last move before the trace began

    def fork(self) -> State:
        """A copy that can be carried on without changing this one. It keeps no trace."""
        twin = copy(self)
        twin.positions = {grant_id: position.copy() for grant_id, position in self.positions.items()}
        still_changing = {
            id(month): replace(month, burns=dict(month.burns)) for month in (*self.carried, *self.months[-1:])
        }
        twin.months = [still_changing.get(id(month), month) for month in self.months]
        twin.carried = [still_changing[id(month)] for month in self.carried]
        twin.open, twin.debts, twin.moved = list(self.open), list(self.debts), dict(self.moved)
        twin.stack = [list(burned) for burned in self.stack]
        twin.trace = None
        return twin

    @property
    def begun(self) -> bool:
        """Whether the first period has been opened."""
        return bool(self.months)

    @property
    def month(self) -> RunningMonth:
        """The running period."""
        return self.months[-1]

    @property
    def used(self) -> int:
        """Usage of the running period."""
        return self.month.used

    @property
    def debt(self) -> int:
        """Credits owed because refunded ones had been burned."""
        return sum(self.positions[grant_id].debt for grant_id in self.debts)

    def note(
        self,
        at: datetime,
        kind: str,
        quantity: int,
        grant_id: str | None,
        *,
        origin: str | None = None,
        sequence: int | None = None,
    ) -> None:
        """Writes a movement into the trace, where one is kept."""
        if self.trace is not None and quantity:
            self.trace.append(Step(at, kind, quantity, grant_id, self.month.period.number, origin, sequence))

    # -- facts ---------------------------------------------------------------------------------------------------

    def turn(self, at: datetime, period: Period, allowance: int | None, policy: Policy) -> None:
        """The period turns: what the old one left unpaid is kept as uncovered, and owed on under "carry" (rule 4)."""
        if self.begun:
            self.month.balance = self.left
            if self.month.unpaid and self.policy.deficit is DeficitPolicy.CARRY:
                self.carried.append(self.month)
        self.policy = policy
        self.stack = []
        self.months.append(RunningMonth(period, allowance))

    def expire(self, at: datetime, grant: Grant) -> None:
        """At the very instant of its expiry a grant is not spendable (rule 2); what is held stays held."""
        position = self.positions[grant.id]
        position.ended = True
        gone, position.left = position.left, 0
        position.expired += gone
        self.month.expired += gone
        self.settle_open(position)
        self.note(at, "expire", -gone, grant.id)

    def change_allowance(self, at: datetime, allowance: int | None) -> None:
        """The allowance of a period is the largest held during it (rule 7)."""
        if self.month.allowance is None:
            return
        if allowance is None or allowance > self.month.allowance:
            self.month.allowance = allowance
            self._rebalance(at)

    def become_effective(self, at: datetime, grant: Grant) -> None:
        """The grant pays debt first, then deficits, oldest first (rules 4 and 9)."""
        position = self.positions[grant.id]
        position.effective = True
        self.month.granted += grant.quantity
        self.note(at, "grant", grant.quantity, grant.id)
        for kind, quantity in (("void", position.voided), ("refund", position.taken), ("hold", position.held)):
            self.note(at, kind, -quantity, grant.id)
        position.left, position.pending = position.left + position.pending, 0
        self._pay_debts(at, position)
        self._pay_carried(at, position)
        self.pay_deficit(at, position)
        self.settle_open(position)

    def use(self, at: datetime, used: int, level: int) -> None:
        """The running period's usage is `used` from now on; it burns what is above the allowance, or releases."""
        self.level = level
        self.month.used = used
        self._rebalance(at)

    def rebase(self, grant: Grant) -> None:
        """The latest grants of an instant are in: thresholds are measured from here."""
        self.base = Base(grant.id, self.left, self.burned)

    # -- paying --------------------------------------------------------------------------------------------------

    def _pay_debts(self, at: datetime, payer: Position) -> None:
        """Debt is paid before anything else, oldest first; it counts as clawed back of the payer (fine point 6)."""
        for origin_id in list(self.debts):
            origin = self.positions[origin_id]
            part = min(payer.left, origin.debt)
            if not part:
                continue
            payer.left -= part
            payer.settled += part
            payer.settlements.append((origin_id, part))
            origin.debt -= part
            origin.debt_paid += part
            self.note(at, "settle", -part, payer.grant.id)
            self.note(at, "settle", part, None, origin=origin_id)
            self.settle_debt(origin)

    def _pay_carried(self, at: datetime, position: Position) -> None:
        """Carried deficits, oldest first: burned in the month whose usage it was (fine point 10)."""
        for month in list(self.carried):
            self._burn_for(at, month, position)
            if not month.unpaid:
                self.carried.remove(month)

    def pay_deficit(self, at: datetime, position: Position) -> None:
        """What the running period could not pay is paid by credits that come within it (rule 4)."""
        paid = self._burn_for(at, self.month, position)
        if paid:
            self.stack.append([position.grant.id, paid])

    def _burn_for(self, at: datetime, month: RunningMonth, position: Position) -> int:
        part = min(position.left, month.unpaid)
        if part:
            month.unpaid -= part
            self._burn(at, month, position, part)
        return part

    def _burn(self, at: datetime, month: RunningMonth, position: Position, quantity: int) -> None:
        position.left -= quantity
        position.spendable -= quantity
        position.burned += quantity
        self.left -= quantity
        self.burned += quantity
        month.burns[position.grant.id] = month.burns.get(position.grant.id, 0) + quantity
        if self.trace is not None:
            self.trace.append(Step(at, "burn", -quantity, position.grant.id, month.period.number))

    def _rebalance(self, at: datetime) -> None:
        """Makes burns and deficit of the running period cover its overage exactly."""
        month = self.month
        change = month.overage - month.burned - month.unpaid
        if change > 0:
            self._burn_in_order(at, change)
        elif change < 0:
            self._release(at, -change)

    def _burn_in_order(self, at: datetime, quantity: int) -> None:
        """Burns in burn order (rule 3); what no grant can pay is deficit."""
        while quantity and self.open:
            position = self.positions[self.open[0][-1]]
            part = min(quantity, position.left)
            self._burn(at, self.month, position, part)
            quantity -= part
            if self.stack and self.stack[-1][0] == position.grant.id:
                self.stack[-1][1] += part
            else:
                self.stack.append([position.grant.id, part])
            self.settle_open(position)
        self.month.unpaid += quantity

    def _release(self, at: datetime, quantity: int) -> None:
        """A fall shrinks the deficit, then releases burns in reverse order of burning (rule 5)."""
        shrunk = min(quantity, self.month.unpaid)
        self.month.unpaid -= shrunk
        quantity -= shrunk
        while quantity:
            grant_id, burned = self.stack[-1]
            part = min(quantity, burned)
            self._release_to(at, self.positions[grant_id], part)
            quantity -= part
            if part == burned:
                self.stack.pop()
            else:
                self.stack[-1][1] -= part

    def _release_to(self, at: datetime, position: Position, quantity: int) -> None:
        grant_id, before = position.grant.id, (position.expired, position.voided, position.held, position.debt)
        taken = position.taken
        position.release(quantity)
        self.burned -= quantity
        month = self.month
        month.burns[grant_id] -= quantity
        if not month.burns[grant_id]:
            del month.burns[grant_id]
        expired, voided, held = position.expired - before[0], position.voided - before[1], position.held - before[2]
        cancelled = before[3] - position.debt
        month.expired += expired
        self.note(at, "release", quantity, grant_id)
        refunded = position.taken - taken
        for kind, part in (("expire", expired), ("void", voided), ("hold", held), ("refund", refunded)):
            self.note(at, kind, -part, grant_id)
        self.note(at, "debt", cancelled, None, origin=grant_id)
        self.settle_open(position)
        self.settle_debt(position)

    # -- order ---------------------------------------------------------------------------------------------------

    def settle_open(self, position: Position) -> None:
        """Keeps `open` to the grants that have credits left, and `left` to what they have together."""
        spendable = position.left if position.effective else 0
        self.left += spendable - position.spendable
        position.spendable = spendable
        key = position.grant.burn_key
        index = bisect_left(self.open, key)
        present = index < len(self.open) and self.open[index] == key
        if position.effective and position.left > 0:
            if not present:
                insort(self.open, key)
        elif present:
            del self.open[index]

    def settle_debt(self, position: Position) -> None:
        """Keeps `debts` to the grants that owe."""
        owes, listed = position.debt > 0, position.grant.id in self.debts
        if owes and not listed:
            self.debts.append(position.grant.id)
        elif listed and not owes:
            self.debts.remove(position.grant.id)

    # -- answer --------------------------------------------------------------------------------------------------

    def account(self, history: History, as_of: datetime) -> Account:
        """What a reader sees at `as_of`, which must be the state's own moment."""
        return account_of(self, history, as_of)
