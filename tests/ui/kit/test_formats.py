"""Figures as a reader sees them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing_app.domain.common.periods import period_containing
from billing_app.ui.kit import formats
from billing_app.ui.kit.formats import Formats, known_locale
from tests.ui.records.facts import BANDWIDTH, GB, MAU, NOW, SMS, STORAGE, TB, at, period

ENGLISH, GERMAN = Formats("en"), Formats("de")
GAP = "\N{NO-BREAK SPACE}"
THIN = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("metric", "quantity", "text"),
    [
        (MAU, 44_290, "44,290"),
        (MAU, 0, "0"),
        (MAU, -19_290, "−19,290"),
        (STORAGE, 112_400_000_000, f"112.4{GAP}GB"),
        (STORAGE, 250 * GB, f"250{GAP}GB"),
        (BANDWIDTH, 1180 * GB, f"1.18{GAP}TB"),
        (BANDWIDTH, 50_000_000, f"50{GAP}MB"),
        (MAU, 2**63 - 1, "9,223,372,036,854,775,807"),
    ],
)
def test_quantities(metric, quantity: int, text: str) -> None:
    assert ENGLISH.quantity(metric, quantity) == text


def test_a_reader_elsewhere_sees_their_own_signs() -> None:
    assert GERMAN.quantity(MAU, 44_290) == "44.290"
    assert GERMAN.quantity(STORAGE, 112_400_000_000) == f"112,4{GAP}GB"
    assert GERMAN.money(4900, "usd") == f"49,00{GAP}$"
    assert GERMAN.unit_price(MAU, 50_000, 4900, "USD") == f"0,98{GAP}$ per 1.000"
    assert GERMAN.size(MAU, 50_000) == "50.000"


@pytest.mark.parametrize(
    "cents, currency, text", [(4900, "USD", "$49.00"), (500, "JPY", "¥500"), (-300, "usd", "−$3.00")]
)
def test_money(cents: int, currency: str, text: str) -> None:
    assert ENGLISH.money(cents, currency) == text


def test_unit_prices_tell_packs_apart() -> None:
    assert ENGLISH.unit_price(MAU, 50_000, 4900, "USD") == "$0.98 per 1,000"
    assert ENGLISH.unit_price(SMS, 500, 3000, "USD") == "$0.060 each"
    assert ENGLISH.unit_price(STORAGE, 50 * GB, 600, "USD") == "$0.12 per GB"


def test_a_unit_price_has_the_sign_of_the_price_beside_it() -> None:
    british = Formats("en_GB")
    assert (british.money(4900, "USD"), british.unit_price(SMS, 500, 3000, "USD")) == ("US$49.00", "US$0.060 each")
    assert Formats("fr").unit_price(MAU, 50_000, 4900, "EUR") == f"0,98{GAP}€ per 1{THIN}000"
    assert ENGLISH.unit_price(MAU, 1_000, 500, "JPY") == "¥500 per 1,000"


def test_changes_carry_their_sign() -> None:
    assert ENGLISH.change(MAU, 50_000) == "+50,000"
    assert ENGLISH.change(BANDWIDTH, -TB) == f"−1.00{GAP}TB"
    assert ENGLISH.change(MAU, 0) == "0"


def test_the_exact_figure_is_in_base_units() -> None:
    assert ENGLISH.exact(STORAGE, 112_400_000_000) == "112,400,000,000 bytes"


@pytest.mark.parametrize(("value", "text"), [(64_500, "64.5k"), (9_999, "9,999"), (12_000_000, "12M"), (0, "0")])
def test_short_figures(value: int, text: str) -> None:
    assert ENGLISH.short(MAU, value) == text


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("de-CH,de;q=0.9,en;q=0.8", "de_CH"),
        ("xx-nonsense, fr;q=0.5", "fr"),
        ("", "en"),
        ("*", "en"),
        ("../../etc/passwd", "en"),
        (",".join(["zz"] * 500), "en"),
    ],
)
def test_the_readers_locale_is_one_that_is_known(header: str, locale: str) -> None:
    assert known_locale(header) == locale


def test_dates_say_their_year_only_when_it_is_far() -> None:
    assert formats.day(at("2025-12-14"), NOW) == "14 Dec"
    assert formats.day(at("2026-01-18"), NOW) == "18 Jan"
    assert formats.day(at("2026-11-01"), NOW) == "1 Nov 2026"


def test_a_month_is_labelled_by_its_period() -> None:
    other = period_containing(at("2025-01-20"), NOW)
    assert formats.month(period(NOW)) == "Nov"
    assert formats.month(other) == "20 Nov – 19 Dec" or formats.month(other) == "20 Oct – 19 Nov"
    assert formats.month_in_words(period(NOW)) == "November"
    assert formats.month_with_year(period(NOW)) == "Nov 2025"
    assert formats.possessive_month(other) == "this month’s"


def test_days_left_count_to_the_last_day() -> None:
    end = period(NOW).end
    assert formats.days_left(end, NOW) == "9 days left"
    assert formats.days_left(end, end - timedelta(days=1, hours=2)) == "1 day left"
    assert formats.days_left(end, end - timedelta(hours=2)) == "ends today"


def test_in_days() -> None:
    assert [formats.in_days(NOW + timedelta(days=days), NOW) for days in (23, 1, 0, -1, -3)] == [
        "in 23 days",
        "tomorrow",
        "today",
        "yesterday",
        "3 days ago",
    ]
