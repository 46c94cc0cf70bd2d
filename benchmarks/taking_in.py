"""Importing and verifying usage, beside the same rows by hand in the driver: sqlite3's executemany, psycopg's COPY."""

from __future__ import annotations

import random
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.measuring import Rate, Row, timed
from benchmarks.places import NOW, an_organization
from billing_app.db import Database
from billing_app.services.common.context import Context
from billing_app.services.operators import imports
from billing_app.services.usage import reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.services.verification import verification

LINES = 120_000
"""Of the file that is imported: two months of 16 organizations, as the airlines' year has them."""

TRACED = (3_000, 30_000)
"""Lines of two files whose memory is compared."""

CARRIERS = ("UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX", "FL", "AS", "F9", "YV", "HA", "OO")

BLOCK = 5_000
"""Rows of one transaction by hand."""

EVENT = ("organization_id", "id", "metric", "quantity", "subject", "occurred_at", "recorded_at", "key", "source")
KEY = ("organization_id", "key", "digest", "occurred_at")

FEW, MANY = 20_000, 200_000
"""Events of an organization that are verified, of as many hours."""


def imported(opened: Database, kind: str, _seconds: float) -> list[Row]:
    """A file of devices and bytes, in order of time; its memory beside that of a tenth of it."""
    with tempfile.TemporaryDirectory() as folder:
        peaks = {}
        for lines in TRACED:  # in runs of their own, for tracing takes its time
            file = _written(Path(folder) / "traced.csv", lines, f"t{lines}")
            tracemalloc.start()
            _import(opened, file)
            peaks[lines] = round(tracemalloc.get_traced_memory()[1] / 1e6, 1)
            tracemalloc.stop()
        file = _written(Path(folder) / "usage.csv", LINES, "x")
        processor = time.process_time()
        took = timed(lambda: _import(opened, file))
        processor = time.process_time() - processor
    made = an_organization(opened, "by-hand")
    rows = [
        (made.pk, uuid4().hex, "bandwidth", 1, None, _moment(kind, minutes), _moment(kind, 0), f"h{minutes}", "")
        for minutes in range(LINES)
    ]
    by_hand = LINES / timed(lambda: [insert_by_hand(opened, rows[at : at + BLOCK]) for at in range(0, LINES, BLOCK)])
    rate = Rate(round(LINES / took, 1), *[round(took * 1000 / LINES, 4)] * 3)
    notes = {"cpu_us_a_row": round(processor / LINES * 1e6, 1), "peak_mb": peaks}
    return [Row("import, rows", kind, rate, "the same rows by hand in the driver", by_hand, 0.4, notes)]


def _import(opened: Database, file: Path) -> None:
    create = imports.NewOrganizations("custom")
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731
    outcome = imports.import_usage(file, opened.writing, clock, backfill=True, create=create)
    if outcome.bad or outcome.accepted != outcome.rows:
        raise RuntimeError(str(outcome)[:300])


def _written(file: Path, lines: int, name: str) -> Path:
    chance, start = random.Random(1), datetime(2025, 1, 1, 5, tzinfo=UTC)
    with file.open("w") as output:
        output.write("organization,id,metric,quantity,subject,at\n")
        for number in range(lines // 2):
            who = chance.choices(CARRIERS, range(16, 0, -1))[0]
            at = f"{start + timedelta(hours=number // 40):%Y-%m-%dT%H:%M:%SZ}"
            output.write(f"{who}-{name},m{number},mau,,N{chance.randrange(250)}{who},{at}\n")
            output.write(f"{who}-{name},b{number},bandwidth,{chance.randrange(94, 4983)}000000,,{at}\n")
    return file


def _moment(kind: str, minutes: int) -> str:
    at = NOW - timedelta(minutes=minutes)
    return at.strftime("%Y-%m-%d %H:%M:%S.%f") if kind == "sqlite" else at.isoformat()


def insert_by_hand(opened: Database, rows: Sequence[tuple[Any, ...]]) -> None:
    """The fastest way that a driver has for events and keys, in one transaction; nothing is checked or counted."""
    keys = [(row[0], row[7], "d" * 32, row[5]) for row in rows]
    connection: Any = opened.engine.raw_connection()
    cursor = connection.cursor()
    if opened.sqlite:
        cursor.execute("BEGIN IMMEDIATE")
    for table, names, given in (("usage_keys", KEY, keys), ("usage_events", EVENT, rows)):
        if opened.sqlite:
            marks = ", ".join("?" * len(names))
            cursor.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", given)
        else:
            with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
                for row in given:
                    copy.write_row(row)
    connection.commit()
    connection.close()


def verified(opened: Database, kind: str, _seconds: float) -> list[Row]:
    """Verifying beside reading the same rows once; ten times as many in as many hours take the same memory."""
    peaks, rates = {}, {}
    for count in (FEW, MANY):
        made = an_organization(opened, f"verified-{count}")
        spread = timedelta(days=20) / count
        for start in range(0, count, 5_000):
            events = [
                ReportedEvent("bandwidth", 1, None, NOW - spread * number, f"v{number}")
                for number in range(start, start + 5_000)
            ]
            with opened.writing() as session:
                reporting.report_many(session, [(made, events)], NOW, backfill=True)

        def work(made: Any = made) -> None:
            with opened.reading() as session:
                if list(verification.verify(Context(session, made, NOW))):
                    raise RuntimeError("a difference")

        work()
        rates[count] = count / timed(work)
        tracemalloc.start()
        work()
        peaks[count] = round(tracemalloc.get_traced_memory()[1] / 1e6, 2)
        tracemalloc.stop()
    once = MANY / timed(lambda: _read(opened, made.pk))
    rate = Rate(round(rates[MANY], 1), *[round(1000 / rates[MANY], 4)] * 3)
    notes = {"peak_mb": peaks, "memory_ratio": round(peaks[FEW] / peaks[MANY], 2)}
    return [Row("verify, events", kind, rate, "reading the same rows once", once, 0.3, notes)]


def _read(opened: Database, owner: int) -> None:
    connection: Any = opened.engine.raw_connection()
    cursor = connection.cursor()
    cursor.execute(
        "SELECT occurred_at, quantity, subject, source, recorded_at FROM usage_events "
        f"WHERE organization_id = {owner} AND metric = 'bandwidth' ORDER BY occurred_at"
    )
    for _row in cursor:
        pass
    connection.close()
