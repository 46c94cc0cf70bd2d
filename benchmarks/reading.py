"""Pages: what must cost by what is shown, and not by what exists."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from benchmarks.measuring import Row, best, measured
from benchmarks.places import NOW, an_organization
from billing_app.db import Database
from billing_app.services.common.context import Context
from billing_app.services.overview import overview as overviews
from billing_app.services.usage import reporting
from billing_app.services.usage.reporting import ReportedEvent

FEW, MANY = 2_000, 40_000
"""Events of an organization whose pages are compared."""


def overview(opened: Database, kind: str, seconds: float) -> list[Row]:
    """The overview of many events beside the same of few: roll-ups make them cost the same."""
    rates = {}
    for count in (FEW, MANY):
        made = an_organization(opened, f"with-{count}")
        spread = timedelta(days=30) / count
        for start in range(0, count, 1_000):
            events = [
                ReportedEvent("bandwidth", 1, None, NOW - spread * (start + place), f"e{start + place}")
                for place in range(1_000)
            ]
            with opened.writing() as session:
                reporting.report(Context(session, made, NOW), events, backfill=True)

        def load(_number: int, made: Any = made) -> None:
            with opened.reading() as session:
                overviews.overview(Context(session, made, NOW), "bandwidth")

        rates[count] = best(*(measured(load, seconds / 2) for _ in range(2)))
    many, few = rates[MANY], rates[FEW]
    return [Row(f"overview of {MANY} events", kind, many, f"the same of {FEW}", few.per_second, 0.67)]
