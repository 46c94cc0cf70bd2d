"""Metering periods: months counted from an anchor, clamped to month ends (credits.md, Words).

The only place where month arithmetic happens. Moments are aware and in UTC.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One metering month `[start, end)`; `number` is its id, 0 for the period that begins at the anchor."""

    number: int
    start: datetime
    end: datetime

    def contains(self, moment: datetime) -> bool:
        """Whether `moment` lies in `[start, end)`."""
        return self.start <= moment < self.end


def add_months(moment: datetime, months: int) -> datetime:
    """`moment` moved by whole months, its day clamped to the end of the month."""
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def one_year_after(moment: datetime) -> datetime:
    """The same UTC date and time one year later; 29 Feb gives 28 Feb (credits.md rule 2)."""
    return add_months(moment.astimezone(UTC), 12)


def month_start(moment: datetime) -> datetime:
    """The first instant of the calendar month (UTC) of `moment`."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


@lru_cache(maxsize=4096)
def period_at(anchor: datetime, number: int) -> Period:
    """The period with this number. Each start is computed from the anchor itself, so clamping never drifts."""
    return Period(number, add_months(anchor, number), add_months(anchor, number + 1))


def period_containing(anchor: datetime, moment: datetime) -> Period:
    """The period of `anchor` that `moment` falls in; periods extend before the anchor too."""
    anchor = anchor.astimezone(UTC)
    moment = moment.astimezone(UTC)
    number = (moment.year - anchor.year) * 12 + moment.month - anchor.month
    if add_months(anchor, number) > moment:
        number -= 1
    return period_at(anchor, number)
