"""`make bench`: measures every row beside its limit, on SQLite and PostgreSQL, and writes benchmarks/results.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import hot_path, reading, recounting, taking_in, webhooks
from benchmarks.measuring import Row
from benchmarks.places import KINDS, database
from billing_app.db import Database

RESULTS = Path(__file__).with_name("results.json")

Work = Callable[[Database, str, float], list[Row]]

WORKS: dict[str, Work] = {
    "consume": hot_path.consume_service,
    "http": hot_path.over_http,
    "recount": recounting.recount,
    "overview": reading.overview,
    "import": taking_in.imported,
    "verify": taking_in.verified,
    "webhook": webhooks.webhook,
}


def main() -> None:
    """Runs what was asked for and prints a line as each is done."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("works", nargs="*", choices=[*WORKS, []], help="which; all of them if none is named")
    parser.add_argument("--database", choices=KINDS, help="only on this kind")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each rate is measured")
    given = parser.parse_args()
    rows: list[Row] = []
    for kind in [given.database] if given.database else KINDS:
        for name in given.works or WORKS:
            with database(kind) as opened:
                for row in WORKS[name](opened, kind, given.seconds):
                    rows.append(row)
                    print(line(row), flush=True)
    keep(rows)
    print(f"Written to {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}")


def keep(rows: list[Row]) -> None:
    """Puts the rows in the place of those that were measured before."""
    before = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    at = datetime.now(UTC).isoformat(timespec="seconds")
    measured = [row.as_json() | {"at": at} for row in rows]
    names = {(row["database"], row["work"], row["limit"]) for row in measured}
    others = [row for row in before if (row["database"], row["work"], row["limit"]) not in names]
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    found = sorted(others + measured, key=lambda row: (row["database"], row["work"], row["limit"]))
    RESULTS.write_text(json.dumps({"machine": machine, "rows": found}, indent=1) + "\n")


def line(row: Row) -> str:
    """A row for people."""
    rate = row.rate
    told = f"{row.database:<10} {row.work:<34} {rate.per_second:>9,.1f}/s  p50 {rate.p50_ms} p95 {rate.p95_ms} ms"
    against = f"{row.ratio:.2f} of {row.limit} ({row.limit_per_second:,.1f}/s), wanted {row.target}"
    return f"{told}  {against}{'' if row.reached else '  NOT REACHED'}  {row.notes or ''}".rstrip()


if __name__ == "__main__":
    main()
