"""Auto top-up: when it is armed, and that the month's cap holds whatever is bought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.purchases import recurring
from billing_app.domain.purchases.recurring import Billed
from billing_app.domain.purchases.top_ups import (
    MAX_FAILURES,
    Standing,
    armed,
    armed_at_used,
    fits,
    month_of,
    packs_needed,
    proposed_threshold,
    spendable,
)

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
QUANTITIES = st.integers(0, 10**12)


@dataclass(frozen=True)
class Meter:
    """What decides."""

    allowance: int | None
    used: int
    left: int
    debt: int = 0
    deficit: int = 0


@given(st.none() | QUANTITIES, QUANTITIES, QUANTITIES, QUANTITIES, QUANTITIES)
def test_more_use_arms_it_exactly_where_it_says(
    allowance: int | None, used: int, left: int, debt: int, threshold: int
) -> None:
    meter = Meter(allowance, used, left, debt)
    at = armed_at_used(meter, threshold)
    if at is None:
        assert allowance is None or armed(meter, threshold)
        return
    assert allowance is not None and at > used
    overage = max(used, allowance)
    for then in (at - 1, at):
        burned = max(then, allowance) - overage
        later = Meter(allowance, then, left - burned, debt)
        assert armed(later, threshold) == (then >= at)


@given(QUANTITIES, QUANTITIES, QUANTITIES, QUANTITIES)
def test_what_is_owed_arms_it(left: int, debt: int, deficit: int, threshold: int) -> None:
    meter = Meter(0, 0, left, debt, deficit)
    assert armed(meter, threshold) == (left - debt - deficit <= threshold)
    assert spendable(meter) <= left


@given(QUANTITIES, QUANTITIES, QUANTITIES, st.integers(1, 10**9), st.integers(1, 99))
def test_one_purchase_is_enough_and_no_more_than_is_needed(
    left: int, deficit: int, threshold: int, quantity: int, count: int
) -> None:
    packs = packs_needed(Meter(0, 0, left, 0, deficit), threshold, quantity, count)
    assert packs >= count
    after = left - deficit + packs * quantity
    assert packs == count or after > threshold >= after - quantity


@given(st.none() | st.integers(-(10**12), 10**12), st.integers(1, 10**12), st.sampled_from([1, 60, 3600, 10**9]))
def test_what_is_proposed_never_buys_at_once_where_anything_is_left(
    left: int | None, quantity: int, factor: int
) -> None:
    threshold = proposed_threshold(left, quantity, factor)
    assert 0 <= threshold <= quantity // 5
    if left is not None:
        assert threshold < max(left, 1)
    assert len(str(threshold // factor if threshold >= factor else threshold).rstrip("0")) <= 1


@given(st.integers(1, 10**9), st.lists(st.integers(1, 10**9), max_size=40))
def test_a_month_never_passes_its_cap(cap_cents: int, prices: list[int]) -> None:
    paid = 0
    for price in prices:
        if fits(paid, price, cap_cents):
            paid += price
        else:
            assert paid + price > cap_cents
    assert paid <= cap_cents


@given(st.timedeltas(timedelta(0), timedelta(days=40_000)))
def test_a_month_is_a_calendar_month_of_utc(since: timedelta) -> None:
    now = NOON + since
    start, end = month_of(now)
    assert start <= now < end
    assert (start.day, end.day, (end - timedelta(microseconds=1)).month) == (1, 1, start.month)


@pytest.mark.parametrize(
    ("standing", "state"),
    [
        (Standing(False, True, 0, None, None), "off"),
        (Standing(False, True, MAX_FAILURES, None, None), "turned_off"),
        (Standing(True, False, 0, None, None), "waiting_for_card"),
        (Standing(True, True, 1, NOON + timedelta(hours=1), None), "resting"),
        (Standing(True, True, 1, NOON, None), "on"),
        (Standing(True, True, 0, None, NOON + timedelta(days=2)), "capped"),
        (Standing(True, True, 0, None, None), "on"),
    ],
)
def test_what_it_does(standing: Standing, state: str) -> None:
    assert standing.state(NOON) == state


COUNTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 5), max_size=6)


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 5), min_size=1, max_size=6), COUNTS)
def test_a_subscription_is_told_exactly_what_makes_it_what_is_wanted(
    before: dict[str, int], wanted: dict[str, int]
) -> None:
    billed = [Billed(f"si_{price}", price, count) for price, count in before.items()]
    told = recurring.change(billed, wanted)
    going_on = {price: count for price, count in wanted.items() if count}
    assert told.ends == (not going_on)
    after = dict(before)
    for item in told.items:
        assert item.item_id == (f"si_{item.price_id}" if item.price_id in before else "")
        assert after.get(item.price_id) != item.count
        after[item.price_id] = item.count
        if not item.count:
            del after[item.price_id]
    assert after == (going_on or before)
