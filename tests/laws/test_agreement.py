"""Two careful readers get the same numbers: the engine and the reference, in every field of the account."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.credits import engine
from billing_app.domain.usage.aggregation import UsageEvent, fold

from .comparing import differences
from .examples import law
from .histories import debt_histories, looking_at, reports
from .raw import RawHistory, engine_history, usage_points
from .reference import reference_account
from .stories import any_history, conversions, failed_refunds, stories, ties, two_disputes


@law
@given(any_history(), st.data())
def test_the_engine_says_what_the_reference_says(raw: RawHistory, data: st.DataObject) -> None:
    moments = data.draw(st.lists(st.sampled_from(looking_at(raw)), min_size=1, max_size=6, unique=True))
    history = engine_history(raw)
    for as_of in moments:
        assert differences(reference_account(raw, as_of), engine.compute(history, as_of)) == [], as_of


@law
@given(debt_histories())
def test_the_engine_and_the_reference_agree_on_debts_at_every_moment(raw: RawHistory) -> None:
    history = engine_history(raw)
    for as_of in sorted(raw.moments()):
        assert differences(reference_account(raw, as_of), engine.compute(history, as_of)) == [], as_of


@law
@given(st.one_of(stories(), failed_refunds(), two_disputes(), conversions()))
def test_the_engine_and_the_reference_agree_on_stories_at_every_moment(raw: RawHistory) -> None:
    history = engine_history(raw)
    for as_of in sorted(raw.moments()):
        assert differences(reference_account(raw, as_of), engine.compute(history, as_of)) == [], as_of


@law
@given(ties())
def test_the_engine_and_the_reference_burn_in_the_same_order(raw: RawHistory) -> None:
    history = engine_history(raw)
    for as_of in sorted(raw.moments()):
        assert differences(reference_account(raw, as_of), engine.compute(history, as_of)) == [], as_of


@law
@given(reports())
def test_usage_folds_to_the_same_points(raw: RawHistory) -> None:
    events = [UsageEvent(event.at, event.quantity, event.subject) for event in raw.events]
    assert fold(raw.aggregation, raw.anchor, events) == usage_points(raw)
