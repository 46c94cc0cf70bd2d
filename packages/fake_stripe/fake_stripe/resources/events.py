"""Events, as the API lists them: the last 30 days."""

import time

import stripe

from fake_stripe.contract.parameters import Parameters
from fake_stripe.resource import Listing, Resource, listing, retrieve
from fake_stripe.storage.objects import Body

EVENT = Resource(stripe.Event, "evt", frozenset({"account", "context"}))
LISTED_SECONDS = 30 * 24 * 3600


def _of_type(body: Body, wanted: str) -> bool:
    if wanted.endswith("*"):
        return body["type"].startswith(wanted[:-1])
    return body["type"] == wanted


def _recent(body: Body, parameters: Parameters) -> bool:
    return body["created"] > time.time() - LISTED_SECONDS


retrieve("events.retrieve", EVENT)
listing(
    "events.list",
    Listing(
        EVENT,
        tests={
            "type": _of_type,
            "types": lambda body, wanted: any(_of_type(body, one) for one in wanted),
            "delivery_success": lambda body, wanted: (body["pending_webhooks"] == 0) == wanted,
        },
        always=_recent,
    ),
)
