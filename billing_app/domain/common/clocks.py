"""How far clocks may differ before something is wrong with one of them (docs/decisions/0021)."""

from __future__ import annotations

from datetime import datetime, timedelta

MAX_DIFFERENCE = timedelta(seconds=5)
"""Between a process' clock and the database's. A machine that keeps its time stays far below; more refuses writes."""

AHEAD = timedelta(minutes=1)
"""How far a moment that another process recorded may be ahead of ours: what two clocks that are allowed may differ by,
with room for what slept in between. What is further ahead was written by a clock that was wrong."""


def is_plausible(recorded: datetime | None, now: datetime) -> bool:
    """Whether a recorded moment may have been read from a clock that was right."""
    return recorded is None or recorded <= now + AHEAD


def latest(now: datetime, *recorded: datetime | None) -> datetime:
    """`now`, or the latest of the recorded moments that may be right (credits.md, fine point 17)."""
    return max([now, *(each for each in recorded if each is not None and is_plausible(each, now))])
