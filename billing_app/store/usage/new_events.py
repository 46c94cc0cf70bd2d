"""Writing raw usage and its keys: any number of events of any number of organizations in a few statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from sqlmodel import Session

from billing_app.domain.credits.facts import Aggregation
from billing_app.store.common import columns
from billing_app.store.tables.base import new_ids
from billing_app.store.tables.usage import UsageKey, UsageRow


class NewEvent(NamedTuple):
    """One event to be written, counted on the meter of `organization_id` as use of `source`.

    `key` is the caller's id of it, if it has one, which `reporter_id` takes with the `digest` of what it says.
    """

    organization_id: int
    metric: str
    at: datetime
    quantity: int
    subject: str | None = None
    source: str = ""
    reporter_id: int = 0
    key: str | None = None
    digest: str = ""


MeterKey = tuple[int, str]
"""An organization and a metric."""


class Counted(NamedTuple):
    """The new events of one meter, which must be locked."""

    meter: MeterKey
    aggregation: Aggregation
    anchor: datetime
    events: Sequence[NewEvent]


EVENT = ("organization_id", "metric", "occurred_at", "quantity", "subject", "source", "key", "id", "recorded_at")

KEY = ("organization_id", "key", "digest", "occurred_at")


def seen_keys(session: Session, owners: Sequence[int], keys: Sequence[str]) -> dict[tuple[int, str], str]:
    """Those of the keys of these organizations that are known, with their digests."""
    found = columns.matching(session, UsageKey, ("organization_id", "key"), (owners, keys), ("digest",))
    return {(owner, key): digest for owner, key, digest in found}


def add(session: Session, events: Sequence[NewEvent], recorded_at: datetime) -> None:
    """Adds raw events and takes their keys; a key taken twice is an IntegrityError.

    Keys are taken in one order, so that two that want the same ones do not wait for each other.
    """
    if not events:
        return
    owners, metrics, moments, quantities, subjects, sources, _, keys, _ = zip(*events, strict=True)
    taken = [(each.reporter_id, each.key, each.digest, each.at) for each in events if each.key is not None]
    if taken:
        taken.sort(key=itemgetter(0, 1))
        columns.insert(session, UsageKey, KEY, list(zip(*taken, strict=True)))
    count = len(events)
    rest = (new_ids(count), [recorded_at] * count)
    columns.insert(session, UsageRow, EVENT, (owners, metrics, moments, quantities, subjects, sources, keys, *rest))
