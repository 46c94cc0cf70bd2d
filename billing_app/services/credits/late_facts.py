"""What was learnt later: balances as they were known at a past moment, beside what is known of it now. Reads only.

Late facts are found by the roll-ups and by the few facts about credits, so that whoever has none reads no events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from sqlmodel import Session

from billing_app.domain.common.periods import period_at, period_containing
from billing_app.domain.credits import engine
from billing_app.domain.credits.accounts import Month
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.facts import Aggregation, History, UsagePoint
from billing_app.domain.credits.forecast import TICK, MetricForecast
from billing_app.services.credits.views import LaterAnswer, LaterLineAnswer
from billing_app.services.usage import accounts
from billing_app.store.common.questions import one
from billing_app.store.credits import grants as credit_store
from billing_app.store.purchases import subscriptions
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import late_usage, rollups, usage_points
from billing_app.store.usage.rollups import HOUR, Hour

LOOK_BACK = 13
"""Month ends that are compared: those of the history that pages show."""

MAX_LINES = 6
"""Lines of what was learnt later; each is a run of the engine, so further ones are summed up in the last."""

Learnt = tuple[datetime, str]
"""(recorded at, ledger kind of what it changed)"""


class Then(NamedTuple):
    """What was known of a moment: the credits left, and the use of its period."""

    left: int
    used: int


class LateFacts:
    """One metric as it looks from `look.now` with all that is known, against what was known before."""

    def __init__(self, session: Session, organization: Organization, metric: str, look: MetricForecast) -> None:
        """Reads the roll-ups and the facts about credits, with the moments at which they were recorded."""
        owner = organization.pk
        self.session, self.organization, self.metric, self.look = session, organization, metric, look
        self.hours = rollups.hours(session, owner, metric)
        self.grants = credit_store.grants(session, owner, metric)
        self.actions = credit_store.actions(session, owner, metric)
        self.plans = [*credit_store.plan_changes(session, owner), *subscriptions.past_due_changes(session, owner)]
        self.facts = [(row.effective_at, row.recorded_at, "grant") for row in self.grants]
        self.facts += [(row.at, row.recorded_at, _kind(row.kind, row.status)) for row in self.actions]
        self.facts += [(row.at, row.recorded_at, "release") for row in self.plans]
        self._known: dict[tuple[datetime, datetime], Then] = {}

    def known_then(self, moment: datetime, known_at: datetime | None = None) -> Then:
        """What is known of `moment` from what was recorded by `known_at` (default: by `moment` itself)."""
        key = (moment, known_at or moment)
        if key not in self._known:
            self._known[key] = self._known_then(*key)
        return self._known[key]

    def _known_then(self, moment: datetime, known_at: datetime) -> Then:
        late = [at for at, recorded, _ in self.facts if at <= moment and recorded > known_at]
        late += [row.hour for row in self.hours if row.hour <= moment and row.recorded_at > known_at]
        number = min((period_containing(self.look.facts.anchor, at).number for at in late), default=None)
        late_plan = any(row.at <= moment and row.recorded_at > known_at for row in self.plans)
        if late_plan or (number is not None and number not in self._before):
            account = accounts.account(self.session, self.organization, self.metric, moment, known_at=known_at)
            return Then(account.left, account.used)
        if number is None:
            number = period_containing(self.look.facts.anchor, moment).number
            points = reversed(self.look.timeline.of_period(number))
            used = next((point.used for point in points if point.at <= moment), 0)
            return Then(self.look.timeline.left_at(moment), used)
        facts = self._facts_then(number, moment, known_at)
        state = self._before[number].fork()
        engine.advance(state, facts, moment)
        return Then(state.left, state.used if state.begun else 0)

    def _facts_then(self, number: int, moment: datetime, known_at: datetime) -> History:
        """The facts recorded by `known_at`; of usage only the periods from `number` on."""
        grants = [row for row in self.grants if row.recorded_at <= known_at]
        actions = [row for row in self.actions if row.recorded_at <= known_at]
        facts = replace(
            self.look.facts, grants=credit_store.as_grants(grants), actions=credit_store.as_actions(actions)
        )
        asking = usage_points.usage_points(
            self.organization.pk,
            self.metric,
            facts.aggregation,
            facts.anchor,
            accounts.boundaries(facts, moment),
            known_at,
            since=period_at(facts.anchor, number).start,
            standing=self._before[number].level,
        )
        return replace(facts, usage=one(self.session, asking))

    @cached_property
    def _before(self) -> dict[int, State]:
        """The engine's state right before each period, with all that is known now: late facts change only what follows.

        What is the same in a past and in today's view is so computed once, not once for each month end.
        """
        facts, found = self.look.facts, {}
        points = self.look.timeline.points
        state = engine.start(facts)
        by_period: dict[int, list[UsagePoint]] = {}
        for point in facts.usage:
            by_period.setdefault(period_containing(facts.anchor, point.at).number, []).append(point)
        for number in range(points[0].number, self.look.period.number + 1) if points else ():
            found[number] = state.fork()
            last = min(period_at(facts.anchor, number).end - TICK, self.look.now)
            engine.advance(state, replace(facts, usage=tuple(by_period.get(number, ()))), last)
        return found

    def late_share(self, month: Month) -> tuple[int, datetime] | None:
        """Of an ended period's burns what was reported after its end, signed as in the ledger, and when last."""
        last = month.period.end - TICK
        late = [
            row for row in self.hours
            if month.period.start - HOUR < row.hour < month.period.end and row.recorded_at > last
        ]  # fmt: skip
        if not late or month.allowance is None or month.period.end > self.look.now:
            return None
        used = self.known_then(last).used
        grown = max(0, month.used - month.allowance) - max(0, used - month.allowance)
        return (-min(grown, month.burned), max(row.recorded_at for row in late)) if grown else None

    def later(self, now: datetime) -> LaterAnswer | None:
        """The newest moment up to `look.now` whose balance was shown otherwise then; None if none was."""
        for moment in self._moments(now):
            if not self._may_differ(moment):
                continue
            then, known_now = self.known_then(moment).left, self.look.timeline.left_at(moment)
            if then != known_now:
                return LaterAnswer(moment, then, known_now, tuple(self._lines(moment, then, known_now)))
        return None

    def _moments(self, now: datetime) -> Iterator[datetime]:
        """The moment that is explained if it has passed, then the ends of periods before it, newest first."""
        if self.look.now < now:
            yield self.look.now
        if not self.look.timeline.points:
            return
        number = self.look.period.number
        for each in range(number, max(self.look.timeline.points[0].number, number - LOOK_BACK), -1):
            yield period_at(self.look.facts.anchor, each).start - TICK

    def _may_differ(self, moment: datetime) -> bool:
        """Whether anything that counts up to `moment` was recorded after it and could have moved credits."""
        return any(at <= moment < recorded for at, recorded, _ in self.facts) or any(
            self._matters(row) for row in self._late_hours(moment)
        )

    def _late_hours(self, moment: datetime) -> list[Hour]:
        return [row for row in self.hours if row.hour <= moment < row.recorded_at]

    def _matters(self, row: Hour) -> bool:
        """Late use of a period that even now has not left its allowance has moved no credits.

        Corrections take use away, and a level stands on in later periods: they may have.
        """
        if not row.exact or self.look.facts.aggregation is Aggregation.LEVEL:
            return True
        numbers = {period_containing(self.look.facts.anchor, at).number for at in (row.hour, row.last_at)}
        months = (month for month in self.look.account.months if month.period.number in numbers)
        return any(month.used > month.covered for month in months)

    def _lines(self, moment: datetime, then: int, known_now: int) -> Iterator[LaterLineAnswer]:
        """What was learnt, day by day and kind by kind, as the change that it made to the balance of `moment`."""
        batches = [
            (day_and_kind[1], [recorded for recorded, _ in batch])
            for day_and_kind, batch in groupby(self._learnt(moment), key=lambda each: (each[0].date(), each[1]))
        ]
        balance = then
        for place, (kind, recorded) in enumerate(batches, start=1):
            last = place == min(len(batches), MAX_LINES)
            after = known_now if last else self.known_then(moment, recorded[-1]).left
            if after != balance:
                shown = "release" if kind == "burn" and after > balance else kind
                yield LaterLineAnswer(shown, recorded[-1] if not last else batches[-1][1][-1], after - balance)
            balance = after
            if last:
                return

    def _learnt(self, moment: datetime) -> list[Learnt]:
        """When facts that count up to `moment` were recorded after it, oldest first; one kind per moment."""
        owner = self.organization.pk
        hours = [row.hour for row in self._late_hours(moment)]
        learnt = dict.fromkeys(late_usage.recorded_after(self.session, owner, self.metric, hours, moment), "burn")
        learnt |= {recorded: kind for at, recorded, kind in self.facts if at <= moment < recorded}
        return sorted(learnt.items())


def _kind(kind: str, status: str | None) -> str:
    """The ledger kind of what happened to a grant."""
    return {"opened": "hold", "won": "unhold", "lost": "refund"}.get(status or "", kind)
