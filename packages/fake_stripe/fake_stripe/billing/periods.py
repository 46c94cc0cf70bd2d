"""Billing periods: whole intervals counted from an anchor, so that the 31st comes back after a short month."""

import calendar
from datetime import UTC, datetime

_FIXED_SECONDS = {"day": 24 * 3600, "week": 7 * 24 * 3600}


def add(at: int, interval: str, count: int) -> int:
    """`at` (seconds since 1970) plus `count` intervals; a day that the month lacks becomes its last."""
    if interval in _FIXED_SECONDS:
        return at + count * _FIXED_SECONDS[interval]
    moment = datetime.fromtimestamp(at, UTC)
    months = moment.month - 1 + count * (12 if interval == "year" else 1)
    year, month = moment.year + months // 12, months % 12 + 1
    day = min(moment.day, calendar.monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())


def next_boundary(anchor: int, after: int, interval: str, count: int) -> int:
    """The first boundary of the cycle through `anchor` that lies after `after`."""
    steps = 0
    if add(anchor, interval, 0) <= after:
        while add(anchor, interval, (steps + 1) * count) <= after:
            steps += 1
        return add(anchor, interval, (steps + 1) * count)
    while add(anchor, interval, (steps - 1) * count) > after:
        steps -= 1
    return add(anchor, interval, steps * count)


def previous_boundary(anchor: int, before: int, interval: str, count: int) -> int:
    """The boundary one interval before `before`, itself a boundary of the cycle through `anchor`."""
    steps = 0
    while add(anchor, interval, steps * count) < before:
        steps += 1
    while add(anchor, interval, steps * count) > before:
        steps -= 1
    return add(anchor, interval, (steps - 1) * count)
