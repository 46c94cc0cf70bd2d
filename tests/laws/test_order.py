"""Order of arrival does not matter, and nothing comes from nothing."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from billing_app.domain.credits import engine
from billing_app.domain.credits.facts import (
    Aggregation,
    Allowance,
    Conversion,
    Dispute,
    DisputeStatus,
    History,
    Policy,
    Refund,
    Void,
)
from billing_app.domain.usage.aggregation import UsageEvent, fold

from .comparing import differences
from .examples import law
from .histories import looking_at
from .raw import Event, RawHistory, engine_history
from .stories import any_history

END = -1


def shuffled(history: History, data: st.DataObject) -> History:
    """The same facts, told in another order. Actions of one instant keep their recorded `sequence`."""
    return replace(
        history,
        **{
            name: tuple(data.draw(st.permutations(getattr(history, name))))
            for name in ("allowances", "grants", "usage", "actions", "policies")
        },
    )


def same_everywhere(raw: RawHistory, one: History, other: History) -> None:
    for as_of in looking_at(raw)[::3]:
        assert differences(engine.compute(one, as_of), engine.compute(other, as_of)) == [], as_of


@law
@given(any_history(), st.data())
def test_the_order_of_arrival_changes_nothing(raw: RawHistory, data: st.DataObject) -> None:
    history = engine_history(raw)
    same_everywhere(raw, history, shuffled(history, data))


@law
@given(any_history(), st.data())
def test_usage_arrives_in_any_order(raw: RawHistory, data: st.DataObject) -> None:
    events = [UsageEvent(event.at, event.quantity, event.subject) for event in raw.events]
    mixed = data.draw(st.permutations(events))
    assert fold(raw.aggregation, raw.anchor, mixed) == fold(raw.aggregation, raw.anchor, events)


@law
@given(any_history(), st.data())
def test_an_event_of_zero_effect_changes_nothing(raw: RawHistory, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from(looking_at(raw)))
    assume(raw.aggregation is not Aggregation.LEVEL)  # a level of 0 says that everything was deleted
    nobody = "nobody" if raw.aggregation is Aggregation.UNIQUE else None
    nothing = Event(at, -1 if nobody else 0, nobody)
    same_everywhere(raw, engine_history(raw), engine_history(replace(raw, events=(*raw.events, nothing))))


@law
@given(any_history(), st.data())
def test_a_plan_or_policy_that_says_the_same_changes_nothing(raw: RawHistory, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from(looking_at(raw)))
    assume(all(fact.at != at for fact in (*raw.allowances, *raw.policies)))
    held = sorted(raw.allowances, key=lambda plan: plan.at)
    plan = [held[0], *(plan for plan in held if plan.at <= at)][END]
    told = sorted(raw.policies, key=lambda policy: policy.at)
    policy = [Policy(at), *told[:1], *(policy for policy in told if policy.at <= at)][END]
    again = replace(
        raw,
        allowances=(*raw.allowances, Allowance(at, plan.quantity)),
        policies=(*raw.policies, replace(policy, at=at)),
    )
    same_everywhere(raw, engine_history(raw), engine_history(again))


@law
@given(any_history(), st.data())
def test_every_action_told_twice_counts_once(raw: RawHistory, data: st.DataObject) -> None:
    """Right after itself, at the same instant: what a repeated delivery records at worst. Conversions are not."""
    told = [action for action in raw.actions if not isinstance(action, Conversion)]
    assume(told)
    chosen = data.draw(st.sampled_from(told))
    actions: list[Void | Refund | Dispute | Conversion] = []
    for action in sorted(raw.actions, key=lambda action: (action.at, action.sequence)):
        actions.append(replace(action, sequence=len(actions)))
        if action is chosen:
            actions.append(replace(action, sequence=len(actions)))
    same_everywhere(raw, engine_history(raw), engine_history(replace(raw, actions=tuple(actions))))


@law
@given(any_history(), st.data())
def test_a_won_dispute_without_an_opened_one_changes_nothing(raw: RawHistory, data: st.DataObject) -> None:
    assume(raw.grants)
    grant = data.draw(st.sampled_from(raw.grants))
    at = data.draw(st.sampled_from([moment for moment in looking_at(raw) if moment >= grant.effective_at]))
    stray = Dispute(at, 1000, grant.id, DisputeStatus.WON, None, "never opened")
    same_everywhere(raw, engine_history(raw), engine_history(replace(raw, actions=(*raw.actions, stray))))


@law
@given(any_history(), st.data())
def test_the_engine_leaves_the_facts_as_they_are(raw: RawHistory, data: st.DataObject) -> None:
    history, again = engine_history(raw), engine_history(raw)
    engine.compute(history, data.draw(st.sampled_from(looking_at(raw))))
    assert history == again
