"""The SQLite file and its transactions.

One process, one thread and one connection use it, so a transaction never waits for another; WAL lets `kill -9` at any
moment leave either all of a transaction or nothing of it.
"""

import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from fake_stripe.storage.schema import TABLES, VERSION


class WrongDatabase(RuntimeError):
    """The file belongs to another version of the fake Stripe."""


class Database:
    """The file at `path`. `on_commit` is called after every transaction that was kept."""

    def __init__(self, path: Path, on_commit: Callable[[], None] = lambda: None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # It holds keys of API and cards: only its owner reads it. SQLite gives its log the same rights.
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.on_commit = on_commit
        self._prepare(path)

    def _prepare(self, path: Path) -> None:
        found = self.connection.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, VERSION):
            raise WrongDatabase(f"{path} was written by another version of the fake Stripe; remove it to start afresh")
        self.connection.execute("PRAGMA journal_mode = WAL")
        # Enough against a killed process; only a power cut could lose the last transactions of this test state.
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute("PRAGMA busy_timeout = 5000")
        self.connection.executescript(TABLES)
        self.connection.execute(f"PRAGMA user_version = {VERSION:d}")

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Everything inside is kept together, or nothing of it if an exception leaves."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        self.on_commit()

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        self.connection.close()
