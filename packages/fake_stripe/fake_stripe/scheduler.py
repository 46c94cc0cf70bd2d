"""The ticking of real time and the advancing of test clocks: both run what is due, one transaction each."""

import asyncio
import contextlib
import logging
import sqlite3
import time

from fake_stripe import timers
from fake_stripe.account import Account
from fake_stripe.storage.database import Database

LOG = logging.getLogger("fake_stripe")
TICK_SECONDS = 0.5
# Timers run in one go before other requests get their turn.
BATCH = 50


class Ticker:
    """Runs timers as they fall due; `wake` makes it look at once."""

    def __init__(self, database: Database, public_url: str) -> None:
        self.database = database
        self.public_url = public_url
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at the queue again."""
        self._woken.set()

    async def run(self) -> None:
        """Serve the queue until cancelled."""
        while True:
            self._woken.clear()
            busy = self.run_due()
            if busy:
                await asyncio.sleep(0)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), TICK_SECONDS)

    def run_due(self) -> bool:
        """Run what real time has made due; whether there may be more."""
        return all(self._run_one(None, int(time.time())) for _ in range(BATCH))

    def _run_one(self, clock: str | None, until: int) -> bool:
        due = timers.next_due(self.database.connection, clock, until)
        if due is None:
            return False
        try:
            with self.database.transaction() as connection:
                self._perform(connection, due)
        except Exception:  # the edge: one broken timer must not stop time for everybody else
            LOG.exception("the timer %s of %s failed and was dropped", due["action"], due["object"])
            self._drop(due)
        return True

    def _drop(self, due: sqlite3.Row) -> None:
        with self.database.transaction() as connection:
            timers.take(connection, due)
            if due["action"] in timers.FAILURES:
                account = Account(connection, due["account"], self.public_url)
                timers.FAILURES[due["action"]](account, due["object"])

    def _perform(self, connection: sqlite3.Connection, due: sqlite3.Row) -> None:
        timers.take(connection, due)
        account = Account(connection, due["account"], self.public_url)
        timers.ACTIONS[due["action"]](account, due["object"])
