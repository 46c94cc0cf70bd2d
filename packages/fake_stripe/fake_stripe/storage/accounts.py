"""Accounts: each test key is an account of its own, made empty at its first use."""

import hashlib
import sqlite3

from fake_stripe import ids
from fake_stripe.errors import StripeError

_TEST_PREFIXES = ("sk_test_", "rk_test_")
LIVE_PREFIXES = ("sk_live_", "rk_live_")
_SHORTEST_KEY = 12
_LONGEST_KEY = 255


def refuse_foreign_key(key: str) -> None:
    """Raises StripeError (401) unless `key` is a test key; a live key gets its own, louder sentence."""
    if key.startswith(LIVE_PREFIXES):
        raise StripeError(
            "This is a fake Stripe, not Stripe itself: it refuses live keys. Use a test key, and consider the live key "
            "you just sent over plain HTTP as known to this machine.",
            code="livemode_mismatch",
            status=401,
        )
    if not key.startswith(_TEST_PREFIXES) or not _SHORTEST_KEY <= len(key) <= _LONGEST_KEY:
        raise StripeError("Invalid API key provided: the fake Stripe takes keys that begin with sk_test_.", status=401)


def of_key(connection: sqlite3.Connection, key: str, now: int) -> str:
    """The id of the account of `key`, which is made if new. Only a hash of the key is kept."""
    refuse_foreign_key(key)
    digest = hashlib.sha256(key.encode()).hexdigest()
    row = connection.execute("SELECT id FROM accounts WHERE key_hash = ?", (digest,)).fetchone()
    if row:
        return row["id"]
    account = ids.make("acct", 16)
    connection.execute("INSERT INTO accounts VALUES (?, ?, ?, ?)", (account, digest, key[-4:], now))
    return account


def latest(connection: sqlite3.Connection, limit: int) -> list[sqlite3.Row]:
    """The accounts made last, newest first."""
    return connection.execute("SELECT * FROM accounts ORDER BY created DESC, rowid DESC LIMIT ?", (limit,)).fetchall()
