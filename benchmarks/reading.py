"""Pages and imports: what must cost by what changed or is shown, and not by what exists."""

from __future__ import annotations

import csv
import tempfile
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.measuring import Rate, Row, best, measured, timed
from benchmarks.places import NOW, an_organization
from billing_app.db import Database
from billing_app.services.common.context import Context
from billing_app.services.operators import imports
from billing_app.services.overview import overview as overviews
from billing_app.services.usage import reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.services.verification import verification

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


def imported(opened: Database, kind: str, _seconds: float) -> list[Row]:
    """Importing ten times as many lines takes the same memory."""
    peaks, took = {}, 0.0
    for lines in (2_000, 20_000):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "usage.csv"
            with file.open("w", newline="") as output:
                rows = csv.writer(output)
                rows.writerow(["organization", "id", "metric", "quantity", "at"])
                for number in range(lines):
                    at = NOW - timedelta(minutes=number % 40_000)
                    rows.writerow([f"org-{lines}", f"{lines}-{number}", "emails", 1, at.isoformat()])
            create = imports.NewOrganizations("custom", NOW - timedelta(days=40))

            def work(file: Path = file, create: imports.NewOrganizations = create) -> None:
                imports.import_usage(file, opened.writing, lambda: NOW, backfill=True, create=create)

            tracemalloc.start()
            took = timed(work)
            peaks[lines] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    small, large = peaks[2_000], peaks[20_000]
    notes = {"peak_mb": {"2 000 lines": round(small / 1e6, 1), "20 000 lines": round(large / 1e6, 1)}}
    rate = Rate(round(20_000 / took, 1), *[round(took * 1000 / 20_000, 3)] * 3)
    row = Row("import, lines (memory traced)", kind, rate, "a thousand a second", 1_000, 1.0, notes)
    return [row]


def verified(opened: Database, kind: str, _seconds: float) -> list[Row]:
    """Verifying ten times as many events takes the same memory."""
    peaks, took = {}, 0.0
    for count in (FEW, FEW * 10):
        made = an_organization(opened, f"verified-{count}")
        for start in range(0, count, 1_000):
            events = [
                ReportedEvent(
                    "bandwidth", 1, None, NOW - timedelta(minutes=(start + place) % 40_000), f"v{start + place}"
                )
                for place in range(1_000)
            ]
            with opened.writing() as session:
                reporting.report(Context(session, made, NOW), events, backfill=True)

        def work(made: Any = made) -> None:
            with opened.reading() as session:
                if list(verification.verify(Context(session, made, NOW))):
                    raise RuntimeError("a difference")

        work()
        tracemalloc.start()
        took = timed(work)
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    flat = peaks[FEW] / peaks[FEW * 10]
    notes = {
        "peak_mb": {str(count): round(peak / 1e6, 2) for count, peak in peaks.items()},
        "memory_ratio": round(flat, 2),
    }
    rate = Rate(round(FEW * 10 / took, 1), *[round(took * 1000 / (FEW * 10), 4)] * 3)
    limit = "its memory for a tenth of the events"
    return [Row("verify, events", kind, rate, limit, rate.per_second / flat, 0.5, notes)]
