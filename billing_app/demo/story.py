"""The demo's whole story: three organizations, each told by its own module."""

from __future__ import annotations

from datetime import datetime

from billing_app.demo import larkfield, marlow, pebblebrook
from billing_app.demo.facts import Story
from billing_app.domain.credits.facts import Aggregation

AGGREGATIONS = {
    "mau": Aggregation.UNIQUE,
    "storage": Aggregation.LEVEL,
    "bandwidth": Aggregation.SUM,
    "emails": Aggregation.SUM,
    "sms": Aggregation.SUM,
}
"""How the story's metrics add up. A catalogue that says otherwise, or has other metrics, leaves those parts untold."""


def stories(now: datetime) -> tuple[Story, ...]:
    """What happened to each organization up to `now`."""
    return (larkfield.story(now), marlow.story(now), pebblebrook.story(now))
