"""What an account is computed from: all of its facts, or a snapshot of the engine and what came since (decision 27)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from billing_app.domain.credits import engine, expiry_notices
from billing_app.domain.credits import snapshots as kept
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.facts import Action, Grant, History
from billing_app.domain.credits.snapshots import INSTANT, Kept, Snapshot
from billing_app.services.common.context import Context
from billing_app.services.usage.accounts import boundaries
from billing_app.services.usage.plans_in_force import Plans
from billing_app.store.common.questions import Asking
from billing_app.store.credits import snapshots as store
from billing_app.store.credits.grants import ActionFacts, GrantFacts
from billing_app.store.credits.snapshots import New, Stored
from billing_app.store.usage.usage_points import usage_points

WORTH_KEEPING = 500
"""Of a metric that never had credits as many usage points are run again rather than kept: most organizations' do."""


@dataclass(frozen=True, slots=True)
class Basis:
    """The facts of a metric's account, and where the engine begins with them.

    With a snapshot (`stored`) they are those that matter since; `recent` are the buckets of the ledger that have
    entries since.
    """

    facts: History
    stored: Stored | None = None
    positions: Mapping[str, Kept] = field(default_factory=dict)
    recent: frozenset[str] = frozenset()

    def start(self) -> State:
        """The state to begin with; it will keep a trace."""
        stored = self.stored
        if stored is None:
            state = engine.start(self.facts)
        else:
            snapshot = Snapshot(stored.at, stored.rules, stored.head, self.positions)
            state = kept.restored(snapshot, self.facts.grants, self.facts.anchor)
        state.trace = []
        return state


def basis(
    context: Context,
    metric: str,
    moment: datetime,
    held: Plans,
    *,
    watched: datetime | None,
    for_credits: bool = False,
) -> Asking[Basis]:
    """What the account at `moment` is computed from. The meter's row is locked.

    What happened after `watched` is to be told, so every instant since matters, and what is left must be exact where
    credits end; None is that only `moment` matters. `for_credits` is that without any grant its use does not matter
    either. A snapshot that is no longer right is removed.
    """
    session, organization = context.session, context.organization
    owner, anchor = organization.pk, organization.anchor
    aggregation = held.catalogs[-1][1].metric(metric).aggregation
    facts = History(anchor, aggregation, held.allowances(metric), policies=held.policies(metric))
    stored: Stored | None = yield store.Latest(owner, metric)
    since: _Since | None = None
    if stored is not None:
        if stored.at > kept.due_at(anchor, moment) or not stored.holds(kept.rules_until(facts, stored.at)):
            store.drop_one(session, owner, metric)
        elif watched is None or watched >= stored.at:
            since = yield from _since(owner, metric, stored)
    if since is None:
        grants: tuple[Grant, ...] = yield GrantFacts(owner, metric)
        if for_credits and not grants and stored is None:
            return Basis(facts)
        actions: tuple[Action, ...] = yield ActionFacts(owner, metric)
        facts = replace(facts, grants=grants, actions=actions)
        points = yield from usage_points(
            owner, metric, aggregation, anchor, boundaries(facts, moment) | _notices(grants, watched, moment)
        )
        return Basis(replace(facts, usage=points))
    assert stored is not None
    grants = tuple(since.grants.values())
    facts = replace(facts, grants=grants, actions=since.actions)
    looks = boundaries(facts, moment) | _notices(grants, watched, moment)
    level: int = stored.head["level"]
    points = yield from usage_points(
        owner, metric, aggregation, anchor, looks, since=stored.at + INSTANT, standing=level
    )
    return Basis(replace(facts, usage=points), stored, since.positions, since.recent)


@dataclass(frozen=True, slots=True)
class _Since:
    """What happened since a snapshot, and the grants that it may concern."""

    actions: tuple[Action, ...]
    recent: frozenset[str]
    grants: dict[str, Grant]
    positions: dict[str, Kept]


def _since(owner: int, metric: str, stored: Stored) -> Asking[_Since | None]:
    """None where something was done since that may concern any grant."""
    actions: tuple[Action, ...] = yield store.ActionsSince(owner, metric, stored.at)
    recent: frozenset[str] = yield store.RecentBuckets(owner, metric, stored.ledger_number)
    acted = frozenset(action.grant_id for action in actions)
    found: dict[str, tuple[Grant, Kept]] = yield store.Positions(owner, metric, acted)
    new: tuple[Grant, ...] = yield store.GrantsSince(owner, metric, stored.at)
    positions = {grant_id: position for grant_id, (_, position) in found.items()}
    if kept.needs_all(positions, actions):
        return None
    grants = {grant_id: grant for grant_id, (grant, _) in found.items()} | {grant.id: grant for grant in new}
    return _Since(actions, recent, grants, positions)


def _notices(grants: Iterable[Grant], watched: datetime | None, moment: datetime) -> set[datetime]:
    return set() if watched is None else {*expiry_notices.moments(grants, watched, moment)}


def due(context: Context, metric: str, basis: Basis, moment: datetime) -> New | None:
    """The snapshot that is to be kept, if the one that there is was taken more than a period ago."""
    facts, stored = basis.facts, basis.stored
    at = kept.due_at(facts.anchor, moment)
    if stored.at >= at if stored is not None else not facts.grants and len(facts.usage) < WORTH_KEEPING:
        return None
    state = basis.start()
    engine.advance(state, facts, at)
    return _new(context, metric, basis, state) if state.begun else None


def _new(context: Context, metric: str, basis: Basis, state: State) -> New:
    snapshot, stored = kept.snapshot_of(state, basis.facts), basis.stored
    since = None if stored is None else stored.at

    def dated(moments: Iterable[datetime]) -> int:
        return sum(moment <= snapshot.at and (since is None or moment > since) for moment in moments)

    grants = dated(grant.effective_at for grant in basis.facts.grants)
    actions = dated(action.at for action in basis.facts.actions)
    if stored is not None:
        grants, actions = grants + stored.grants, actions + stored.actions
    return New(context.organization.pk, metric, snapshot, grants, actions, whole=stored is None)
