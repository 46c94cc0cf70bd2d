"""At which share of the plan or of the credits something is told (credits.md, Thresholds)."""

from __future__ import annotations

from dataclasses import dataclass

from billing_app.domain.engine_state import State
from billing_app.domain.running import Base, RunningMonth

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


def next_used(state: State, told: dict[str, int]) -> int | None:
    """The next `used` of the running period at which something is to be told; None if no growth tells anything.

    `told` has the highest percentage told so far by mark name. Used by the meter, so that thresholds cost one
    comparison; it may be too early, never too late.
    """
    if not state.begun or state.month.allowance is None:
        return None
    month, candidates = state.month, []
    done = told.get(f"plan.usage:{month.period.number}", 0)
    if month.allowance:
        candidates += [-(-p * month.allowance // 100) for p in PLAN_PERCENTS if p > done]
    if state.base is not None and state.base.available > 0:
        done = told.get(f"credits.used:{state.base.grant_id}", 0)
        floor = max(month.used, month.allowance)
        burned = state.burned - state.base.burned
        candidates += [
            floor + max(0, -(-p * state.base.available // 100) - burned) for p in CREDIT_PERCENTS if p > done
        ]
    candidates.append(max(month.used, month.allowance) + state.left)
    return min((used for used in candidates if used > month.used), default=None)
