"""Money that goes back is spread in whole cents: all of it, never more than was paid, in whatever order it is told."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.purchases.reversals import (
    DisputeFact,
    DisputeStage,
    Part,
    RefundFact,
    RefundStatus,
    disputed,
    refunded,
    spread,
)

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)

PAID = st.lists(st.integers(0, 500), min_size=1, max_size=6)
REFUNDS = st.lists(
    st.tuples(st.integers(1, 900), st.sampled_from(list(RefundStatus)), st.sampled_from(["", "a", "b", "elsewhere"])),
    max_size=8,
)
DISPUTES = st.lists(st.tuples(st.integers(1, 900), st.sampled_from(list(DisputeStage))), max_size=4)


def parts_of(paid: list[int]) -> list[Part]:
    """Grants a, b, c, ... in line order."""
    return [Part("abcdef"[place], cents) for place, cents in enumerate(paid)]


def facts_of(refunds: list[tuple[int, RefundStatus, str]]) -> list[RefundFact]:
    """Refunds as they stand."""
    return [RefundFact(f"re_{place}", cents, status, part, NOON) for place, (cents, status, part) in enumerate(refunds)]


@pytest.mark.parametrize(
    ("amount", "paid", "shares"),
    [
        (850, [100, 100, 650], [100, 100, 650]),
        (85, [100, 100, 650], [10, 10, 65]),
        (101, [100, 100], [51, 50]),
        (1, [333, 333, 334], [0, 0, 1]),
        (2, [100, 100, 100], [1, 1, 0]),
        (100, [0, 40], [0, 40]),
    ],
)
def test_shares_by_largest_remainder_ties_in_line_order(amount: int, paid: list[int], shares: list[int]) -> None:
    assert spread(amount, paid, paid) == shares


@given(st.integers(0, 3_000), PAID, st.data())
def test_all_of_it_is_spread_as_far_as_there_is_room(amount: int, paid: list[int], data: st.DataObject) -> None:
    rooms = [data.draw(st.integers(0, cents)) for cents in paid]
    shares = spread(amount, rooms, paid)
    assert sum(shares) == min(amount, sum(rooms))
    assert all(0 <= share <= room for share, room in zip(shares, rooms, strict=True))


@given(st.integers(0, 3_000), PAID)
def test_nobody_is_a_cent_away_from_proportion(amount: int, paid: list[int]) -> None:
    total = sum(paid)
    amount = min(amount, total)
    for share, cents in zip(spread(amount, paid, paid), paid, strict=True):
        assert abs(share - Fraction(amount * cents, total or 1)) < 1


@given(PAID, REFUNDS, DISPUTES, st.randoms(use_true_random=False))
def test_no_grant_gives_back_more_than_it_cost_in_whatever_order_it_is_told(
    paid: list[int],
    refunds: list[tuple[int, RefundStatus, str]],
    disputes: list[tuple[int, DisputeStage]],
    random: Random,
) -> None:
    parts, facts = parts_of(paid), facts_of(refunds)
    claims = [DisputeFact(f"du_{place}", cents, stage, NOON) for place, (cents, stage) in enumerate(disputes)]
    given_back = refunded(parts, facts)
    lost = disputed(parts, given_back, claims)
    counted = sum(fact.amount_cents for fact in facts if fact.status.counts)
    # an accountant's sum: what went back is what was refunded, as far as anything was paid
    assert sum(given_back.values()) == min(counted, sum(paid))
    for part in parts:
        taken = sum(lost[claim.id][part.id] for claim in claims if claim.stage is DisputeStage.LOST)
        assert given_back[part.id] + taken <= part.paid_cents
    random.shuffle(facts)
    random.shuffle(claims)
    assert refunded(parts, facts) == given_back
    assert disputed(parts, given_back, claims) == lost


def test_a_refund_that_names_its_grant_comes_first() -> None:
    facts = facts_of(
        [(100, RefundStatus.SUCCEEDED, ""), (50, RefundStatus.PENDING, "a"), (9, RefundStatus.FAILED, "b")]
    )
    assert refunded(parts_of([100, 100]), facts) == {"a": 100, "b": 50}


def test_what_it_paid_beside_our_grants_takes_its_part() -> None:
    facts = facts_of([(50, RefundStatus.SUCCEEDED, "")])
    assert refunded([Part("a", 60), Part("", 40)], facts) == {"a": 30}
