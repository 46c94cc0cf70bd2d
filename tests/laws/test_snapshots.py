"""A snapshot at a turn changes cost, never meaning: what is taken up from one says what the whole history says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from billing_app.domain.common.periods import period_at, period_containing
from billing_app.domain.credits import engine, snapshots
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.facts import Action, Aggregation, Allowance, Grant, History, Refund, UsagePoint
from billing_app.domain.credits.postings import buckets
from billing_app.domain.credits.snapshots import INSTANT, Snapshot
from billing_app.domain.credits.thresholds import marks, next_used

from .examples import law
from .histories import looking_at
from .raw import RawHistory, engine_history
from .stories import any_history


def run(history: History, until: datetime) -> State:
    state = engine.start(history)
    state.trace = []
    engine.advance(state, history, until)
    return state


def stored(snapshot: Snapshot) -> Snapshot:
    """As it comes back from a database."""
    head, positions = json.loads(json.dumps([snapshot.head, dict(snapshot.positions)]))
    return Snapshot(snapshot.at, snapshot.rules, head, positions, snapshot.closed)


def since(history: History, kept: Snapshot) -> tuple[History, Snapshot]:
    """What is read beside a snapshot: open grants, those that something was done to, later ones; and later facts."""
    actions = tuple(action for action in history.actions if action.at > kept.at)
    acted = {action.grant_id for action in actions}
    read = {name: each for name, each in kept.positions.items() if name in acted or name not in kept.closed}
    grants = tuple(grant for grant in history.grants if grant.id in read or grant.effective_at > kept.at)
    usage = tuple(point for point in history.usage if point.at > kept.at)
    facts = History(history.anchor, history.aggregation, history.allowances, grants, usage, actions, history.policies)
    return facts, Snapshot(kept.at, kept.rules, kept.head, read)


@law
@given(any_history(), st.data())
def test_what_is_taken_up_says_what_the_whole_history_says(raw: RawHistory, data: st.DataObject) -> None:
    history, moments = engine_history(raw), looking_at(raw)
    end = data.draw(st.sampled_from(moments[1:] or moments)) + timedelta(
        days=data.draw(st.sampled_from([0, 0, 40, 100]))
    )
    first, last = (period_containing(history.anchor, moment).number for moment in (moments[0], end))
    assume(first < last)
    at = period_at(history.anchor, data.draw(st.integers(first + 1, last))).start - INSTANT
    before = run(history, at)
    assume(before.begun)
    kept = stored(snapshots.snapshot_of(before, history))
    facts, read = since(history, kept)
    assume(not snapshots.needs_all(read.positions, facts.actions))
    whole = run(history, end)
    state = snapshots.restored(read, facts.grants, history.anchor)
    state.trace = []
    engine.advance(state, facts, end)

    assert (state.left, state.debt, state.level, state.burned) == (whole.left, whole.debt, whole.level, whole.burned)
    assert (state.used, state.month, state.base) == (whole.used, whole.month, whole.base)
    assert [month.period for month in state.carried] == [month.period for month in whole.carried]
    account, wanted = state.account(facts, end), whole.account(history, end)
    assert (account.deficit, account.allowance, account.used) == (wanted.deficit, wanted.allowance, wanted.used)
    assert (marks(state), next_used(state, account, {})) == (marks(whole), next_used(whole, wanted, {}))
    assert {name: each.account() for name, each in state.positions.items()} == {
        name: whole.positions[name].account() for name in state.positions
    }
    # what it does not know any more is as it was at the snapshot
    expected, found, then = (
        buckets(whole, history.anchor),
        buckets(state, history.anchor),
        buckets(before, history.anchor),
    )
    for name, bucket in expected.items():
        assert found.get(name, then.get(name)) == bucket
    assert found.keys() <= expected.keys()

    # and the next snapshot is the same, however many were between
    later = period_at(history.anchor, last).start - INSTANT
    if later > at:
        again = snapshots.restored(read, facts.grants, history.anchor)
        again.trace = []
        engine.advance(again, facts, later)
        following, anew = (
            stored(snapshots.snapshot_of(again, facts)),
            stored(snapshots.snapshot_of(run(history, later), history)),
        )
        assert following.head == anew.head
        merged = {**kept.positions, **following.positions}
        assert {name: merged.get(name) for name in anew.positions} == anew.positions
        assert {name for name in anew.positions if name not in anew.closed} <= following.positions.keys()


START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def told(*actions: Action) -> History:
    """Two paid grants of 10, the first of 40 days; 15 used in the first month, and what was done to them."""
    return History(
        START,
        Aggregation.SUM,
        (Allowance(START, 0),),
        (
            Grant("first", 10, START, START + 40 * DAY, START, paid_cents=10),
            Grant("second", 10, START, None, START, paid_cents=10),
        ),
        (UsagePoint(START + DAY, 15),),
        actions,
    )


def restored_at(history: History, month: int, end: datetime) -> State | None:
    kept = stored(snapshots.snapshot_of(run(history, period_at(START, month).start - INSTANT), history))
    facts, read = since(history, kept)
    if snapshots.needs_all(read.positions, facts.actions):
        return None
    state = snapshots.restored(read, facts.grants, START)
    engine.advance(state, facts, end)
    return state


def test_what_comes_back_to_a_grant_that_had_ended_expires() -> None:
    refunded, failed = Refund(START + 2 * DAY, 1, "first", 10), Refund(START + 95 * DAY, 2, "first", 0)
    lot = Grant("first", 10, START, START + 40 * DAY, START, paid_cents=10)
    history = History(START, Aggregation.SUM, (Allowance(START, 0),), (lot,), (), (refunded, failed))
    state = restored_at(history, 3, START + 100 * DAY)
    assert state is not None
    assert (state.left, state.positions["first"].expired) == (0, 10)


def test_a_grant_that_paid_for_another_needs_all_of_them() -> None:
    """A debt of the first that a third grant paid comes back to it when the refund fails: the third has to be known."""
    history = told(Refund(START + 2 * DAY, 1, "first", 10), Refund(START + 95 * DAY, 2, "first", 0))
    later = Grant("third", 10, START + 3 * DAY, None, START)
    history = replace(history, grants=(*history.grants, later), usage=(*history.usage, UsagePoint(START + 4 * DAY, 25)))
    whole = run(history, START + 100 * DAY)
    assert whole.positions["first"].debt_paid == 0 != run(history, START + 90 * DAY).positions["first"].debt_paid
    assert restored_at(history, 3, START + 100 * DAY) is None
