"""Idempotency keys: the same request again gets the first answer again, another request under the key is refused."""

import hashlib
import json
import sqlite3
from typing import Any

from fake_stripe.errors import StripeError

# Stripe may forget a key after a day; a key that comes back later is a new request.
KEPT_SECONDS = 24 * 3600
MAX_KEY_LENGTH = 255


def fingerprint(method: str, path: str, parameters: dict[str, Any]) -> str:
    """What must be the same for two requests to be one."""
    text = json.dumps([method, path, parameters], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def replay(connection: sqlite3.Connection, account: str, key: str, print_: str, now: float) -> tuple[int, Any] | None:
    """The first answer (status and body) if this key was used; raises StripeError if for another request."""
    if len(key) > MAX_KEY_LENGTH:
        raise StripeError(f"Idempotency keys have at most {MAX_KEY_LENGTH} characters.", kind="idempotency_error")
    connection.execute("DELETE FROM idempotency WHERE created < ?", (now - KEPT_SECONDS,))
    row = connection.execute("SELECT * FROM idempotency WHERE account = ? AND key = ?", (account, key)).fetchone()
    if row is None:
        return None
    if row["fingerprint"] != print_:
        raise StripeError(
            f"The idempotency key '{key}' was first used with another path or other parameters; take a new key.",
            kind="idempotency_error",
        )
    return row["status"], json.loads(row["body"])


def remember(
    connection: sqlite3.Connection, account: str, key: str, print_: str, status: int, body: Any, now: float
) -> None:
    """Keep an answer, in the transaction of its effects."""
    connection.execute(
        "INSERT INTO idempotency VALUES (?, ?, ?, ?, ?, ?)", (account, key, print_, status, json.dumps(body), now)
    )
