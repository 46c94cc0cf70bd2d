"""Events: what happened, with the object as it was then, and one queued delivery per endpoint that listens."""

import json
import time
from typing import TYPE_CHECKING, Any

import stripe

from fake_stripe import faults, ids
from fake_stripe.contract.shapes import build, public
from fake_stripe.storage import objects

if TYPE_CHECKING:
    from fake_stripe.account import Account

API_VERSION = stripe.api_version
_HIDDEN = frozenset({"account", "context"})


def record(account: "Account", event_type: str, body: dict[str, Any], previous: dict[str, Any] | None) -> None:
    """Keep the event and plan its deliveries, in the account's transaction."""
    data = {"object": json.loads(json.dumps(public(body)))}
    if previous:
        data["previous_attributes"] = public(previous)
    endpoints = [
        endpoint for endpoint in account.all("webhook_endpoint", status="enabled") if _wants(endpoint, event_type)
    ]
    event = build(
        stripe.Event,
        _HIDDEN,
        id=ids.make("evt"),
        api_version=API_VERSION,
        created=account.now(),
        data=data,
        pending_webhooks=len(endpoints),
        request=account.request,
        type=event_type,
    )
    objects.insert(account.connection, account.id, "event", event)
    for endpoint in reversed(endpoints):
        queue(account, event, endpoint["id"])


def queue(account: "Account", event: dict[str, Any], endpoint: str, faulty: bool = True) -> None:
    """Plan one delivery of an event to an endpoint; account faults may double, delay, hold, spoil or drop it."""
    now = time.time()
    for plan in faults.plan_delivery(account.connection, account.id, event["type"]) if faulty else [faults.Plan()]:
        account.connection.execute(
            "INSERT INTO deliveries (account, event, event_type, endpoint, state, next_at, signature, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (account.id, event["id"], event["type"], endpoint, plan.state, now + plan.delay, plan.signature, now),
        )
    if faulty:
        faults.release_complete(account.connection, account.id)


def _wants(endpoint: dict[str, Any], event_type: str) -> bool:
    return "*" in endpoint["enabled_events"] or event_type in endpoint["enabled_events"]
