"""One function decides: where every credit of one organization and metric is at a moment (credits.md).

Pure: it sees no clock, database or network. `compute` answers for a history; `start` and `advance` do the same in
steps, so that a state kept at one moment can be carried on from there (law of splitting). Inside one instant things
happen in this order (fine point 1): the period turns, grants expire, plans change, grants become effective and pay what
is owed, usage counts, then voids, refunds and disputes in recorded order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import IntEnum
from operator import attrgetter
from typing import Any

from billing_app.domain.common.periods import period_at, period_containing
from billing_app.domain.credits.accounts import Account
from billing_app.domain.credits.allowances import changes, held_at, policy_at
from billing_app.domain.credits.clawbacks import apply_action
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.facts import Aggregation, Grant, History
from billing_app.domain.credits.positions import Position


class Phase(IntEnum):
    """The order of what happens inside one instant (fine point 1)."""

    TURN = 0
    EXPIRE = 1
    PLAN = 2
    GRANT = 3
    STANDING = 4
    USAGE = 5
    ACTION = 6


Event = tuple[datetime, Phase, Any, Any]
"""(instant, phase, order inside the phase, fact)"""


def compute(history: History, as_of: datetime) -> Account:
    """The account of `history` at `as_of`: every fact up to and including that instant has happened."""
    state = start(history)
    advance(state, history, as_of)
    return state.account(history, as_of)


def start(history: History) -> State:
    """A state before anything has happened."""
    return State(history)


def advance(state: State, history: History, until: datetime) -> None:
    """Carries `state` on to `until`, inclusive. Facts at or before the state's own moment must be in it already."""
    for _instant in steps(state, history, until):
        pass


def steps(state: State, history: History, until: datetime) -> Iterator[datetime]:
    """Like `advance`, but stops after each instant at which something happened and tells it."""
    for grant in history.grants:
        if grant.id not in state.positions:
            state.positions[grant.id] = Position(grant, pending=grant.quantity)
    current: datetime | None = None
    for at, phase, _order, fact in _events(state, history, until):
        if current is not None and at != current:
            state.at = current
            yield current
        current = at
        _apply(state, history, at, phase, fact)
    if current is not None:
        state.at = current
        yield current
    state.at = until


def _apply(state: State, history: History, at: datetime, phase: Phase, fact: Any) -> None:
    """Lets one thing happen."""
    if phase is Phase.USAGE:
        state.use(at, fact.used, fact.level)
    elif phase is Phase.TURN:
        state.turn(at, fact, held_at(history, at), policy_at(history, at))
    elif phase is Phase.STANDING:
        state.use(at, max(state.used, state.level), state.level)
    elif phase is Phase.EXPIRE:
        state.expire(at, fact)
    elif phase is Phase.PLAN:
        state.change_allowance(at, fact.quantity)
    elif phase is Phase.GRANT:
        for grant in fact:
            state.become_effective(at, grant)
        state.rebase(fact[-1])
    else:
        apply_action(state, at, fact)


def _events(state: State, history: History, until: datetime) -> Iterable[Event]:
    """Everything that happens in (state.at, until], in order. Nothing happens before the first fact's period."""
    since = state.at if state.begun else None
    first = state.first if state.first is not None else _first_fact(history)
    if first is None or first > until:
        return []

    def due(moment: datetime | None) -> bool:
        return moment is not None and moment <= until and (since is None or moment > since)

    state.first = first
    events: list[Event] = [(p.at, Phase.USAGE, 0, p) for p in history.usage if due(p.at)]
    events += [(a.at, Phase.ACTION, a.sequence, a) for a in history.actions if due(a.at)]
    events += [
        (g.expires_at, Phase.EXPIRE, g.burn_key, g) for g in history.grants if g.expires_at and due(g.expires_at)
    ]
    events += [(a.at, Phase.PLAN, 0, a) for a in changes(history.allowances)[1:] if due(a.at)]
    events += _grant_events(g for g in history.grants if due(g.effective_at))
    events += _turns(state, history, until)
    # a plan change before the first fact changes nothing but the allowance, which the first turn reads for itself
    opening = period_containing(history.anchor, first).start
    events = [event for event in events if event[0] >= opening]
    events.sort(key=lambda event: event[:3])
    return events


def _grant_events(grants: Iterable[Grant]) -> list[Event]:
    """One event per instant with all grants that become effective then, in burn order."""
    together: dict[datetime, list[Grant]] = {}
    for grant in sorted(grants, key=attrgetter("burn_key")):
        together.setdefault(grant.effective_at, []).append(grant)
    return [(at, Phase.GRANT, 0, batch) for at, batch in together.items()]


def _turns(state: State, history: History, until: datetime) -> list[Event]:
    """The period turns in (state.at, until]; the first one opens the period of the first fact."""
    assert state.first is not None
    number = state.month.period.number + 1 if state.begun else period_containing(history.anchor, state.first).number
    events: list[Event] = []
    while (period := period_at(history.anchor, number)).start <= until:
        events.append((period.start, Phase.TURN, 0, period))
        if history.aggregation is Aggregation.LEVEL:
            events.append((period.start, Phase.STANDING, 0, None))
        number += 1
    return events


def _first_fact(history: History) -> datetime | None:
    """The earliest moment at which anything happens to this metric."""
    moments = [grant.effective_at for grant in history.grants]
    moments += [fact.at for fact in (*history.usage, *history.actions)]
    return min(moments, default=None)


def next_instant(history: History, after: datetime) -> datetime:
    """The next moment after `after` at which anything changes by itself; at the latest the next period turn."""
    moments = [period_containing(history.anchor, after).end]
    for grant in history.grants:
        moments += [grant.effective_at] if grant.expires_at is None else [grant.effective_at, grant.expires_at]
    moments += [fact.at for fact in (*history.allowances, *history.actions, *history.usage)]
    return min(moment for moment in moments if moment > after)
