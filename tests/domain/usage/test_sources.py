"""Use by source adds up, for every aggregation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.credits.facts import Aggregation
from billing_app.domain.usage.aggregation import UsageEvent, fold
from billing_app.domain.usage.sources import level_shares, max_shares, unique_shares

ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)
SOURCES = ("", "north", "south")


def events(quantities: st.SearchStrategy[int], subjects: st.SearchStrategy) -> st.SearchStrategy[list[UsageEvent]]:
    return st.lists(
        st.builds(
            UsageEvent,
            st.integers(0, 20).map(lambda hours: ANCHOR + timedelta(hours=hours)),
            quantities,
            subjects,
            st.sampled_from(SOURCES),
        ),
        min_size=1,
        max_size=20,
    )


@given(events(st.integers(0, 9), st.none()), st.integers(0, 5), st.integers(0, 5))
def test_levels_at_the_peak_add_up_to_the_use(reported: list[UsageEvent], own: int, north: int) -> None:
    points = fold(Aggregation.LEVEL, ANCHOR, reported, own + north, {"north": north})
    shares = level_shares(reported, {"": own, "north": north})
    assert sum(shares.values()) == max(own + north, points[-1].used)


@given(events(st.integers(0, 9), st.none()), st.randoms())
def test_the_order_in_which_levels_arrive_changes_nothing(reported: list[UsageEvent], random: Random) -> None:
    shuffled = list(reported)
    random.shuffle(shuffled)
    assert fold(Aggregation.LEVEL, ANCHOR, shuffled) == fold(Aggregation.LEVEL, ANCHOR, reported)


@given(events(st.integers(0, 9), st.none()))
def test_one_source_is_as_if_there_were_none(reported: list[UsageEvent]) -> None:
    plain = [UsageEvent(event.at, event.quantity) for event in reported]
    same = [UsageEvent(event.at, event.quantity, source="north") for event in reported]
    for aggregation in (Aggregation.LEVEL, Aggregation.MAX, Aggregation.SUM):
        assert fold(aggregation, ANCHOR, plain) == fold(aggregation, ANCHOR, same)


@given(events(st.sampled_from([1, -1]), st.sampled_from(["a", "b", "c"])))
def test_subjects_by_source_add_up_to_the_use(reported: list[UsageEvent]) -> None:
    points = fold(Aggregation.UNIQUE, ANCHOR, reported)
    assert sum(unique_shares(reported).values()) == points[-1].used


@given(events(st.integers(0, 9), st.none()))
def test_a_highest_level_is_of_who_reported_it(reported: list[UsageEvent]) -> None:
    used = fold(Aggregation.MAX, ANCHOR, reported)[-1].used
    theirs = [event for event in reported if event.source]
    shares = max_shares(used, theirs)
    assert sum(shares.values()) == used


def test_two_levels_stand_beside_each_other() -> None:
    reported = [UsageEvent(ANCHOR, 10), UsageEvent(ANCHOR + timedelta(hours=1), 3, source="north")]
    assert fold(Aggregation.LEVEL, ANCHOR, reported)[-1].level == 13
    lower = [*reported, UsageEvent(ANCHOR + timedelta(hours=2), 4)]
    assert [point.level for point in fold(Aggregation.LEVEL, ANCHOR, lower)] == [10, 13, 7]
