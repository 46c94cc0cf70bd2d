"""Endpoints with a secret of one's own choice, resending, and the delivery log."""

import time
from typing import Any

from fake_stripe import deliveries, events, faults
from fake_stripe.account import Account
from fake_stripe.control.registry import Sent, control
from fake_stripe.errors import missing
from fake_stripe.resources import webhook_endpoints

MAX_LOGGED = 200


@control("PUT", "/webhook-endpoint")
def put_endpoint(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Have events sent to `url`, signed with `secret`; the same url again only changes the rest."""
    url = sent.take("url", str)
    secret = sent.take("secret", str)
    enabled_events = sent.take("enabled_events", list, ["*"])
    for endpoint in account.all("webhook_endpoint", url=url):
        return account.change(endpoint, None, _secret=secret, enabled_events=enabled_events, status="enabled")
    return webhook_endpoints.make(account, url, enabled_events, secret)


@control("POST", "/events/{event}/resend")
def resend(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Send an event once more, to one `endpoint` or to all that are enabled; faults do not touch it."""
    event = account.get(ids["event"], "event")
    chosen = sent.take("endpoint", str, None)
    endpoints = [account.get(chosen, "webhook_endpoint", "endpoint")] if chosen else account.all("webhook_endpoint")
    reached = [endpoint for endpoint in endpoints if endpoint["status"] == "enabled"]
    for endpoint in reached:
        events.queue(account, event, endpoint["id"], faulty=False)
    return {"event": event["id"], "queued": len(reached)}


@control("GET", "/deliveries")
def list_deliveries(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """The latest deliveries with their attempts, of one `event` if given; times are seconds since 1970."""
    event = sent.take("event", str, None)
    rows = account.connection.execute(
        "SELECT * FROM deliveries WHERE account = ? AND (? IS NULL OR event = ?) ORDER BY seq DESC LIMIT ?",
        (account.id, event, event, MAX_LOGGED),
    ).fetchall()
    return {"data": [{**dict(row), "log": log_of(account, row["seq"])} for row in rows]}


def log_of(account: Account, delivery: int) -> list[dict[str, Any]]:
    """The attempts of one delivery, first to last."""
    rows = account.connection.execute("SELECT * FROM attempts WHERE delivery = ? ORDER BY number", (delivery,))
    return [dict(row) for row in rows]


@control("POST", "/deliveries/{delivery}/retry")
def retry(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Make one delivery again at once, whatever became of it."""
    if not deliveries.make_now(account.connection, account.id, ids["delivery"]):
        raise missing("delivery", ids["delivery"])
    return {"delivery": int(ids["delivery"]), "state": "pending"}


@control("POST", "/deliveries/flush")
def flush(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Make every waiting, held or delayed delivery now."""
    changed = account.connection.execute(
        "UPDATE deliveries SET state = 'pending', next_at = ?"
        " WHERE account = ? AND (state = 'pending' OR state LIKE 'held:%')",
        (time.time(), account.id),
    )
    return {"queued": changed.rowcount}


@control("POST", "/faults")
def add_fault(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Switch a fault on: `kind`, `count` (default 1) and its options."""
    kind, count = sent.take("kind", str), sent.take("count", int, 1)
    return {"fault": faults.add(account.connection, account.id, kind, count, sent.rest())}


@control("GET", "/faults")
def list_faults(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Faults that have occurrences left."""
    found = faults.active(account.connection, account.id)
    return {"data": [{"kind": row["kind"], "remaining": row["remaining"], **options} for row, options in found]}


@control("DELETE", "/faults")
def clear_faults(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Switch all of them off, or those of one `kind`, and let held deliveries go."""
    faults.clear(account.connection, account.id, sent.take("kind", str, None))
    return {"data": []}
