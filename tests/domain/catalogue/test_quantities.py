"""Quantities are read in the metric's display unit, and never lose a digit on the way."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.catalogue import Metric
from billing_app.domain.catalogue.quantities import (
    DECIMAL_PREFIXES,
    counted,
    format_allowance,
    format_base,
    format_exact,
    format_pack,
    format_price_unit,
    format_quantity,
    format_size,
    in_display_units,
    in_field,
    quantity_in,
    reading,
)
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.ui.kit.values import Kind, Spec, as_text, typed
from tests.domain.catalogue.documents import metric, pack, small_catalog

GB = 10**9


def metric_of(**changed: object) -> Metric:
    return small_catalog(metrics=[metric("mau"), metric("storage", **changed)]).metric("storage")


STORAGE = metric_of(name="Storage", unit="bytes", display_unit="GB", factor=GB)
MAU = metric_of(name="MAU", unit="unique devices", display_unit="MAU", price_per=1000)
HOURS = metric_of(name="Compute", unit="seconds", display_unit="h", factor=3600)


@pytest.mark.parametrize(
    ("quantity", "written"),
    [
        (112_400_000_000, "112.4 GB"),
        (100 * GB, "100 GB"),
        (12_400_000_000, "12.4 GB"),
        (1_180 * GB, "1.18 TB"),
        (2_000 * GB, "2.00 TB"),
        (1_720 * GB, "1.72 TB"),
        (0, "0 GB"),
        (-12_400_000_000, "−12.4 GB"),
        (MAX_QUANTITY, "9.22 EB"),
    ],
)
def test_a_measured_figure_reads_as_in_the_design(quantity: int, written: str) -> None:
    assert format_quantity(quantity, STORAGE) == written


@pytest.mark.parametrize(
    ("quantity", "written"),
    [
        (137_649_999_999, "137.6 GB"),
        (137_650_000_000, "137.7 GB"),
        (999_949_999_999, "999.9 GB"),
        (999_950_000_000, "1.00 TB"),
        (1_184_999_999_999, "1.18 TB"),
        (1_185_000_000_000, "1.19 TB"),
        (999_995 * GB, "1.00 PB"),
        (999_999_999, "1 GB"),
        (-999_950_000_000, "−1.00 TB"),
    ],
)
def test_figures_round_half_up_and_move_to_the_unit_they_round_to(quantity: int, written: str) -> None:
    assert format_quantity(quantity, STORAGE) == written


@pytest.mark.parametrize(
    ("quantity", "written"), [(50_000_000, "50 MB"), (1_500, "1.5 kB"), (1, "1 B"), (-999, "−999 B")]
)
def test_something_small_is_never_shown_as_nothing(quantity: int, written: str) -> None:
    assert format_quantity(quantity, STORAGE) == written


def test_counts_are_whole_and_grouped_and_have_no_unit() -> None:
    assert format_quantity(44_290, MAU) == "44,290"
    assert format_quantity(-19_290, MAU) == "−19,290"
    assert format_exact(MAX_QUANTITY, MAU) == "9,223,372,036,854,775,807"


def test_a_change_can_be_written_with_its_sign() -> None:
    assert format_quantity(50_000, MAU, signed=True) == "+50,000"
    assert format_quantity(0, MAU, signed=True) == "0"
    assert format_exact(-GB, STORAGE, signed=True) == "−1 GB"


@pytest.mark.parametrize(
    ("quantity", "exact", "base"),
    [
        (112_400_000_001, "112.400000001 GB", "112,400,000,001 bytes"),
        (1_180 * GB, "1,180 GB", "1,180,000,000,000 bytes"),
        (MAX_QUANTITY, "9,223,372,036.854775807 GB", "9,223,372,036,854,775,807 bytes"),
        (-1, "−0.000000001 GB", "−1 bytes"),
    ],
)
def test_hovering_shows_every_digit(quantity: int, exact: str, base: str) -> None:
    assert format_exact(quantity, STORAGE) == exact
    assert format_base(quantity, STORAGE) == base


def test_a_unit_that_is_no_power_of_ten_is_said_in_itself_everywhere() -> None:
    """Pages, sentences, mails and products at Stripe: nobody reads minutes here and seconds there."""
    assert [format_quantity(each, HOURS) for each in (5400, 3600, 5, -5)] == ["1.5 h", "1 h", "0.001 h", "−0.001 h"]
    assert [format_exact(each, HOURS) for each in (5400, 3600, 5)] == ["1.5 h", "1 h", "0.001388889 h"]
    assert [format_size(each, HOURS) for each in (5400, 3600, 36_000_000)] == ["1.5 h", "1 h", "10,000 h"]
    assert format_allowance(5400, HOURS) == "1.5 h"
    assert in_display_units(1200, HOURS) == Decimal("0.333333333")
    assert in_display_units(5400, HOURS) == Decimal("1.5")


@pytest.mark.parametrize("unit", ["GiB", "GB"])
def test_units_of_1024_have_no_larger_ones_of_a_thousand(unit: str) -> None:
    binary = metric_of(name="Storage", unit="bytes", display_unit=unit, factor=2**30)
    assert format_quantity(1500 * 2**30, binary) == f"1,500 {unit}"
    assert format_size(2000 * 2**30, binary) == f"2,000 {unit}"
    assert format_quantity(2**20, binary) == f"0.001 {unit}"
    assert format_exact(2**20, binary) == f"0.0009765625 {unit}"


@given(st.integers(-MAX_QUANTITY, MAX_QUANTITY), st.integers(2, 10**6), st.sampled_from(["h", "GB", "kB", "GiB"]))
def test_something_is_never_said_as_nothing(quantity: int, factor: int, unit: str) -> None:
    other = metric_of(name="Other", unit="parts", display_unit=unit, factor=factor)
    for text in (format_quantity(quantity, other), format_exact(quantity, other), format_size(quantity, other)):
        assert (quantity == 0) == (not any(digit in "123456789" for digit in text)), text


@pytest.mark.parametrize(
    ("quantity", "written"),
    [(50 * GB, "50 GB"), (1000 * GB, "1 TB"), (5000 * GB, "5 TB"), (1500 * GB, "1,500 GB"), (0, "0 GB")],
)
def test_a_quantity_that_somebody_chose_is_exact_and_short(quantity: int, written: str) -> None:
    assert format_size(quantity, STORAGE) == written
    assert format_allowance(quantity, STORAGE) == written


def test_an_allowance_without_limit_says_so() -> None:
    assert format_allowance(None, STORAGE) == "unlimited"
    assert format_allowance(25_000, MAU) == "25,000"


def test_a_pack_says_what_it_holds() -> None:
    catalog = small_catalog(packs=[pack("a", quantity=50_000), pack("b", metric="storage", quantity=5000 * GB)])
    assert format_pack(catalog.pack("a"), MAU) == "50,000 MAU"
    assert format_pack(catalog.pack("b"), STORAGE) == "5 TB of storage"


def test_prices_are_quoted_per_what_people_count_in() -> None:
    assert format_price_unit(MAU) == "per 1,000"
    assert format_price_unit(STORAGE) == "per GB"
    assert format_price_unit(metric_of()) == "each"


@given(st.integers(-MAX_QUANTITY, MAX_QUANTITY))
def test_the_exact_form_can_be_read_back(quantity: int) -> None:
    written = format_exact(quantity, STORAGE).removesuffix(" GB").replace(",", "").replace("−", "-")
    assert Decimal(written) * GB == quantity
    assert in_display_units(quantity, STORAGE) * GB == quantity


@given(st.integers(-MAX_QUANTITY, MAX_QUANTITY))
def test_the_rounded_form_is_off_by_at_most_five_percent_and_has_the_right_sign(quantity: int) -> None:
    figure = reading(quantity, STORAGE)
    power = 1000 ** DECIMAL_PREFIXES.index(figure.unit)
    shown = int(figure.amount * 100) * power
    assert 20 * abs(shown - 100 * quantity) <= 100 * abs(quantity)
    assert (figure.amount > 0) == (quantity > 0) and (figure.amount < 0) == (quantity < 0)


@given(st.integers(0, MAX_QUANTITY), st.sampled_from([1, 7, 60, 1000, 1024, 3600, 86_400, 10**9, 2**30]))
def test_what_a_field_shows_is_read_as_what_it_stands_for(quantity: int, factor: int) -> None:
    """Also where no decimal number says it: an unchanged dialog was refused for its own threshold of 100 seconds."""
    measured = metric_of(name="Compute", unit="seconds", display_unit="min", factor=factor)
    shown_as = in_display_units(quantity, measured)
    assert counted(shown_as, factor) == quantity
    assert quantity_in(in_field(quantity, measured), measured) == quantity
    spec = Spec(Kind.NUMBER, factor=factor)
    assert typed(as_text(quantity, spec), spec) == quantity


@pytest.mark.parametrize("amount", ["0.5000001", "1.66", "1.6666666", "0.0000000001"])
def test_what_is_finer_than_what_is_counted_is_refused(amount: str) -> None:
    assert counted(Decimal(amount), 60) is None
