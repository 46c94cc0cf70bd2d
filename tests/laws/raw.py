"""What was recorded, before anybody folds or sorts it: the input of the reference and, folded, of the engine."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from billing_app.domain.common.periods import Period, period_containing
from billing_app.domain.credits.facts import Action, Aggregation, Allowance, Grant, History, Policy, UsagePoint


@dataclass(frozen=True, slots=True)
class Event:
    """One usage event: signed for `sum`, a subject seen (1) or taken out (-1) for `unique`, else a level."""

    at: datetime
    quantity: int
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class RawHistory:
    """Every fact of one organization and metric, in any order."""

    anchor: datetime
    aggregation: Aggregation
    allowances: tuple[Allowance, ...]
    grants: tuple[Grant, ...] = ()
    events: tuple[Event, ...] = ()
    actions: tuple[Action, ...] = ()
    policies: tuple[Policy, ...] = ()

    def moments(self) -> set[datetime]:
        """Every instant at which something of this history happens, period turns aside."""
        found = {fact.at for fact in (*self.events, *self.actions, *self.allowances)}
        found |= {grant.effective_at for grant in self.grants}
        return found | {grant.expires_at for grant in self.grants if grant.expires_at}


def used_in(raw: RawHistory, period: Period, at: datetime) -> int:
    """What the events of `period` up to and including `at` amount to (Words: aggregation)."""
    events = [event for event in raw.events if period.start <= event.at <= at]
    match raw.aggregation:
        case Aggregation.SUM:
            # A prefix may be below zero when a correction is dated before its use; usage never is (rule 5).
            return max(0, sum(event.quantity for event in events))
        case Aggregation.UNIQUE:
            return len(subjects_seen(events))
        case Aggregation.MAX:
            return max((event.quantity for event in events), default=0)
        case Aggregation.LEVEL:
            # What was last reported still stands when the period turns, and counts towards its peak.
            return max([level_before(raw, period.start), *(event.quantity for event in events)])


def subjects_seen(events: list[Event]) -> set[str]:
    """Distinct subjects; one taken out stays out until it is seen again (fine point 4).

    All usage of one instant counts as one sum (fine point 1): a subject seen and taken out at the same instant is as
    it was before.
    """
    seen: set[str] = set()
    for instant in sorted({event.at for event in events}):
        balance: Counter[str] = Counter()
        for event in events:
            if event.at == instant and event.subject is not None:
                balance[event.subject] += 1 if event.quantity > 0 else -1 if event.quantity < 0 else 0
        seen |= {subject for subject, net in balance.items() if net > 0}
        seen -= {subject for subject, net in balance.items() if net < 0}
    return seen


def level_before(raw: RawHistory, moment: datetime) -> int:
    """The level last reported before `moment`; of several at one instant the highest stands (fine point 13)."""
    earlier = [event for event in raw.events if event.at < moment]
    if not earlier:
        return 0
    last = max(event.at for event in earlier)
    return max(event.quantity for event in earlier if event.at == last)


def level_at(raw: RawHistory, moment: datetime) -> int:
    """The level that stands at `moment`, its own reports included; 0 for metrics without a standing level."""
    if raw.aggregation is not Aggregation.LEVEL:
        return 0
    reported = [event.quantity for event in raw.events if event.at == moment]
    return max(reported) if reported else level_before(raw, moment)


def usage_points(raw: RawHistory) -> tuple[UsagePoint, ...]:
    """The usage of `raw` as the engine takes it: one point per instant with events."""
    return tuple(
        UsagePoint(at, used_in(raw, period_containing(raw.anchor, at), at), level_at(raw, at))
        for at in sorted({event.at for event in raw.events})
    )


def engine_history(raw: RawHistory) -> History:
    """`raw` with its usage folded here, so that the engine is judged apart from the product's own folding."""
    return History(
        anchor=raw.anchor,
        aggregation=raw.aggregation,
        allowances=raw.allowances,
        grants=raw.grants,
        usage=usage_points(raw),
        actions=raw.actions,
        policies=raw.policies,
    )
