"""When credits are about to end, and when they have ended (credits.md, Thresholds).

A moment at which something may be told is known from the grants alone; what is told is the engine's state at that very
moment. So it is the same however often somebody looked, and whether anybody did in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.facts import Grant

EXPIRING_DAYS = (30, 7, 1)
"""How long before its end a grant is spoken of."""

FIRST_NOTICE = timedelta(days=max(EXPIRING_DAYS))
"""A grant that ends later than this is not looked at yet."""

EXPIRING, EXPIRED = "credits.expiring", "credits.expired"


@dataclass(frozen=True, slots=True)
class Notice:
    """Credits of a grant that end in `days` (0: that have just ended), and how many."""

    kind: str
    grant: Grant
    quantity: int
    days: int

    @property
    def key(self) -> str:
        """What it is told once for."""
        return f"{self.kind}:{self.grant.id}:{self.days}" if self.days else f"{self.kind}:{self.grant.id}"


def moments(grants: Iterable[Grant], after: datetime, until: datetime) -> list[datetime]:
    """The moments in (after, until] at which something may be told, in order."""
    latest_end = until + FIRST_NOTICE
    ending = (grant for grant in grants if grant.expires_at is not None and after < grant.expires_at <= latest_end)
    return sorted({at for grant in ending for at, _ in _looks(grant) if after < at <= until})


def next_moment(grants: Iterable[Grant], after: datetime) -> datetime | None:
    """The first such moment after `after`."""
    return min((at for grant in grants for at, _ in _looks(grant) if at > after), default=None)


def notices(state: State, at: datetime) -> list[Notice]:
    """What is told at `at`, which `state` has just reached: in burn order, only of grants with something to lose."""
    positions = sorted(state.positions.values(), key=lambda position: position.grant.burn_key)
    found: list[Notice] = []
    for position in positions:
        for moment, days in _looks(position.grant):
            quantity = position.left if days else position.expired
            if moment == at and quantity > 0:
                found.append(Notice(EXPIRING if days else EXPIRED, position.grant, quantity, days))
    return found


def _looks(grant: Grant) -> Iterator[tuple[datetime, int]]:
    """When a grant is looked at, with the days left then. One of 14 days is not looked at 30 before its end."""
    if grant.expires_at is None:
        return
    for days in (*EXPIRING_DAYS, 0):
        moment = grant.expires_at - timedelta(days=days)
        if moment >= grant.effective_at:
            yield moment, days
