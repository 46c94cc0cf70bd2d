"""Amounts of money are whole minor units, and written with as many decimals as their currency has."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing_app.domain.common.money import (
    CURRENCIES,
    MAX_AMOUNT_CENTS,
    PADDED,
    THREE_DECIMAL,
    TWO_DECIMAL,
    ZERO_DECIMAL,
    amount_step,
    exponent,
    format_money,
    format_unit_price,
    major_amount,
)


@pytest.mark.parametrize(
    ("amount_cents", "currency", "written"),
    [
        (4900, "usd", "$49.00"),
        (0, "usd", "$0.00"),
        (5, "usd", "$0.05"),
        (-300, "usd", "−$3.00"),
        (123_456_789, "eur", "€1,234,567.89"),
        (500, "jpy", "¥500"),
        (1_234_567, "krw", "₩1,234,567"),
        (1250, "chf", "CHF 12.50"),
        (5120, "kwd", "KWD 5.120"),
        (500, "isk", "ISK 5"),
        (4900, "USD", "$49.00"),
        (500, "JPY", "¥500"),
        (MAX_AMOUNT_CENTS, "usd", "$9,999,999,999.99"),
    ],
)
def test_an_amount_is_written_in_its_currency(amount_cents: int, currency: str, written: str) -> None:
    assert format_money(amount_cents, currency) == written


@pytest.mark.parametrize(("currency", "decimals"), [("usd", 2), ("jpy", 0), ("kwd", 3), ("isk", 2), ("JPY", 0)])
def test_a_currency_knows_its_decimals(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


def test_every_currency_is_of_one_kind_only() -> None:
    kinds = [ZERO_DECIMAL, THREE_DECIMAL, PADDED, TWO_DECIMAL]
    assert sum(map(len, kinds)) == len(CURRENCIES)
    assert all(len(code) == 3 and code.islower() for code in CURRENCIES)


def test_an_amount_in_whole_currency_is_exact() -> None:
    assert major_amount(4901, "usd") == Decimal("49.01")
    assert major_amount(2**63 - 1, "jpy") == 2**63 - 1


@pytest.mark.parametrize(("currency", "step"), [("usd", 1), ("jpy", 1), ("kwd", 10), ("isk", 100), ("ISK", 100)])
def test_some_currencies_can_t_be_paid_to_the_last_digit(currency: str, step: int) -> None:
    assert amount_step(currency) == step


@pytest.mark.parametrize(
    ("price_cents", "quantity", "per_quantity", "currency", "written"),
    [
        (4900, 50_000, 1000, "usd", "$0.98"),
        (1400, 10_000, 1000, "usd", "$1.40"),
        (19_900, 250_000, 1000, "usd", "$0.80"),
        (3000, 500, 1, "usd", "$0.060"),
        (5500, 1000, 1, "usd", "$0.055"),
        (600, 50 * 10**9, 10**9, "usd", "$0.12"),
        (100, 1000, 1, "usd", "$0.0010"),
        (50, 1000, 1, "jpy", "¥0.050"),
        (5000, 100, 1, "jpy", "¥50"),
        (1000, 3, 1, "usd", "$3.33"),
        (1, 8, 1, "usd", "$0.0013"),
    ],
)
def test_a_unit_price_has_enough_digits_to_tell_packs_apart(
    price_cents: int, quantity: int, per_quantity: int, currency: str, written: str
) -> None:
    assert format_unit_price(price_cents, quantity, per_quantity, currency) == written


def test_the_smallest_unit_price_ends_somewhere() -> None:
    assert format_unit_price(1, 2**63 - 1, 1, "usd") == "$0.00000000"
