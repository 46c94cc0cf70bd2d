"""What is kept beside raw usage follows from it: roll-ups, first sightings, shares of sub-organizations, keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlmodel import Session

from billing_app.domain.common.periods import Period, period_containing
from billing_app.domain.credits.facts import Aggregation
from billing_app.domain.usage.aggregation import UsageEvent
from billing_app.store.organizations import tree
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import events as store
from billing_app.store.usage import rollups, sources
from billing_app.store.usage.events import Recorded
from billing_app.store.usage.rollups import HOUR, hour_of

Finding = tuple[str, str, str]
"""What was compared, as stored, as computed."""

ADDED = (Aggregation.SUM, Aggregation.UNIQUE)
"""Aggregations of whose hours one may be read without its events only if nothing in it was taken back."""


class Tally:
    """Counts the raw events of one metric, while somebody else reads them too, into what should be kept of them."""

    def __init__(self, aggregation: Aggregation, anchor: datetime) -> None:
        """Nothing counted yet."""
        self.aggregation, self.anchor = aggregation, anchor
        self.hours: dict[datetime, dict[str, Any]] = {}
        self.known_at: dict[datetime, datetime] = {}
        self.seen: dict[tuple[int, str], datetime] = {}
        self.shares: Counter[tuple[int, str]] = Counter()
        self._period: Period | None = None

    def passing(self, events: Iterable[Recorded]) -> Iterator[UsageEvent]:
        """The same events, counted on their way."""
        for event, recorded_at in events:
            self._count(event, recorded_at)
            yield event

    def _count(self, event: UsageEvent, recorded_at: datetime) -> None:
        if self._period is None or not self._period.contains(event.at):
            self._period = period_containing(self.anchor, event.at)
        hour, number = hour_of(event.at), self._period.number
        self._count_hour(hour, event)
        self.known_at[hour] = max(recorded_at, self.known_at.get(hour, recorded_at))
        if self.aggregation is Aggregation.SUM and event.source:
            self.shares[number, event.source] += event.quantity
        if self.aggregation is Aggregation.UNIQUE and event.quantity > 0 and event.subject:
            key = (number, event.subject)
            self.seen[key] = min(event.at, self.seen.get(key, event.at))

    def _count_hour(self, hour: datetime, event: UsageEvent) -> None:
        levels = self.aggregation not in ADDED
        row = self.hours.setdefault(hour, {"quantity": 0, "level": 0, "last_at": event.at, "events": 0, "exact": True})
        if levels:
            row["quantity"] = max(row["quantity"], event.quantity)
            before = row["level"] if event.at == row["last_at"] else 0
            row["level"] = max(before, event.quantity)
        elif self.aggregation is Aggregation.SUM:
            row["quantity"] += event.quantity
        row["last_at"] = event.at  # events come by time
        row["events"] += 1
        row["exact"] = row["exact"] and (not event.source if levels else event.quantity >= 0)

    def findings(self, session: Session, owner: int, metric: str) -> Iterator[Finding]:
        """Everything that is kept otherwise."""
        for at in self.seen.values():
            self.hours[hour_of(at)]["quantity"] += 1
        yield from self._of_hours(session, owner, metric)
        for what, stored, computed in (
            ("first sighting", sources.first_sightings(session, owner, metric), self.seen),
            ("use of the part", sources.shares(session, owner, metric), self.shares),
        ):
            for key in sorted(stored.keys() | computed.keys()):
                number, name = key
                have, want = stored.get(key), computed.get(key)
                if have != want:
                    yield f"{what} {name} in period {number}", _shown(have), _shown(want)

    def _of_hours(self, session: Session, owner: int, metric: str) -> Iterator[Finding]:
        stored = {row.hour: row for row in rollups.rows(session, owner, metric)}
        for hour in sorted(stored.keys() | self.hours.keys()):
            what = f"roll-up of {hour.isoformat()} to {(hour + HOUR).isoformat()}"
            row, counted = stored.get(hour), self.hours.get(hour)
            if row is None or counted is None:
                yield what, "none" if row is None else "one", "none" if counted is None else "one"
                continue
            for name, want in counted.items():
                have = getattr(row, name)
                if have != want:
                    yield f"{what}: {name}", _shown(have), _shown(want)
            if row.recorded_at < self.known_at[hour]:
                yield f"{what}: recorded_at", _shown(row.recorded_at), _shown(self.known_at[hour])


def keys(session: Session, organization: Organization) -> Iterator[Finding]:
    """Every key of an event that the organization reported is taken, once, and no other (fine point 15)."""
    owner = organization.pk
    reported = Counter(store.reported_keys(session, [owner], ""))
    reported.update(store.reported_keys(session, tree.ever_above(session, owner), organization.address))
    taken = set(store.taken_keys(session, owner))
    for key in sorted(reported.keys() | taken):
        if reported[key] != 1 or key not in taken:
            computed = f"of {reported[key]} events" if reported[key] != 1 else "of one event"
            yield f"usage key {key!r}", "taken" if key in taken else "free", computed


def _shown(value: object) -> str:
    return "none" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
