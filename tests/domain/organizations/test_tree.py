"""The tree of organizations: its laws over random trees and histories (credits.md, rule 14)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.common.errors import ConflictError
from billing_app.domain.organizations.tree import MAX_LEVELS, Lineage, height, level, require_place

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = range(1, 8)

moves = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=30)


def moments(values: st.SearchStrategy) -> st.SearchStrategy:
    """Dated facts in order of time."""
    days = st.lists(st.tuples(st.integers(0, 60), values), max_size=5)
    return days.map(lambda found: [(START + timedelta(days=day), value) for day, value in sorted(found)])


@given(moves)
def test_whatever_is_tried_no_cycle_and_no_fourth_level_comes_about(tried: list[tuple[int, int]]) -> None:
    parents: dict[int, int] = {}
    for child, parent in tried:
        try:
            require_place(parents, child, parent)
        except ConflictError:
            continue
        parents[child] = parent
        for each in NAMES:
            seen = [each]
            while seen[-1] in parents:
                seen.append(parents[seen[-1]])
                assert len(seen) <= MAX_LEVELS
            assert len(set(seen)) == len(seen)
            assert level(parents, each) == len(seen)


@given(moves)
def test_what_is_refused_would_have_broken_a_law(tried: list[tuple[int, int]]) -> None:
    parents: dict[int, int] = {}
    for child, parent in tried:
        try:
            require_place(parents, child, parent)
        except ConflictError as refusal:
            above, seen = parent, {parent}
            while above in parents:
                above = parents[above]
                seen.add(above)
            assert (child in seen) == (refusal.code == "parent_cycle")
            if child not in seen:
                assert len(seen) + height(parents, child) > MAX_LEVELS
        else:
            parents[child] = parent


def test_an_organization_is_no_part_of_itself() -> None:
    with pytest.raises(ConflictError, match="itself"):
        require_place({}, 1, 1)


@given(moments(st.booleans()), moments(st.booleans()), st.integers(-5, 65))
def test_the_nearest_with_a_plan_pays(middle: list, lowest: list, day: int) -> None:
    at = START + timedelta(days=day)
    lineage = Lineage({3: [(START, 2)], 2: [(START, 1)]}, {3: lowest, 2: middle})
    payer = lineage.payer_at(3, at)
    holds = {3: lineage.holds_plan(3, at), 2: lineage.holds_plan(2, at)}
    expected = 3 if holds[3] else 2 if holds[2] else 1
    assert payer == expected
    assert lineage.payer_at(1, at) == 1


@given(moments(st.booleans()), st.integers(-5, 65))
def test_a_fact_of_later_changes_nothing_before_it(plans: list, day: int) -> None:
    at = START + timedelta(days=day)
    later = [*plans, (at + timedelta(days=100), True)]
    assert Lineage({2: [(START, 1)]}, {2: plans}).payer_at(2, at) == Lineage({2: [(START, 1)]}, {2: later}).payer_at(
        2, at
    )


def test_the_first_parent_was_always_held_so_that_early_use_finds_its_payer() -> None:
    lineage = Lineage({2: [(START, 1), (START + timedelta(days=9), 5)]})
    assert lineage.parent_at(2, START - timedelta(days=40)) == 1
    assert lineage.parent_at(2, START + timedelta(days=9)) == 5
