"""Which allowance and which policy an organization holds at a moment (rule 7, fine point 3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter

from billing_app.domain.credits.facts import Allowance, History, Policy


def changes(allowances: Iterable[Allowance]) -> list[Allowance]:
    """Allowances by time; of several at one instant the last recorded stands, the others were held for no time."""
    by_instant: dict[datetime, Allowance] = {}
    for allowance in sorted(allowances, key=attrgetter("at")):
        by_instant[allowance.at] = allowance
    return list(by_instant.values())


def held_at(history: History, at: datetime) -> int | None:
    """The allowance held at `at`; the first one has always been held (fine point 3). 0 where there is none."""
    dated = changes(history.allowances)
    held: int | None = dated[0].quantity if dated else 0
    for change in dated:
        if change.at <= at:
            held = change.quantity
    return held


def largest_held(history: History, start: datetime, until: datetime) -> int | None:
    """The largest allowance held in `[start, until]`: what a period that starts then includes so far (rule 7)."""
    largest = held_at(history, start)
    for change in changes(history.allowances):
        if start < change.at <= until and largest is not None:
            largest = None if change.quantity is None else max(largest, change.quantity)
    return largest


def policy_at(history: History, at: datetime) -> Policy:
    """The policy of a period that starts at `at`: the last one set by then; the first one always was."""
    ordered = sorted(history.policies, key=attrgetter("at"))
    chosen = ordered[0] if ordered else Policy(at)
    for policy in ordered:
        if policy.at <= at:
            chosen = policy
    return chosen
