"""Daily use out of monthly figures: weekdays over weekends, growth inside the month, a little chance; whole numbers.

Chance is seeded by organization, metric and period, so the same moment of telling gives the same figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

from billing_app.demo.calendar import Calendar
from billing_app.domain.common.periods import Period
from billing_app.services.usage.reporting import ReportedEvent

WEEKDAYS = (104, 109, 110, 106, 98, 55, 46)
"""How busy Monday to Sunday are, compared with each other."""

COARSE = ((timedelta(hours=14, minutes=20), 1),)
"""When use of a day long past is dated, and the share of each moment."""

FINE = tuple(
    (timedelta(hours=hour, minutes=20), share)
    for hour, share in ((0, 2), (3, 1), (6, 4), (8, 8), (10, 9), (12, 8), (14, 9), (16, 8), (18, 6), (20, 4), (22, 3))
)
"""The same for the last days."""

READ_AT = timedelta(hours=4, minutes=30)
"""When a day's level is read: at night, when nobody uploads."""

FINE_READS = tuple(timedelta(hours=hour, minutes=30) for hour in (4, 10, 16, 22))

JUST_NOW_SHARE = 400
"""The last minutes have a 400th of an ordinary day."""

JUST_NOW_SUBJECTS = 9
"""Devices seen for the first time since the last recount."""


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole parts in proportion to `weights`; the parts add up to it exactly."""
    whole, given, so_far = sum(weights), 0, 0
    parts: list[int] = []
    for weight in weights:
        so_far += weight
        parts.append(total * so_far // whole - given)
        given += parts[-1]
    return parts


def daily(name: str, period: Period, total: int) -> list[tuple[datetime, int]]:
    """A period's total by day. `name` seeds the chance."""
    chance = Random(f"{name}:{period.number}")
    days = (period.end - period.start).days
    starts = [period.start + timedelta(days=day) for day in range(days)]
    weights = [WEEKDAYS[start.weekday()] * chance.randint(90, 110) * (100 + day) for day, start in enumerate(starts)]
    return list(zip(starts, spread(total, weights), strict=True))


def sums(calendar: Calendar, name: str, metric: str, totals: Sequence[int], unit: int = 1) -> list[ReportedEvent]:
    """Events of a `sum` metric. `totals` are what each whole period uses; of the running one only what has happened."""
    events = [
        ReportedEvent(metric, quantity * unit, at=at)
        for _period, at, quantity in _moments(calendar, name, totals)
        if quantity
    ]
    per_day = totals[-1] * unit // 30
    events.append(ReportedEvent(metric, max(1, per_day // JUST_NOW_SHARE), at=calendar.just_now))
    return events


def subjects(calendar: Calendar, name: str, metric: str, totals: Sequence[int]) -> list[ReportedEvent]:
    """Events of a `unique` metric: each device once a period, when it is first seen.

    Devices come and go: each period begins a little further on in the row of all devices.
    """
    events: list[ReportedEvent] = []
    seen: dict[int, int] = {}
    gone = 0
    firsts = [gone := gone + total // 12 for total in totals]
    moments = [*_moments(calendar, name, totals), (len(totals) - 1, calendar.just_now, JUST_NOW_SUBJECTS)]
    for period, at, quantity in moments:
        before = seen.get(period, 0)
        seen[period] = before + quantity
        first = firsts[period] + before
        events += [ReportedEvent(metric, subject=device(number), at=at) for number in range(first, first + quantity)]
    return events


def device(number: int) -> str:
    """A device's name."""
    return f"device-{number:06d}"


def levels(calendar: Calendar, name: str, metric: str, ends: Sequence[int], unit: int) -> list[ReportedEvent]:
    """Events of a `level` metric that grows from one period's end to the next; `ends` are the levels reached there."""
    events: list[ReportedEvent] = []
    before = ends[0] * 9 // 10
    for period, end in zip(calendar.periods, ends, strict=True):
        chance = Random(f"{name}:{period.number}")
        days = (period.end - period.start).days
        for day in range(days):
            start = period.start + timedelta(days=day)
            grown = before * unit + (end - before) * unit * (day + 1) // days
            cleaned = abs(end - before) * unit * chance.randint(0, 40) // 1000
            reads = FINE_READS if start >= calendar.fine_from else (READ_AT,)
            events += [
                ReportedEvent(metric, max(0, grown - cleaned), at=start + read)
                for read in reads
                if start + read <= calendar.now
            ]
        before = end
    return events


def top_ups(
    calendar: Calendar,
    name: str,
    totals: Sequence[int],
    *,
    included: int,
    bought: Mapping[datetime, int],
    since: datetime,
    below: int,
    quantity: int,
) -> Iterator[datetime]:
    """When an automatic top-up of `quantity` buys: on days from `since` on that leave less than `below`.

    Counted day by day: what is included pays first, then what was `bought` (or came back, or was told late: negative).
    """
    left = 0
    for period, total in zip(calendar.periods, totals, strict=True):
        used = 0
        for start, use in daily(name, period, total):
            end = start + timedelta(days=1)
            left += sum(each for at, each in bought.items() if start <= at < end)
            overage = max(0, used + use - included) - max(0, used - included)
            used += use
            left = max(0, left - overage)
            if start >= since and left < below:
                left += quantity
                # after the day's use, and not by the same minute each time
                yield start + timedelta(hours=15 + start.day % 6, minutes=start.day * 7 % 60)


def _moments(calendar: Calendar, name: str, totals: Sequence[int]) -> Iterator[tuple[int, datetime, int]]:
    """Period, moment and quantity of everything up to now."""
    for period, total in zip(calendar.periods, totals, strict=True):
        for start, quantity in daily(name, period, total):
            shape = FINE if start >= calendar.fine_from else COARSE
            parts = spread(quantity, [share for _time, share in shape])
            for (time, _share), part in zip(shape, parts, strict=True):
                if start + time <= calendar.now:
                    yield period.number, start + time, part
