"""What happens elsewhere: in another terminal with the same database, and in the product that reports its use."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from tests import loopback
from tests.support.console import Console

COLUMNS = ("organization", "id", "metric", "quantity", "subject", "at")

numbers = count(1)


@dataclass(frozen=True)
class Usage:
    """One row of a file that is imported, used a moment ago."""

    organization: str
    metric: str
    quantity: int

    def row(self) -> tuple[object, ...]:
        """The row, with an id that no other has."""
        now = datetime.now(UTC)
        at = now - timedelta(seconds=1)
        return (
            self.organization,
            f"browser-{now:%H%M%S}-{next(numbers)}",
            self.metric,
            self.quantity,
            "",
            at.isoformat(),
        )


def imports(console: Console, folder: Path, *usage: Usage) -> None:
    """`billing usage import` of a file with these rows."""
    file = folder / f"usage-{next(numbers)}.csv"
    with file.open("w", newline="") as output:
        writer = csv.writer(output)
        writer.writerow(COLUMNS)
        writer.writerows(each.row() for each in usage)
    said = json.loads(console.billing("usage", "import", str(file), "--json"))
    assert said["accepted"] == len(usage), said


def reports(console: Console, key: str, address: str, metric: str, quantity: int) -> None:
    """What a product does that reports its use."""
    answer = loopback.post(
        f"{console.url}/api/v1/organizations/{address}/usage",
        json={"events": [{"id": f"browser-report-{next(numbers)}", "metric": metric, "quantity": quantity}]},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 202, answer.text


def history(console: Console, address: str) -> dict[str, list[dict[str, Any]]]:
    """Each metric's months as `billing history ADDRESS --json` tells them, the oldest first."""
    items = json.loads(console.billing("history", address, "--json"))["items"]
    months: dict[str, list[dict[str, Any]]] = {}
    for month in sorted(items, key=lambda month: month["period"]):
        months.setdefault(month["metric"], []).append(month)
    return months
