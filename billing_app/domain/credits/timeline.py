"""The course of a metric: where it stood after each instant at which anything happened.

One run of the engine that days, balance lines and cut-offs are all read from, so that a page runs it once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from billing_app.domain.credits import engine
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.entitlements import Reading
from billing_app.domain.credits.facts import History


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the metric stood right after `at`.

    `used` is the use of the running period, whose `number` it is; `level` what a `level` metric held; `left` the
    spendable credits; `blocked` whether a check of 1 would have been refused (reservations aside).
    """

    at: datetime
    number: int
    used: int
    level: int
    left: int
    blocked: bool


@dataclass(frozen=True, slots=True)
class Course:
    """The marks of a metric, oldest first, and the engine's state (with its trace) after the last."""

    marks: tuple[Mark, ...]
    state: State

    def left_at(self, moment: datetime) -> int:
        """What was spendable right after everything that happened up to `moment`."""
        left = 0
        for mark in self.marks:
            if mark.at > moment:
                break
            left = mark.left
        return left

    def of_period(self, number: int) -> tuple[Mark, ...]:
        """The marks of one period."""
        return tuple(mark for mark in self.marks if mark.number == number)

    def used_up(self) -> Iterator[Mark]:
        """The marks at which plan and credits came to their end. Where there was nothing, nothing came to its end."""
        blocked = False
        for mark in self.marks:
            if mark.blocked and not blocked and mark.used:
                yield mark
            blocked = mark.blocked

    def blocked_since(self) -> datetime | None:
        """Since when it is cut off; None if it is not."""
        since: datetime | None = None
        for mark in reversed(self.marks):
            if not mark.blocked:
                break
            since = mark.at
        return since


def follow(facts: History, until: datetime) -> Course:
    """Runs the engine over `facts` up to `until`, inclusive, and keeps a mark of each instant."""
    state = engine.start(facts)
    state.trace = []
    marks = tuple(_mark(facts, state, at) for at in engine.steps(state, facts, until))
    return Course(marks, state)


def _mark(facts: History, state: State, at: datetime) -> Mark:
    month, left = state.month, state.left
    reading = Reading(facts.aggregation, month.allowance, month.used, left, 0, state.level)
    return Mark(at, month.period.number, month.used, state.level, left, not reading.allows(1))
