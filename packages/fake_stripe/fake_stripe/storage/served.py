"""Where browsers reached the pages last: objects hold whole addresses of them, as Stripe's do."""

from fake_stripe.storage.database import Database

_HOLDING = ("objects", "idempotency")
"""Tables whose bodies hold addresses of pages."""


def serve_at(database: Database, public_url: str) -> None:
    """Makes every address that was given out at another `public_url` lead here: that one may answer no more."""
    with database.transaction() as connection:
        before = connection.execute("SELECT public_url FROM served").fetchone()
        if before and before["public_url"] == public_url:
            return
        if before:
            for table in _HOLDING:
                connection.execute(
                    f"UPDATE {table} SET body = replace(body, ?, ?)",  # noqa: S608 - a name of ours
                    (f'"{before["public_url"]}/', f'"{public_url}/'),
                )
        connection.execute("DELETE FROM served")
        connection.execute("INSERT INTO served VALUES (?)", (public_url,))
