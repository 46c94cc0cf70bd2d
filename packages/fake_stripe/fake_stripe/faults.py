"""Faults on request: what goes wrong between Stripe and its integrators, switched on for a number of times.

Deliveries: `duplicate`, `delay`, `drop`, `corrupt_signature`, `old_signature`, `reorder`. Calls: `api_error` and
`api_timeout`, before or after the work is done. Renewals: `fail_renewal`. Each is used up by `count` occurrences.
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fake_stripe.errors import StripeError

# What each fault may be told, with what holds when it is not.
OPTIONS: dict[str, dict[str, Any]] = {
    "duplicate": {"types": None, "copies": 2},
    "delay": {"types": None, "seconds": 5.0},
    "drop": {"types": None},
    "corrupt_signature": {"types": None},
    "old_signature": {"types": None},
    "reorder": {"types": None, "order": None},
    "api_error": {"status": 500, "when": "before", "method": None, "path": None},
    "api_timeout": {"seconds": 60.0, "when": "before", "method": None, "path": None},
    "fail_renewal": {"subscription": None},
}
MAX_COUNT = 10_000
MAX_COPIES = 20
# Between two held deliveries when they are let go, so that the queue keeps the order asked for.
_RELEASE_STEP_SECONDS = 0.001


@dataclass(frozen=True)
class Plan:
    """How one delivery is to be made; `delay` in seconds."""

    state: str = "pending"
    delay: float = 0.0
    signature: str = "valid"


def add(connection: sqlite3.Connection, account: str, kind: str, count: int, options: dict[str, Any]) -> int:
    """Switch a fault on for its next `count` occurrences; its number. Raises StripeError for one unheard of."""
    if kind not in OPTIONS:
        raise StripeError(f"Unknown fault {kind}: one of {', '.join(sorted(OPTIONS))}", param="kind")
    for name in options:
        if name not in OPTIONS[kind]:
            raise StripeError(f"The fault {kind} has no option {name}", param=name)
    if not 1 <= count <= MAX_COUNT:
        raise StripeError(f"count must be from 1 to {MAX_COUNT}", param="count")
    order = options.get("order")
    if order is not None and sorted(order) != list(range(count)):
        raise StripeError("order must be a permutation of 0 to count - 1", param="order")
    cursor = connection.execute(
        "INSERT INTO faults (account, kind, remaining, options) VALUES (?, ?, ?, ?)",
        (account, kind, count, json.dumps({**OPTIONS[kind], **options})),
    )
    return int(cursor.lastrowid or 0)


def clear(connection: sqlite3.Connection, account: str, kind: str | None = None) -> None:
    """Switch the account's faults off, all or those of a kind, and let held deliveries go, in their natural order."""
    connection.execute("DELETE FROM faults WHERE account = ? AND (? IS NULL OR kind = ?)", (account, kind, kind))
    connection.execute(
        "UPDATE deliveries SET state = 'pending', next_at = ? WHERE account = ? AND state LIKE 'held:%'",
        (time.time(), account),
    )


def active(connection: sqlite3.Connection, account: str, *kinds: str) -> Iterator[tuple[sqlite3.Row, dict[str, Any]]]:
    """Faults of these kinds that are not used up, oldest first, with their options."""
    for row in connection.execute(
        "SELECT * FROM faults WHERE account = ? AND remaining > 0 ORDER BY seq", (account,)
    ).fetchall():
        if not kinds or row["kind"] in kinds:
            yield row, json.loads(row["options"])


def use(connection: sqlite3.Connection, fault: sqlite3.Row) -> None:
    """Count one occurrence."""
    connection.execute("UPDATE faults SET remaining = remaining - 1 WHERE seq = ?", (fault["seq"],))


def take_renewal(connection: sqlite3.Connection, account: str, subscription: str) -> bool:
    """Whether this subscription's payment was asked to fail now; counts it."""
    for fault, options in active(connection, account, "fail_renewal"):
        if options["subscription"] in (None, subscription):
            use(connection, fault)
            return True
    return False


def dooms_renewal(connection: sqlite3.Connection, account: str, subscription: str) -> bool:
    """Whether this subscription's next payment was asked to fail; counts nothing."""
    kinds = active(connection, account, "fail_renewal")
    return any(options["subscription"] in (None, subscription) for _, options in kinds)


def plan_delivery(connection: sqlite3.Connection, account: str, event_type: str) -> list[Plan]:
    """One plan per copy to be sent; every fault that listens to this type of event has its say."""
    state, delay, signature, copies = "pending", 0.0, "valid", 1
    for fault, options in active(connection, account):
        kind = fault["kind"]
        if "types" not in options or not (options["types"] is None or event_type in options["types"]):
            continue
        use(connection, fault)
        if kind == "duplicate":
            copies = min(int(options["copies"]), MAX_COPIES)
        elif kind == "delay":
            delay += float(options["seconds"])
        elif kind == "drop":
            state = "dropped"
        elif kind == "reorder":
            state = f"held:{fault['seq']}"
        else:
            signature = kind.removesuffix("_signature")
    return [Plan(state, delay, signature)] * copies


def release_complete(connection: sqlite3.Connection, account: str) -> None:
    """Let go, in the order asked for (default: reversed), what used-up `reorder` faults hold."""
    used = connection.execute(
        "SELECT * FROM faults WHERE account = ? AND kind = 'reorder' AND remaining = 0", (account,)
    ).fetchall()
    for fault in used:
        held = connection.execute(
            "SELECT seq FROM deliveries WHERE account = ? AND state = ? ORDER BY seq",
            (account, f"held:{fault['seq']}"),
        ).fetchall()
        order = json.loads(fault["options"])["order"] or list(reversed(range(len(held))))
        now = time.time()
        for place, index in enumerate(order):
            connection.execute(
                "UPDATE deliveries SET state = 'pending', next_at = ? WHERE seq = ?",
                (now + place * _RELEASE_STEP_SECONDS, held[index]["seq"]),
            )
        connection.execute("DELETE FROM faults WHERE seq = ?", (fault["seq"],))
