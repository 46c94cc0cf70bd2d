"""A second, naive reading of credits.md: slow, instant by instant, straight from the raw facts to an `Account`.

Written without a look at the engine, so that the two agree only where the rules say so. Nothing here is optimized:
each instant replays the six steps of fine point 1 in order, and every credit is in exactly one place of its lot.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from billing_app.domain.common.periods import Period, period_at, period_containing
from billing_app.domain.credits.accounts import Account, GrantAccount, Month
from billing_app.domain.credits.facts import Conversion, DeficitPolicy, Dispute, Policy, Refund, Void

from .raw import RawHistory, level_at, used_in
from .reference_lots import Lot, burn_order
from .reference_refunds import GivingBack


def reference_account(raw: RawHistory, as_of: datetime) -> Account:
    """What `raw` amounts to at `as_of`: all facts that occurred by then."""
    return Replay(raw, as_of).run()


@dataclass(slots=True)
class Burn:
    """`amount` credits of `lot` paid overage of the period with this number."""

    number: int
    lot: Lot
    amount: int


@dataclass(slots=True)
class EndedMonth:
    """What is known of a period only while it runs."""

    used: int
    allowance: int | None
    balance: int


class Replay:
    """One pass over the instants of a history up to `as_of`."""

    def __init__(self, raw: RawHistory, as_of: datetime) -> None:
        self.raw, self.as_of = raw, as_of
        self.lots = {grant.id: Lot(grant) for grant in raw.grants}
        self.giving_back = GivingBack(self)
        first = min((moment for moment in raw.moments() if moment <= as_of), default=as_of)
        self.period = period_containing(raw.anchor, first)
        self.first_number = self.period.number
        self.allowance = self.largest_held(first)
        self.used = 0
        self.burns: list[Burn] = []  # in the order of burning
        self.unpaid: Counter[int] = Counter()  # overage that no grant could pay, by period number
        self.carried: list[int] = []  # ended periods whose deficit the next grants owe, oldest first
        self.granted: Counter[int] = Counter()
        self.expired: Counter[int] = Counter()
        self.converted: Counter[int] = Counter()
        self.ended: dict[int, EndedMonth] = {}

    def run(self) -> Account:
        """Every instant in order; the turns of periods are instants too."""
        moments = self.raw.moments()
        turn = self.period.number + 1
        while period_at(self.raw.anchor, turn).start <= self.as_of:
            moments.add(period_at(self.raw.anchor, turn).start)
            turn += 1
        for at in sorted(moment for moment in moments if moment <= self.as_of):
            self.instant(at)
        return self.account()

    def instant(self, at: datetime) -> None:
        """Fine point 1: the order of what happens at the same instant."""
        self.now = at
        if at >= self.period.end:
            self.turn_period()
        self.expire(at)
        self.change_plan(at)
        self.become_effective(at)
        self.count_usage(at)
        self.act(at)

    def turn_period(self) -> None:
        """Rule 4: what is unpaid is kept as uncovered and forgiven, or owed by the next grant."""
        number = self.period.number
        self.ended[number] = EndedMonth(self.used, self.allowance, self.spendable())
        if self.policy().deficit is DeficitPolicy.CARRY:
            self.carried.append(number)
        self.period = period_at(self.raw.anchor, number + 1)
        self.allowance = self.largest_held(self.now)
        self.used = 0

    def expire(self, at: datetime) -> None:
        """Rule 2: not spendable at the very instant of expires_at. Fine point 9: what is held stays held."""
        for lot in self.lots.values():
            if lot.grant.expires_at == at:
                self.count_expired(lot.move("left", "expired", lot.left))

    def change_plan(self, at: datetime) -> None:
        """Rule 7 and fine point 3: an upgrade is a fall of the overage at its own moment."""
        self.allowance = self.largest_held(at)
        self.match_overage()

    def become_effective(self, at: datetime) -> None:
        """Rules 4 and 9: in burn order, each pays debt first, then deficits, oldest first."""
        effective = [lot for lot in self.lots.values() if lot.grant.effective_at == at]
        for lot in sorted(effective, key=burn_order):
            self.granted[self.period.number] += lot.grant.quantity
            lot.move("pending", "left", lot.pending)
            self.giving_back.pay_debts(lot)
            for number in [*self.carried, self.period.number]:
                self.pay_deficit(lot, number)

    def count_usage(self, at: datetime) -> None:
        """Fine point 1: all usage of the instant as one sum; a level that stands counts in the new period too."""
        self.used = used_in(self.raw, self.period, at)
        self.match_overage()

    def act(self, at: datetime) -> None:
        """Fine point 1: voids, refunds and disputes in recorded order."""
        actions = [action for action in self.raw.actions if action.at == at]
        for action in sorted(actions, key=lambda action: action.sequence):
            lot = self.lots[action.grant_id]
            match action:
                case Void():
                    self.void(lot)
                case Refund():
                    self.giving_back.refund(lot, action.refunded_cents)
                case Dispute():
                    self.giving_back.dispute(lot, action)
                case Conversion():
                    self.converted[self.period.number] += self.giving_back.convert(lot, action.quantity)

    def void(self, lot: Lot) -> None:
        """Rule 8 and fine point 7: what is left and what is on hold, never what was burned."""
        lot.is_void = True
        for place in ("pending", "left", "held"):
            lot.move(place, "voided", lot.at[place])

    def match_overage(self) -> None:
        """Rules 1 and 5: what was burned and what is unpaid together are the running period's overage."""
        overage = 0 if self.allowance is None else max(0, self.used - self.allowance)
        counted = self.burned_in(self.period.number) + self.unpaid[self.period.number]
        if overage > counted:
            self.rise(overage - counted)
        elif overage < counted:
            self.fall(counted - overage)

    def rise(self, amount: int) -> None:
        """Rule 3: grants pay in burn order; what no grant could pay is the deficit."""
        self.unpaid[self.period.number] += amount
        for lot in sorted(self.lots.values(), key=burn_order):
            self.pay_deficit(lot, self.period.number)

    def pay_deficit(self, lot: Lot, number: int) -> None:
        """What is left of `lot` pays the unpaid overage of a period; fine point 10: burned in that very month."""
        amount = lot.move("left", "burned", min(lot.left, self.unpaid[number]))
        self.unpaid[number] -= amount
        if amount:
            self.burns.append(Burn(number, lot, amount))

    def fall(self, amount: int) -> None:
        """Rule 5: first shrinks the deficit, then releases this period's burns in reverse order of burning."""
        shrunk = min(amount, self.unpaid[self.period.number])
        self.unpaid[self.period.number] -= shrunk
        amount -= shrunk
        for burn in reversed([burn for burn in self.burns if burn.number == self.period.number]):
            released = min(amount, burn.amount)
            burn.amount -= released
            amount -= released
            self.giving_back.release(burn.lot, released)

    def give(self, lot: Lot, place: str, amount: int) -> None:
        """Credits of `lot` come back out of `place`, to where such credits belong now.

        Fine point 7: voided at once if it was voided. Fine point 9: on hold while disputed. Rule 5: expired at once
        after its expiry. Else they are left, and as those of a won dispute (fine point 9) pay the running deficit.
        """
        if lot.is_void:
            lot.move(place, "voided", amount)
        elif lot.disputed:
            lot.move(place, "held", amount)
        elif lot.grant.expires_at is not None and lot.grant.expires_at <= self.now:
            self.count_expired(lot.move(place, "expired", amount))
        elif lot.grant.effective_at > self.now:
            lot.move(place, "pending", amount)
        else:
            lot.move(place, "left", amount)
            self.pay_deficit(lot, self.period.number)

    def count_expired(self, amount: int) -> None:
        self.expired[self.period.number] += amount

    def spendable(self) -> int:
        return sum(lot.left for lot in self.lots.values())

    def burned_in(self, number: int) -> int:
        return sum(burn.amount for burn in self.burns if burn.number == number)

    def policy(self) -> Policy:
        """The policy in force for the running period; the first one always was, and without any the defaults are."""
        policies = sorted(self.raw.policies, key=lambda policy: policy.at) or [Policy(self.period.start)]
        return [policies[0], *(policy for policy in policies[1:] if policy.at <= self.period.start)][-1]

    def largest_held(self, at: datetime) -> int | None:
        """Rule 7: the largest allowance held in the running period up to `at`; the first was always held."""
        plans = sorted(self.raw.allowances, key=lambda plan: plan.at)
        start = [plans[0], *(plan for plan in plans if plan.at <= self.period.start)][-1]
        held = [start, *(plan for plan in plans if self.period.start < plan.at <= at)]
        quantities = [plan.quantity for plan in held if plan.quantity is not None]
        return max(quantities) if len(quantities) == len(held) else None

    def account(self) -> Account:
        """Where everything is now."""
        running = self.period.number
        self.ended[running] = EndedMonth(self.used, self.allowance, self.spendable())
        total: Counter[str] = Counter()
        for lot in self.lots.values():
            total.update(lot.at)
        return Account(
            as_of=self.as_of,
            period=self.period,
            allowance=self.allowance,
            used=self.used,
            level=level_at(self.raw, self.as_of),
            left=total["left"],
            burned=total["burned"] + total["converted"],
            held=total["held"],
            expired=total["expired"],
            voided=total["voided"],
            clawed_back=total["taken"] + total["settled"],
            debt=self.giving_back.owed(),
            # Fine point 10: under "carry" all older periods too; uncovered is what ended periods left unpaid.
            deficit=self.unpaid[running] + sum(self.unpaid[number] for number in self.carried),
            uncovered=sum(amount for number, amount in self.unpaid.items() if number < running),
            grants={lot.grant.id: self.grant_account(lot) for lot in self.lots.values()},
            months=tuple(self.month(number) for number in range(self.first_number, running + 1)),
        )

    def grant_account(self, lot: Lot) -> GrantAccount:
        """Fine point 6: what it paid on debts of others counts as clawed back of it."""
        return GrantAccount(
            id=lot.grant.id,
            quantity=lot.grant.quantity,
            pending=lot.pending,
            left=lot.left,
            burned=lot.at["burned"] + lot.at["converted"],
            held=lot.at["held"],
            expired=lot.at["expired"],
            voided=lot.at["voided"],
            clawed_back=lot.at["taken"] + lot.at["settled"],
            debt=self.giving_back.owed(lot),
            converted=lot.at["converted"],
        )

    def month(self, number: int) -> Month:
        """One period of the history (credits.md, History)."""
        ended, runs = self.ended[number], number == self.period.number
        burns: Counter[str] = Counter()
        for burn in self.burns:
            if burn.number == number and burn.amount:
                burns[burn.lot.grant.id] += burn.amount
        period: Period = period_at(self.raw.anchor, number)
        return Month(
            period=period,
            allowance=ended.allowance,
            used=ended.used,
            covered=ended.used if ended.allowance is None else min(ended.used, ended.allowance),
            burned=sum(burns.values()),
            uncovered=0 if runs else self.unpaid[number],
            deficit=self.unpaid[number] if runs else 0,
            granted=self.granted[number],
            expired=self.expired[number],
            balance=ended.balance,
            burns=dict(burns),
            converted=self.converted[number],
        )
