"""Schedule invariance and splitting: when, how often and in how many parts somebody counts changes no number."""

from __future__ import annotations

import copy
import pickle
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.credits import engine
from billing_app.domain.credits.accounts import Account
from billing_app.domain.credits.facts import History

from .comparing import differences
from .examples import law
from .histories import looking_at
from .raw import RawHistory, engine_history
from .stories import any_history


def in_steps(history: History, moments: list[datetime]) -> Account:
    """The account at the last of `moments`, after a stop at each of them."""
    state = engine.start(history)
    for moment in moments:
        engine.advance(state, history, moment)
    return state.account(history, moments[-1])


def some_moments(raw: RawHistory, data: st.DataObject, at_least: int = 1) -> list[datetime]:
    return sorted(data.draw(st.lists(st.sampled_from(looking_at(raw)), min_size=at_least, max_size=8)))


@law
@given(any_history(), st.data())
def test_recounting_at_any_moments_ends_at_the_same_account(raw: RawHistory, data: st.DataObject) -> None:
    history, moments = engine_history(raw), some_moments(raw, data)
    assert differences(engine.compute(history, moments[-1]), in_steps(history, moments)) == []


@law
@given(any_history())
def test_recounting_at_every_instant_ends_at_the_same_account(raw: RawHistory) -> None:
    history, moments = engine_history(raw), looking_at(raw)
    assert differences(engine.compute(history, moments[-1]), in_steps(history, moments)) == []


@law
@given(any_history(), st.data())
def test_asking_in_any_order_changes_no_answer(raw: RawHistory, data: st.DataObject) -> None:
    history, moments = engine_history(raw), some_moments(raw, data)
    forwards = {moment: engine.compute(history, moment) for moment in moments}
    for moment in reversed(moments):
        assert differences(forwards[moment], engine.compute(history, moment)) == []


@law
@given(any_history(), st.data())
def test_a_snapshot_between_two_parts_changes_nothing(raw: RawHistory, data: st.DataObject) -> None:
    history = engine_history(raw)
    middle, end = some_moments(raw, data, at_least=2)[-2:]
    state = engine.start(history)
    engine.advance(state, history, middle)
    at_the_snapshot = state.account(history, middle)
    snapshot = pickle.loads(pickle.dumps(state))
    engine.advance(snapshot, history, end)
    assert differences(engine.compute(history, end), snapshot.account(history, end)) == []
    assert differences(at_the_snapshot, copy.deepcopy(state).account(history, middle)) == []


@law
@given(any_history(), st.data())
def test_facts_still_to_come_change_nothing_that_was(raw: RawHistory, data: st.DataObject) -> None:
    as_of = data.draw(st.sampled_from(looking_at(raw)))
    whole = engine_history(raw)
    past = History(
        anchor=whole.anchor,
        aggregation=whole.aggregation,
        allowances=tuple(plan for plan in whole.allowances if plan.at <= as_of) or first_held(whole),
        grants=whole.grants,
        usage=tuple(point for point in whole.usage if point.at <= as_of),
        actions=tuple(action for action in whole.actions if action.at <= as_of),
        policies=whole.policies,
    )
    assert differences(engine.compute(whole, as_of), engine.compute(past, as_of)) == []


def first_held(history: History) -> tuple:
    """The first plan has always been held (fine point 3)."""
    return (min(history.allowances, key=lambda plan: plan.at),)
