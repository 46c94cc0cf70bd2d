"""Work that is due later, kept in the database: renewals, expiries, retries, settlements.

Real time and every test clock have their own queue. A timer's action checks for itself whether it still applies, so
running one late, or again after a crash, does no harm.
"""

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fake_stripe.account import Account

Action = Callable[["Account", str], None]
ACTIONS: dict[str, Action] = {}
# What is left to do for a timer whose action broke.
FAILURES: dict[str, Action] = {}
_WALL_CLOCK = ""


def action(name: str) -> Callable[[Action], Action]:
    """Register what the timer `name` does; it is given the account and the object's id."""

    def register(function: Action) -> Action:
        ACTIONS[name] = function
        return function

    return register


def on_failure(name: str) -> Callable[[Action], Action]:
    """Register what follows when the timer `name` breaks."""

    def register(function: Action) -> Action:
        FAILURES[name] = function
        return function

    return register


def schedule(
    connection: sqlite3.Connection, account: str, clock: str | None, due: int, name: str, identifier: str
) -> None:
    """Plan `name` for an object; an earlier plan of the same name for it is replaced."""
    unschedule(connection, account, identifier, name)
    connection.execute(
        "INSERT INTO timers (account, clock, due, action, object) VALUES (?, ?, ?, ?, ?)",
        (account, clock or _WALL_CLOCK, due, name, identifier),
    )


def unschedule(connection: sqlite3.Connection, account: str, identifier: str, name: str | None = None) -> None:
    """Drop the plans of an object, or the one called `name`."""
    connection.execute(
        "DELETE FROM timers WHERE account = ? AND object = ? AND (? IS NULL OR action = ?)",
        (account, identifier, name, name),
    )


def next_due(connection: sqlite3.Connection, clock: str | None, until: int) -> sqlite3.Row | None:
    """The earliest plan at or before `until` on that clock."""
    return connection.execute(
        "SELECT * FROM timers WHERE clock = ? AND due <= ? ORDER BY due, seq LIMIT 1", (clock or _WALL_CLOCK, until)
    ).fetchone()


def take(connection: sqlite3.Connection, timer: sqlite3.Row) -> None:
    """Remove a plan that is about to run, in the same transaction as its effects."""
    connection.execute("DELETE FROM timers WHERE seq = ?", (timer["seq"],))
