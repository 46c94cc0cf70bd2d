"""What a reader sees of the engine's state: totals, grants and months at a moment."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from billing_app.domain.common.periods import period_containing
from billing_app.domain.credits.accounts import Account, Month
from billing_app.domain.credits.allowances import largest_held
from billing_app.domain.credits.facts import History
from billing_app.domain.credits.period_state import RunningMonth

if TYPE_CHECKING:
    from billing_app.domain.credits.engine_state import State


def account_of(state: State, history: History, as_of: datetime) -> Account:
    """What a reader sees at `as_of`, which must be the state's own moment."""
    period = period_containing(history.anchor, as_of)
    running = state.month if state.begun and state.month.period == period else None
    if running is None:
        running = RunningMonth(period, largest_held(history, period.start, as_of))
    positions = state.positions.values()
    carried = sum(month.unpaid for month in state.carried)
    return Account(
        as_of=as_of,
        period=period,
        allowance=running.allowance,
        used=running.used,
        level=state.level,
        left=state.left,
        burned=sum(p.burned + p.converted for p in positions),
        held=sum(p.held for p in positions),
        expired=sum(p.expired for p in positions),
        voided=sum(p.voided for p in positions),
        clawed_back=sum(p.taken + p.settled for p in positions),
        debt=state.debt,
        deficit=running.unpaid + carried,
        uncovered=sum(month.unpaid for month in state.months if month is not running),
        grants={p.grant.id: p.account() for p in positions},
        months=tuple(_month(state, month, month is running) for month in state.months),
    )


def _month(state: State, month: RunningMonth, running: bool) -> Month:
    return Month(
        period=month.period,
        allowance=month.allowance,
        used=month.used,
        covered=month.used - month.overage,
        burned=month.burned,
        uncovered=0 if running else month.unpaid,
        deficit=month.unpaid if running else 0,
        granted=month.granted,
        expired=month.expired,
        balance=state.left if running else month.balance,
        burns=dict(month.burns),
        converted=month.converted,
    )
