"""The engine's state kept at a period's turn, so that a fact of today replays two months and not years (decision 27).

A snapshot is taken right before a turn: what a period burned is released within it only, so nothing of an ended period
has to be kept beside what it still owes. It changes cost, never meaning (law of splitting): it says of which rules it
was made, and is taken up again only where they are still the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from billing_app.domain.common.periods import period_at, period_containing
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.facts import (
    Action,
    Aggregation,
    DeficitPolicy,
    DisputeStatus,
    Grant,
    History,
    Policy,
    RefundPolicy,
)
from billing_app.domain.credits.period_state import Base, Move, RunningMonth
from billing_app.domain.credits.positions import Position
from billing_app.domain.credits.postings import last_moves, parse_bucket_name

INSTANT = timedelta(microseconds=1)
"""The smallest step of time that is told apart."""

Kept = dict[str, Any]
"""What is kept of a state or a position: JSON values, quantities in the metric's base unit, moments as RFC 3339."""

NOT_KEPT = {"grant", "spendable", "ended"}
"""Of a position what follows from its grant, its other figures and the moment."""

FIGURES = tuple(field.name for field in fields(Position) if field.name not in NOT_KEPT)
PAYMENTS = ("settlements", "reowed")
MONTH_FIGURES = ("used", "unpaid", "granted", "expired", "balance", "converted")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state at `at`, an instant before a turn: `head` is the metric's, `positions` the grants' by id.

    `rules` is the digest of what was in force until then. `closed` are the grants of which nothing is left that time or
    use could move: they are needed again only where something is done to them.
    """

    at: datetime
    rules: str
    head: Kept
    positions: Mapping[str, Kept]
    closed: frozenset[str] = frozenset()


def due_at(anchor: datetime, moment: datetime) -> datetime:
    """Where a snapshot belongs, seen from `moment`: one whole period behind, for facts that come late."""
    return period_at(anchor, period_containing(anchor, moment).number - 1).start - INSTANT


def rules_until(history: History, at: datetime) -> str:
    """A digest of what is in force until `at`: anchor, aggregation, allowances and policies."""
    said: list[Any] = [history.anchor.isoformat(), history.aggregation.value]
    for rules in (history.allowances, history.policies):
        said += [rule for place, rule in enumerate(rules) if place == 0 or rule.at <= at]
        said.append("")
    return hashlib.sha256(repr(said).encode()).hexdigest()


def snapshot_of(state: State, history: History) -> Snapshot:
    """What is to be kept of `state`, which stands an instant before a turn and was run with a trace."""
    assert state.at is not None
    assert state.first is not None
    months = [*state.carried, *(month for month in state.months[-1:] if month not in state.carried)]
    numbers = {month.period.number for month in months}
    moves: dict[str, dict[str, list[Any]]] = {grant_id: {} for grant_id in state.positions}
    burns: dict[str, list[Any]] = {}
    for name, (at, number) in (state.moved | last_moves(state)).items():
        kind, grant_id, origin = parse_bucket_name(name)
        if kind != "burn":
            moves[grant_id or origin or ""][name] = [at.isoformat(), number]
        elif int(name.split(":")[1]) in numbers:
            burns[name] = [at.isoformat(), number]
    base, policy = state.base, state.policy
    head: Kept = {
        "first": state.first.isoformat(),
        "level": state.level,
        "burned": state.burned,
        "base": base and [base.grant_id, base.available, base.burned],
        "policy": [policy.at.isoformat(), policy.deficit.value, policy.refund_shortfall.value],
        "debts": state.debts,
        "moves": burns,
        "carried": [month.period.number for month in state.carried],
        "months": [
            [month.period.number, month.allowance, *(getattr(month, name) for name in MONTH_FIGURES), month.burns]
            for month in months
        ],
    }
    return Snapshot(
        state.at,
        rules_until(history, state.at),
        head,
        {grant_id: _kept(position, moves[grant_id]) for grant_id, position in state.positions.items()},
        frozenset(grant_id for grant_id, position in state.positions.items() if position.closed),
    )


def _kept(position: Position, moves: dict[str, list[Any]]) -> Kept:
    """What of a position is not as at its beginning."""
    found: Kept = {name: value for name in FIGURES if (value := getattr(position, name))}
    if "conversions" in found:
        found["conversions"] = {str(number): quantity for number, quantity in position.conversions.items()}
    if moves:
        found["moves"] = moves
    return found


def restored(snapshot: Snapshot, grants: Iterable[Grant], anchor: datetime) -> State:
    """The state that was kept, of those `grants` whose positions the snapshot has; others have not begun by then."""
    head, at = snapshot.head, snapshot.at
    state = State(History(anchor, Aggregation.SUM, ()))
    state.at, state.first = at, datetime.fromisoformat(head["first"])
    state.level, state.burned = head["level"], head["burned"]
    state.base = Base(*head["base"]) if head["base"] else None
    since, deficit, shortfall = head["policy"]
    state.policy = Policy(datetime.fromisoformat(since), DeficitPolicy(deficit), RefundPolicy(shortfall))
    state.debts = list(head["debts"])
    state.moved = _moves(head["moves"])
    for number, allowance, *figures, burns in head["months"]:
        month = RunningMonth(period_at(anchor, number), allowance, burns=dict(burns))
        for name, value in zip(MONTH_FIGURES, figures, strict=True):
            setattr(month, name, value)
        state.months.append(month)
    owing = set(head["carried"])
    state.carried = [month for month in state.months if month.period.number in owing]
    for grant in grants:
        kept = snapshot.positions.get(grant.id)
        if kept is not None:
            state.positions[grant.id] = position = _position(grant, kept, at)
            state.moved |= _moves(kept.get("moves", {}))
            state.settle_open(position)
    return state


def _moves(kept: Mapping[str, list[Any]]) -> dict[str, Move]:
    return {name: (datetime.fromisoformat(at), number) for name, (at, number) in kept.items()}


def _position(grant: Grant, kept: Kept, at: datetime) -> Position:
    found = Position(grant, ended=grant.expires_at is not None and grant.expires_at <= at)
    for name, value in kept.items():
        if name == "disputes":
            found.disputes = {dispute_id: DisputeStatus(status) for dispute_id, status in value.items()}
        elif name in PAYMENTS:
            setattr(found, name, [(origin, quantity) for origin, quantity in value])
        elif name == "conversions":
            found.conversions = {int(number): quantity for number, quantity in value.items()}
        elif name != "moves":
            setattr(found, name, value)
    return found


def needs_all(positions: Mapping[str, Kept], actions: Iterable[Action]) -> bool:
    """Whether what was done to these grants may reach others: who paid whose debt (fine point 6)."""
    acted = (positions.get(action.grant_id, {}) for action in actions)
    return any(each.get(name) for each in acted for name in ("debt_paid", *PAYMENTS))
