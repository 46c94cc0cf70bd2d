"""What is kept beside raw usage follows from it: roll-ups, first sightings, shares of sub-organizations, keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.common.moments import is_plausible
from billing_app.domain.common.periods import period_containing
from billing_app.domain.credits.facts import Aggregation
from billing_app.domain.usage.aggregation import EARLIEST
from billing_app.store.organizations import tree
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import events as store
from billing_app.store.usage import rollups, sources
from billing_app.store.usage.events import Recorded
from billing_app.store.usage.rollups import HOUR, hour_of

Finding = tuple[str, str, str]
"""What was compared, as stored, as computed."""


class _Hour:
    """What the events of one hour amount to, as `UsageHour` says it."""

    __slots__ = ("events", "exact", "known_at", "last_at", "level", "quantity")

    def __init__(self, at: datetime, recorded_at: datetime) -> None:
        self.quantity, self.level, self.events, self.exact = 0, 0, 0, True
        self.last_at, self.known_at = at, recorded_at


COMPARED = ("quantity", "level", "last_at", "events", "exact")


class Tally:
    """Counts the raw events of one metric into what should be kept of them.

    What it holds grows with hours and subjects, not with events.
    """

    def __init__(self, aggregation: Aggregation, anchor: datetime, now: datetime) -> None:
        """Nothing counted yet."""
        self.aggregation, self.anchor, self.now = aggregation, anchor, now
        self.hours: dict[datetime, _Hour] = {}
        self.seen: dict[tuple[int, str], datetime] = {}
        self.shares: Counter[tuple[int, str]] = Counter()
        self.misdated: list[Finding] = []
        """Events that are dated long after they were written down, or were written later than now."""

    def read(self, events: Iterable[Recorded]) -> None:
        """Counts events, which come by time."""
        summed, unique = self.aggregation is Aggregation.SUM, self.aggregation is Aggregation.UNIQUE
        levels, last, known = not (summed or unique), None, None
        period = hour = row = None
        for at, quantity, subject, source, recorded_at in events:
            if row is None or hour is None or at - hour >= HOUR:
                hour = hour_of(at)
                row = self.hours[hour] = _Hour(at, recorded_at)
            if recorded_at != known:
                known, latest = recorded_at, recorded_at + EARLIEST
                if recorded_at > row.known_at:
                    row.known_at = recorded_at
            if at > latest or not is_plausible(recorded_at, self.now):
                self.misdated += _misdated(at, recorded_at, self.now)
            row.events += 1
            if levels:
                row.quantity = max(row.quantity, quantity)
                row.level = max(row.level if at == last else 0, quantity)
                row.exact = row.exact and not source
            else:
                row.exact = row.exact and quantity >= 0
                if summed:
                    row.quantity += quantity
            row.last_at = last = at
            if period is None or not period.start <= at < period.end:
                period = period_containing(self.anchor, at)
            if summed and source:
                self.shares[period.number, source] += quantity
            if unique and subject and quantity > 0 and (period.number, subject) not in self.seen:
                self.seen[period.number, subject] = at
                row.quantity += 1

    def findings(self, session: Session, owner: int, metric: str) -> Iterator[Finding]:
        """Everything that is kept otherwise."""
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
            for name in COMPARED:
                have, want = getattr(row, name), getattr(counted, name)
                if have != want:
                    yield f"{what}: {name}", _shown(have), _shown(want)
            if row.recorded_at < counted.known_at:
                yield f"{what}: recorded_at", _shown(row.recorded_at), _shown(counted.known_at)


def keys(session: Session, organization: Organization) -> Iterator[Finding]:
    """Every key of an event that the organization reported is taken, once, and no other (fine point 15)."""
    owner = organization.pk
    payers = [(owner, ""), *((payer, organization.address) for payer in tree.ever_above(session, owner))]
    for key, reported, taken in sorted(store.unmatched_keys(session, owner, payers)):
        computed = f"of {reported} events" if reported != 1 else "of one event"
        yield f"usage key {key!r}", "taken" if taken else "free", computed


def _misdated(at: datetime, recorded_at: datetime, now: datetime) -> Iterator[Finding]:
    if at > recorded_at + EARLIEST:
        yield "moment of usage", at.isoformat(), f"at most {(recorded_at + EARLIEST).isoformat()}"
    if not is_plausible(recorded_at, now):
        yield "recording of usage", recorded_at.isoformat(), f"at most {now.isoformat()}"


def _shown(value: object) -> str:
    return "none" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
