"""How usage events add up, and which ones are accepted (credits.md, Words: aggregation; rules 5 and 6).

`fold` turns raw events into the usage points that the engine reads. All events of one instant count as one sum (fine
point 1), so their order does not matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from billing_app.domain.common.errors import FactRefusedError
from billing_app.domain.common.periods import Period, period_containing
from billing_app.domain.credits.facts import MAX_QUANTITY, Aggregation, UsagePoint

LATEST = timedelta(days=34)
"""How late usage is accepted; older corrections need an operator's import (rule 6)."""

EARLIEST = timedelta(minutes=5)
"""How far ahead usage may be dated, for clocks that run fast (rule 6)."""


class UsageEvent(NamedTuple):
    """One reported use. `quantity` is signed base units (`sum`), +1 or -1 (`unique`), or a level (`max`, `level`).

    `source` is the sub-organization that used it, empty for the organization itself.
    """

    at: datetime
    quantity: int
    subject: str | None = None
    source: str = ""


def fold(
    aggregation: Aggregation,
    anchor: datetime,
    events: Iterable[UsageEvent],
    standing: int = 0,
    others: Mapping[str, int] | None = None,
) -> tuple[UsagePoint, ...]:
    """The usage points of `events`, one per instant, in order of time.

    Of a `level` each source holds its own, and the organization holds their sum. `standing` is what stood before the
    first event in all, `others` the part of it that each sub-organization held.
    """
    points: list[UsagePoint] = []
    running = _Running(aggregation, standing, others or {})
    period: Period | None = None
    for at, batch in groupby(sorted(events, key=attrgetter("at")), key=attrgetter("at")):
        if period is None or not period.contains(at):
            period = period_containing(anchor, at)
            running.turn()
        running.count(list(batch))
        points.append(UsagePoint(at, running.used, running.level))
    return tuple(points)


class _Running:
    """The aggregate of one period while it fills."""

    def __init__(self, aggregation: Aggregation, standing: int, others: Mapping[str, int]) -> None:
        self.aggregation = aggregation
        self.level = standing
        self.levels = {"": standing - sum(others.values()), **others}
        self.total = 0
        self.subjects: set[str] = set()

    @property
    def used(self) -> int:
        """Usage so far; corrections dated before their use may make the sum negative for a while, use never is."""
        return len(self.subjects) if self.aggregation is Aggregation.UNIQUE else max(0, self.total)

    def turn(self) -> None:
        """A period turns: everything is counted anew, but a level still stands."""
        self.subjects.clear()
        self.total = self.level if self.aggregation is Aggregation.LEVEL else 0

    def count(self, batch: list[UsageEvent]) -> None:
        """Counts all events of one instant."""
        if self.aggregation is Aggregation.SUM:
            self.total += sum(event.quantity for event in batch)
        elif self.aggregation is Aggregation.UNIQUE:
            self._count_subjects(batch)
        else:
            highest = max(event.quantity for event in batch)
            if self.aggregation is Aggregation.LEVEL:
                highest = self.level = self._hold(batch)
            self.total = max(self.total, highest)

    def _hold(self, batch: list[UsageEvent]) -> int:
        """Of several levels of one source at one instant the highest stands; all sources together are held."""
        reported: dict[str, int] = {}
        for event in batch:
            reported[event.source] = max(event.quantity, reported.get(event.source, 0))
        self.levels |= reported
        return sum(self.levels.values())

    def _count_subjects(self, batch: list[UsageEvent]) -> None:
        """Of one instant, a subject's net sum decides whether it is in, out, or as it was (fine point 4)."""
        net: dict[str, int] = defaultdict(int)
        for event in batch:
            net[event.subject or ""] += event.quantity
        for subject, quantity in net.items():
            if quantity > 0:
                self.subjects.add(subject)
            elif quantity < 0:
                self.subjects.discard(subject)


def validated_quantity(aggregation: Aggregation, quantity: int | None, subject: str | None) -> int:
    """The quantity of an event as it is counted; 1 where a subject comes without one.

    Raises FactRefusedError: `subject_required` for a `unique` metric without subject, `invalid_quantity` for anything
    that the aggregation cannot count, `quantity_too_large` beyond 2**63-1.
    """
    if aggregation is Aggregation.UNIQUE and not subject:
        raise FactRefusedError(
            "This metric counts distinct subjects: say which one in `subject`.", code="subject_required"
        )
    if quantity is None:
        if subject:
            return 1
        raise FactRefusedError("`quantity` is missing: say how much was used.", code="invalid_quantity")
    if abs(quantity) > MAX_QUANTITY:
        raise FactRefusedError(f"`quantity` is beyond {MAX_QUANTITY}.", code="quantity_too_large")
    if aggregation is Aggregation.UNIQUE and quantity not in (1, -1):
        raise FactRefusedError(
            "For this metric `quantity` is 1 (seen) or -1 (taken out again).", code="invalid_quantity"
        )
    if aggregation in (Aggregation.MAX, Aggregation.LEVEL) and quantity < 0:
        raise FactRefusedError("This metric takes levels of 0 or more.", code="invalid_quantity")
    return quantity


def validated_moment(occurred_at: datetime, now: datetime, *, backfill: bool = False) -> datetime:
    """`occurred_at` if it may still be reported at `now` (rule 6); `backfill` lifts the age limit for an operator.

    Raises FactRefusedError `usage_too_old` or `usage_in_future`.
    """
    if occurred_at - now > EARLIEST:
        raise FactRefusedError(
            f"The use is dated {occurred_at.isoformat()}, more than 5 minutes ahead of {now.isoformat()}.",
            code="usage_in_future",
        )
    if now - occurred_at > LATEST and not backfill:
        raise FactRefusedError(
            f"The use is dated {occurred_at.isoformat()}, more than 34 days before {now.isoformat()}. "
            "An operator can import it with --backfill.",
            code="usage_too_old",
        )
    return occurred_at
