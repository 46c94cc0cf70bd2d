"""Whose use it was: a period's use split over the organization and its sub-organizations, so that the parts add up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter

from billing_app.domain.usage.aggregation import UsageEvent

OWN = ""
"""The source of what the organization itself used."""


def level_shares(events: Iterable[UsageEvent], standing: Mapping[str, int]) -> dict[str, int]:
    """Of a `level`: what each source held at the moment at which all together held most, the first of equals.

    `events` are those of one period, `standing` what each source held when it began.
    """
    levels = dict(standing)
    highest, found = sum(levels.values()), dict(levels)
    for _, batch in groupby(sorted(events, key=attrgetter("at")), key=attrgetter("at")):
        reported: dict[str, int] = {}
        for event in batch:
            reported[event.source] = max(event.quantity, reported.get(event.source, 0))
        levels |= reported
        if sum(levels.values()) > highest:
            highest, found = sum(levels.values()), dict(levels)
    return found


def unique_shares(events: Iterable[UsageEvent]) -> dict[str, int]:
    """Of a `unique`: how many of the subjects that are in at the end each source had brought in."""
    inside: dict[str, str] = {}
    for _, batch in groupby(sorted(events, key=attrgetter("at")), key=attrgetter("at")):
        net: dict[str, int] = defaultdict(int)
        by: dict[str, str] = {}
        for event in batch:
            subject = event.subject or ""
            net[subject] += event.quantity
            if event.quantity > 0:
                by.setdefault(subject, event.source)
        for subject, quantity in net.items():
            if quantity > 0:
                inside.setdefault(subject, by[subject])
            elif quantity < 0:
                inside.pop(subject, None)
    shares: dict[str, int] = defaultdict(int)
    for source in inside.values():
        shares[source] += 1
    return dict(shares)


def max_shares(used: int, events: Iterable[UsageEvent]) -> dict[str, int]:
    """Of a `max`: the whole of it is of the sub-organization that reported it first, if one did, else its own."""
    for event in sorted(events, key=attrgetter("at")):
        if event.quantity == used:
            return {event.source: used}
    return {OWN: used}
