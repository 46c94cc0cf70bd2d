"""The webhook courier: takes queued deliveries from the database, posts them, and tries again until told 2xx.

One delivery is under way per endpoint, so events arrive in order unless one failed or a fault reorders them. The
queue is the database's: after a crash what was under way is sent again, which is Stripe's own at-least-once.
"""

import asyncio
import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Sequence

import httpx

from fake_stripe import signatures
from fake_stripe.events import API_VERSION
from fake_stripe.storage import objects
from fake_stripe.storage.database import Database

LOG = logging.getLogger("fake_stripe")
# Stripe spreads its retries over three days; nobody watches a fake Stripe that long. The last one waits an hour.
RETRY_DELAYS_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
TIMEOUT_SECONDS = 20.0
# Endpoints posted to at once, over all accounts.
MAX_UNDER_WAY = 16
# How long the courier sleeps when nothing wakes it: a safety net only.
IDLE_SECONDS = 5.0
_ERROR_LENGTH = 200


class Courier:
    """Posts what is due. `wake` may be called from the server's thread at any time."""

    def __init__(self, database: Database, retry_delays: Sequence[float] = RETRY_DELAYS_SECONDS) -> None:
        self.database = database
        self.retry_delays = tuple(retry_delays)
        self._woken = asyncio.Event()
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Look at the queue again."""
        self._woken.set()

    async def run(self) -> None:
        """Serve the queue until cancelled."""
        # trust_env would send loopback posts through a proxy that the machine may have.
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            while True:
                self._woken.clear()
                pause = self._start_due(client)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), pause)

    def _start_due(self, client: httpx.AsyncClient) -> float:
        """Start what can be started; seconds until the next look."""
        now = time.time()
        # One row per endpoint, however much waits there: an endpoint that is down must not slow the others.
        rows = self.database.connection.execute(
            "SELECT account, endpoint, min(next_at) AS next_at FROM deliveries WHERE state = 'pending'"
            " GROUP BY account, endpoint ORDER BY next_at"
        )
        for row in rows.fetchall():
            if row["next_at"] > now:
                return min(row["next_at"] - now, IDLE_SECONDS)
            place = (row["account"], row["endpoint"])
            if place not in self._under_way and len(self._under_way) < MAX_UNDER_WAY:
                self._under_way[place] = asyncio.create_task(self._deliver_first(client, *place))
        return IDLE_SECONDS

    async def _deliver_first(self, client: httpx.AsyncClient, account: str, endpoint: str) -> None:
        """What is due first at this endpoint."""
        row = self.database.connection.execute(
            "SELECT * FROM deliveries WHERE state = 'pending' AND account = ? AND endpoint = ?"
            " ORDER BY next_at, seq LIMIT 1",
            (account, endpoint),
        ).fetchone()
        try:
            await self._deliver(client, row)
        except Exception:  # the edge: a delivery that cannot even be made must not be tried for ever
            LOG.exception("the delivery %s broke and was given up", row["seq"])
            with self.database.transaction() as connection:
                connection.execute("UPDATE deliveries SET state = 'failed' WHERE seq = ?", (row["seq"],))
        finally:
            self._finished((account, endpoint))

    def _finished(self, place: tuple[str, str]) -> None:
        self._under_way.pop(place, None)
        self.wake()

    async def _deliver(self, client: httpx.AsyncClient, row: sqlite3.Row) -> None:
        connection = self.database.connection
        event = objects.find(connection, row["account"], row["event"], "event")
        endpoint = objects.find(connection, row["account"], row["endpoint"], "webhook_endpoint")
        if event is None or endpoint is None or endpoint.get("deleted") or endpoint["status"] != "enabled":
            with self.database.transaction() as writing:
                writing.execute("UPDATE deliveries SET state = 'canceled' WHERE seq = ?", (row["seq"],))
            return
        payload = json.dumps(event, indent=2).encode()
        signature = signatures.header(payload, endpoint["_secret"], int(time.time()), row["signature"])
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature,
            "User-Agent": f"Stripe-Sandbox/1.0 ({API_VERSION})",
        }
        started = time.time()
        status, error = await self._post(client, endpoint["url"], payload, headers)
        with self.database.transaction() as writing:
            self._note(writing, row, started, status, error)

    async def _post(
        self, client: httpx.AsyncClient, url: str, payload: bytes, headers: dict[str, str]
    ) -> tuple[int | None, str | None]:
        try:
            answer = await client.post(url, content=payload, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            return None, f"{type(failure).__name__}: {failure}"[:_ERROR_LENGTH]
        return answer.status_code, None if answer.is_success else answer.text[:_ERROR_LENGTH]

    def _note(
        self, connection: sqlite3.Connection, row: sqlite3.Row, started: float, status: int | None, error: str | None
    ) -> None:
        number = row["attempts"] + 1
        milliseconds = round((time.time() - started) * 1000)
        connection.execute(
            "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?)", (row["seq"], number, started, status, error, milliseconds)
        )
        succeeded = status is not None and 200 <= status < 300
        gives_up = number > len(self.retry_delays)
        state = "delivered" if succeeded else "failed" if gives_up else "pending"
        delay = 0.0 if succeeded or gives_up else self.retry_delays[number - 1]
        # A spoiled signature is a fault of one attempt; the retry is sound, as after a transport error.
        connection.execute(
            "UPDATE deliveries SET state = ?, attempts = ?, next_at = ?, signature = 'valid' WHERE seq = ?",
            (state, number, time.time() + delay, row["seq"]),
        )
        if succeeded:
            settle(connection, row["account"], row["event"])


def make_now(connection: sqlite3.Connection, account: str, delivery: str) -> bool:
    """Have one delivery made at once, whatever became of it; False if there is none such."""
    changed = connection.execute(
        "UPDATE deliveries SET state = 'pending', next_at = ? WHERE account = ? AND seq = ?",
        (time.time(), account, delivery),
    )
    return changed.rowcount > 0


def settle(connection: sqlite3.Connection, account: str, event: str) -> None:
    """Bring an event's `pending_webhooks` up to what is still owed."""
    body = objects.find(connection, account, event, "event")
    if body is not None:
        owed = connection.execute(
            "SELECT count(DISTINCT endpoint) FROM deliveries AS d WHERE account = ? AND event = ?"
            " AND state != 'canceled' AND NOT EXISTS (SELECT 1 FROM deliveries WHERE account = d.account"
            " AND event = d.event AND endpoint = d.endpoint AND state = 'delivered')",
            (account, event),
        ).fetchone()[0]
        body["pending_webhooks"] = owed
        objects.update(connection, account, body)
