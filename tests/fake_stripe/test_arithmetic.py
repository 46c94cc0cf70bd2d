"""Arithmetic that must hold for every number: shares, discounts, periods."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from fake_stripe.billing import periods
from fake_stripe.money import money
from fake_stripe.payments.discounts import share, split

AMOUNTS = st.lists(st.integers(0, 10_000_000), min_size=1, max_size=12)
MOMENTS = st.integers(1_500_000_000, 2_000_000_000)
RHYTHMS = st.sampled_from([("day", 1), ("week", 2), ("month", 1), ("month", 3), ("year", 1)])


@given(AMOUNTS, st.integers(0, 100))
def test_shares_add_up(bases: list[int], percent: int) -> None:
    whole = sum(bases) * percent // 100
    shares = share(whole, bases)
    assert sum(shares) == (whole if sum(bases) else 0)
    assert all(0 <= part <= base for part, base in zip(shares, bases, strict=True))


@given(AMOUNTS, st.integers(1, 50_000_000))
def test_a_discount_never_exceeds_the_basket(amounts: list[int], off: int) -> None:
    coupon = {"percent_off": None, "amount_off": off}
    taken = split(coupon, amounts, ["prod"] * len(amounts))
    assert sum(taken) == min(off, sum(amounts))


@given(MOMENTS, st.integers(-800, 800), RHYTHMS)
def test_a_moment_lies_between_its_boundaries(anchor: int, days: int, rhythm: tuple[str, int]) -> None:
    moment = anchor + days * 24 * 3600
    end = periods.next_boundary(anchor, moment, *rhythm)
    assert periods.previous_boundary(anchor, end, *rhythm) <= moment < end


def test_the_31st_comes_back_after_a_short_month() -> None:
    anchor = int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp())
    days = [datetime.fromtimestamp(periods.add(anchor, "month", step), UTC).day for step in range(4)]
    assert days == [31, 28, 31, 30]


def test_money_is_read_by_people() -> None:
    assert [money(-123456, "usd"), money(500, "jpy"), money(1234, "kwd")] == ["−$1,234.56", "¥500", "1.234 KWD"]
