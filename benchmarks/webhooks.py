"""A webhook of Stripe until it is stored, beside the SDK's own check and one INSERT."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any
from uuid import uuid4

import stripe

from benchmarks.measuring import Rate, Row, best, measured
from benchmarks.places import NOW
from billing_app.db import Database
from billing_app.gateways.stripe.payments import verified_event
from billing_app.services.stripe import inbox

SECRET = "whsec_bench"

MARK = "INSERT INTO inbox (source, id, type, object_id, subject, livemode, payload, created_at, received_at, state, \
attempts, error) VALUES ('hand', {0}, 'invoice.paid', 'in_1', 'cus_1', {1}, {0}, {0}, {0}, 'ignored', 0, '')"


def signed() -> tuple[bytes, str]:
    """An event with a new id, and its signature."""
    found = {
        "id": f"evt_{uuid4().hex}", "object": "event", "type": "invoice.paid", "created": int(NOW.timestamp()),
        "livemode": False, "api_version": stripe.api_version, "pending_webhooks": 1, "request": None,
        "data": {"object": {"id": "in_1", "object": "invoice", "customer": "cus_1", "lines": [{"id": "x"}] * 20}},
    }  # fmt: skip
    body, at = json.dumps(found).encode(), int(time.time())
    digest = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return body, f"t={at},v1={digest}"


def webhook(opened: Database, kind: str, seconds: float) -> list[Row]:
    """Verify and store, as the route does before it answers."""

    def ours(_number: int) -> None:
        body, signature = signed()
        event = verified_event(body, signature, SECRET)
        with opened.writing() as session:
            inbox.receive(session, event, NOW)

    connection: Any = opened.engine.raw_connection().driver_connection
    statement = MARK.format("?" if opened.sqlite else "%s", "0" if opened.sqlite else "false")
    now: Any = NOW.strftime("%Y-%m-%d %H:%M:%S.%f") if opened.sqlite else NOW

    def by_hand(_number: int) -> None:
        body, signature = signed()
        event: Any = stripe.Webhook.construct_event(body, signature, SECRET)
        cursor = connection.cursor()
        if opened.sqlite:
            cursor.execute("BEGIN IMMEDIATE")
        cursor.execute(statement, (event.id, body.decode(), now, now))
        connection.commit()

    rates: dict[str, list[Rate]] = {"ours": [], "hand": []}
    for _ in range(2):
        rates["ours"].append(measured(ours, seconds / 2))
        rates["hand"].append(measured(by_hand, seconds / 2))
    limit = "construct_event and one INSERT"
    return [
        Row("webhook, verified and stored", kind, best(*rates["ours"]), limit, best(*rates["hand"]).per_second, 0.5)
    ]
