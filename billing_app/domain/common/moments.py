"""How a moment is written: RFC 3339 with a zone, within the calendar that everything here can count in.

One reading for the API, files, addresses of pages and commands. What is out of range is refused, never brought into it:
whoever asks for the year 9999 would otherwise be answered about another moment than the one that was asked for.
Beside it: how far clocks may differ before something is wrong with one of them (docs/decisions/0021).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from billing_app.domain.common.errors import InvalidError

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2200, 1, 1, tzinfo=UTC)
"""Nothing of ours lies outside, and month arithmetic has its room."""

RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,12})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

MAX_SHOWN = 40
"""Characters of what was sent that a refusal repeats."""


WORDS = {"None": "null", "True": "true", "False": "false", "nan": "NaN"}
"""Values as JSON writes them."""


def moment(text: object) -> datetime:
    """`2026-03-01T00:00:00Z` in UTC. Raises InvalidError `invalid_moment` for anything else: no zone, out of range."""
    if not isinstance(text, str) or not (found := RFC_3339.fullmatch(text)):
        raise InvalidError(f"A moment is written like 2026-03-01T00:00:00Z, not {shown(text)}.", code="invalid_moment")
    if not found[3]:
        raise InvalidError(
            f"{text} has no time zone: add Z for UTC, or an offset such as +01:00.", code="invalid_moment"
        )
    try:
        read = datetime.fromisoformat(text.upper())
    except ValueError:
        raise InvalidError(f"{text} is not a moment of the calendar.", code="invalid_moment") from None
    return within(read)


def within(read: datetime) -> datetime:
    """A moment with a zone, in UTC. Raises InvalidError `invalid_moment` outside of FIRST and LAST."""
    try:
        found = read.astimezone(UTC)
    except OverflowError:  # the first or the last day of the calendar, in a zone
        found = None
    if found is None or not FIRST <= found <= LAST:
        raise InvalidError(
            f"{read.isoformat()} is out of range: moments lie between {FIRST.year} and {LAST.year}.",
            code="invalid_moment",
        )
    return found


def day(text: str) -> datetime:
    """The first moment of `2027-01-31`, UTC. Raises InvalidError `invalid_moment`."""
    if not DAY.fullmatch(text):
        raise InvalidError(f"A day is written like 2027-01-31, not {shown(text)}.", code="invalid_moment")
    return moment(f"{text}T00:00:00Z")


def day_or_moment(text: str) -> datetime:
    """`2027-01-31` is its first moment, UTC; anything else is read as `moment` does. Raises `invalid_moment`."""
    return day(text) if DAY.fullmatch(text) else moment(text)


def shown(value: object) -> str:
    """What was sent, short and with escapes, for a refusal."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value) if isinstance(value, str) else WORDS.get(str(value), str(value))
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


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
