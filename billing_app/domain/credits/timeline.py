"""The timeline of a metric: where it stood after each instant at which anything happened.

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
class Point:
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
class Timeline:
    """The points of a metric, oldest first, and the engine's state (with its trace) after the last."""

    points: tuple[Point, ...]
    state: State

    def left_at(self, moment: datetime) -> int:
        """What was spendable right after everything that happened up to `moment`."""
        left = 0
        for point in self.points:
            if point.at > moment:
                break
            left = point.left
        return left

    def of_period(self, number: int) -> tuple[Point, ...]:
        """The points of one period."""
        return tuple(point for point in self.points if point.number == number)

    def used_up(self) -> Iterator[Point]:
        """The points at which plan and credits came to their end. Where there was nothing, nothing came to its end."""
        blocked = False
        for point in self.points:
            if point.blocked and not blocked and point.used:
                yield point
            blocked = point.blocked

    def blocked_since(self) -> datetime | None:
        """Since when it is cut off; None if it is not."""
        since: datetime | None = None
        for point in reversed(self.points):
            if not point.blocked:
                break
            since = point.at
        return since


def follow(facts: History, until: datetime) -> Timeline:
    """Runs the engine over `facts` up to `until`, inclusive, and keeps a point of each instant."""
    state = engine.start(facts)
    state.trace = []
    points = tuple(_point(facts, state, at) for at in engine.steps(state, facts, until))
    return Timeline(points, state)


def _point(facts: History, state: State, at: datetime) -> Point:
    month, left = state.month, state.left
    reading = Reading(facts.aggregation, month.allowance, month.used, left, 0, state.level)
    return Point(at, month.period.number, month.used, state.level, left, not reading.allows(1))
