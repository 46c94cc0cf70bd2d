"""The demo's dates: all are relative to the moment at which it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from billing_app.domain.common.periods import Period, add_months, period_at, period_containing
from billing_app.services.usage import recounts

PERIODS = 14
"""Thirteen full ones and the running one: pages show twelve full ones, so nobody sees where the story begins."""

RUNNING = PERIODS - 1
"""The number of the running period, counted from the first of the story."""

FINE_DAYS = 3
"""Use of the last days is told by the hour; before that a few events a day say as much and cost less."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """One organization's periods; period 0 is the first of the story and RUNNING the one that holds `now`."""

    now: datetime
    anchor: datetime

    @classmethod
    def anchored(cls, now: datetime, day: int) -> Calendar:
        """Periods that turn on this day of the month. Few days of the month exist in every month: take one up to 28."""
        running = period_containing(datetime(2000, 1, day, tzinfo=UTC), now)
        return cls(now, add_months(running.start, -RUNNING))

    @property
    def periods(self) -> tuple[Period, ...]:
        """All periods of the story, oldest first."""
        return tuple(period_at(self.anchor, number) for number in range(PERIODS))

    @property
    def last_recount(self) -> datetime:
        """When the ledger was last brought up to date on schedule."""
        return recounts.last_scheduled(self.now)

    @property
    def just_now(self) -> datetime:
        """A moment since the last recount: what was used then is not posted yet."""
        return self.last_recount + (self.now - self.last_recount) / 2

    @property
    def fine_from(self) -> datetime:
        """From here on use is told by the hour."""
        return midnight(self.now) - timedelta(days=FINE_DAYS)

    def at(self, period: int, day: int, hour: int, minute: int = 0) -> datetime:
        """A time on the `day`-th day of a period, counted from 1."""
        return period_at(self.anchor, period).start + timedelta(days=day - 1, hours=hour, minutes=minute)

    def before_end(self, period: int, days: int, hour: int) -> datetime:
        """A time on the `days`-th day before a period ends; 1 is its last day."""
        return period_at(self.anchor, period).end - timedelta(days=days) + timedelta(hours=hour)

    def days_ago(self, days: int, hour: int, minute: int = 0) -> datetime:
        """A time on an earlier day."""
        return midnight(self.now) - timedelta(days=days) + timedelta(hours=hour, minutes=minute)

    def a_year_before(self, days_ahead: int, hour: int) -> datetime:
        """When something was bought that ends in `days_ahead` days, being valid for a year."""
        return add_months(midnight(self.now) + timedelta(days=days_ahead, hours=hour), -12)


def midnight(moment: datetime) -> datetime:
    """The start of the UTC day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
