"""At which share of the plan or of the credits something is told (credits.md, Thresholds)."""

from __future__ import annotations

from dataclasses import dataclass

from billing_app.domain.credits.accounts import Account
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.period_state import Base, RunningMonth

PLAN_PERCENTS = (50, 70, 90, 100)
CREDIT_PERCENTS = (50, 75, 90, 100)


@dataclass(frozen=True, slots=True)
class Mark:
    """A threshold that is reached: `name` is what it belongs to and is told once for (a period, a grant)."""

    kind: str
    name: str
    percent: int


def reached(percents: tuple[int, ...], part: int, whole: int) -> int:
    """The highest of `percents` that `part` of `whole` has reached; 0 for none, or where there is no whole."""
    if whole <= 0:
        return 0
    return max((percent for percent in percents if part * 100 >= percent * whole), default=0)


def plan_mark(month: RunningMonth) -> Mark | None:
    """The threshold of the plan that the period has reached; none where the allowance is 0 or unlimited."""
    percent = reached(PLAN_PERCENTS, month.used, month.allowance or 0)
    return Mark("plan.usage", f"plan.usage:{month.period.number}", percent) if percent else None


def credit_mark(base: Base | None, burned: int) -> Mark | None:
    """The threshold of the credits available after the latest grant; expiry is not use."""
    if base is None:
        return None
    percent = reached(CREDIT_PERCENTS, burned - base.burned, base.available)
    return Mark("credits.used", f"credits.used:{base.grant_id}", percent) if percent else None


def marks(state: State) -> list[Mark]:
    """Every threshold that `state` stands at."""
    found = (plan_mark(state.month) if state.begun else None, credit_mark(state.base, state.burned))
    return [mark for mark in found if mark]


def next_used(state: State, account: Account, alerted: dict[str, int]) -> int | None:
    """The next `used` of the running period at which something is to be told; None if no growth tells anything.

    `account` is the state's own, `alerted` has the highest percentage told so far by mark name. Used by the meter, so
    that thresholds cost one comparison; it may be too early, never too late.
    """
    if account.allowance is None:
        return None
    above = max(account.used, account.allowance)
    candidates = [above + account.left]  # from here on it is blocked
    done = alerted.get(f"plan.usage:{account.period.number}", 0)
    candidates += [_share(percent, account.allowance) for percent in PLAN_PERCENTS if percent > done]
    if state.base is not None and state.base.available > 0:
        done = alerted.get(f"credits.used:{state.base.grant_id}", 0)
        burned = state.burned - state.base.burned
        candidates += [
            above + max(0, _share(percent, state.base.available) - burned)
            for percent in CREDIT_PERCENTS
            if percent > done
        ]
    return min((used for used in candidates if used > account.used), default=None)


def _share(percent: int, whole: int) -> int:
    """The smallest quantity that is at least `percent` of `whole`."""
    return -(-percent * whole // 100)
