"""The demo's data: told whole or not at all, at the first start.

The story is told in memory, on a copy of the migrated database, and copied back in one transaction: quick, because
nothing waits for the disk, and all or nothing: a start that is killed leaves the database as it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime

from billing_app import clock
from billing_app.db import Database
from billing_app.demo import gift
from billing_app.demo.people import ACCOUNTS, DemoAccounts
from billing_app.demo.telling import tell
from billing_app.domain.common.errors import UnavailableError
from billing_app.services.verification import verification
from billing_app.settings import Settings

PAGES_AT_ONCE = 4_096
"""Pages of one step of the copy (16 MB)."""


def seed(database: Database, settings: Settings, say: Callable[[str], None]) -> None:
    """Tells the story if the database has no organization yet."""
    if not settings.demo:
        raise UnavailableError("The demo's data is for `make run` only: its passwords are known to everybody.")
    if not told(database):
        say("Seeding the demo: three organizations, fourteen months of history. This takes some seconds, once.")
        seed_at(database, clock.now())


def seed_at(database: Database, now: datetime) -> DemoAccounts:
    """Tells the story that ends at `now` into a migrated SQLite database that holds a catalogue and nothing else."""
    if not database.sqlite:
        raise UnavailableError("The demo's data lives in a SQLite file.")
    memory = Database("sqlite://")
    try:
        _copy(database, memory)
        tell(memory, now)
        gift.hand_out(memory, now)
        _copy(memory, database)
    finally:
        memory.close()
    return ACCOUNTS


def told(database: Database) -> bool:
    """Whether the database has organizations: the story's, or others that must not be mixed with it."""
    with database.reading() as session:
        return bool(verification.organizations(session))


def sign_ins() -> list[str]:
    """The lines that tell the person at the terminal who can sign in."""
    lines = [f"Sign in with the password {ACCOUNTS.password} as", ""]
    for organization in ACCOUNTS.organizations:
        lines += [f"  {person.email:<28} {role:<9} {organization.name}" for person, role in organization.members]
    lines.append(f"  {ACCOUNTS.operator.email:<28} {'operator':<9} everything")
    return [*lines, "", gift.said()]


def _copy(source: Database, target: Database) -> None:
    """Makes `target` what `source` is, in one transaction of SQLite's own."""
    with closing(source.engine.raw_connection()) as read, closing(target.engine.raw_connection()) as written:
        origin, copy = read.driver_connection, written.driver_connection
        assert isinstance(origin, sqlite3.Connection)
        assert isinstance(copy, sqlite3.Connection)
        origin.backup(copy, pages=PAGES_AT_ONCE, progress=_pause)


def _pause(_status: int, _remaining: int, _total: int) -> None:
    """Python runs this between two steps of the copy, which is when it hears a Ctrl-C."""
