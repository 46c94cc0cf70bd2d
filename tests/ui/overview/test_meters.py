"""A meter ends at the cut-off: its full width is included + burned + left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from billing_app.services.credits.views_shared import Forecast, ForecastKind, MeterState
from billing_app.services.overview.views import MeterView, NextEnd
from billing_app.ui.kit.formats import Formats, plain_day
from billing_app.ui.overview.meters_text import MeterScreen, bar_screen, meter_screen
from tests.ui.records import overview as overviews
from tests.ui.records.facts import NOW, at, period

FORMATS = Formats()
MAU_METER = overviews.meridian().meters[0]


def shown(meter: MeterView) -> MeterScreen:
    """The row of a meter."""
    return meter_screen(meter, period(NOW).end, NOW, "/o/x/usage", FORMATS)


def percent(text: str) -> float:
    """A CSS width as a number."""
    return float(text.removesuffix("%"))


def test_what_is_empty_is_what_is_left_before_something_stops() -> None:
    bar = bar_screen(MAU_METER, FORMATS)
    empty = 100 - percent(bar.plan) - percent(bar.credits)
    whole = 25_000 + 19_290 + 25_120
    assert empty == pytest.approx(100 * 25_120 / whole, abs=0.02)
    assert percent(bar.mark) == pytest.approx(100 * 25_000 / whole, abs=0.02)


def test_a_blocked_bar_is_full_and_has_a_stop_mark() -> None:
    storage = overviews.stopped().meters[0]
    bar = bar_screen(storage, FORMATS)
    assert percent(bar.plan) + percent(bar.credits) == pytest.approx(100, abs=0.02)
    assert bar.stop
    assert bar.label.endswith("Blocked.")


def test_what_nobody_paid_is_part_of_the_bar() -> None:
    meter = replace(
        overviews.stopped().meters[0], burned=100, deficit=100, left=0, allowance=200, covered=200, used=400
    )
    assert percent(bar_screen(meter, FORMATS).unpaid) == 25.0


def test_an_unlimited_bar_has_no_end_and_never_looks_full() -> None:
    forecast = Forecast(ForecastKind.UNLIMITED, period_end_use=10)
    meter = replace(MAU_METER, allowance=None, covered=MAU_METER.used, burned=0, forecast=forecast)
    row = shown(meter)
    assert row.bar.unlimited
    assert percent(row.bar.plan) < 100
    assert (row.included, row.until, row.bar.mark) == ("unlimited", "Unlimited", "")


def test_a_plan_without_any_has_no_mark() -> None:
    row = shown(replace(MAU_METER, allowance=0, covered=0))
    assert (row.bar.mark, row.included) == ("", "none included")


def test_the_soonest_end_is_said_in_amber_when_it_would_be_lost() -> None:
    soon = shown(replace(MAU_METER, next_end=NextEnd(at("2025-12-01"), 500, False, True)))
    assert (soon.left_note, soon.left_note_tone) == ("500 end 1 Dec", "soon")
    later = shown(replace(MAU_METER, next_end=NextEnd(at("2026-09-02"), 25_120, True, False)))
    assert (later.left_note, later.left_note_tone) == ("all end 2 Sep 2026", "")


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"debt": 1200}, "1,200 owed"),
        ({"held": 300}, "300 on hold"),
        ({"next_end": None}, "without an end"),
        ({"left": 0, "next_end": None, "burned": 7}, "7 burned in Nov"),
        ({"left": 0, "next_end": None, "burned": 0}, "all used up"),
        ({"left": 0, "next_end": None, "burned": 0, "ever_granted": False}, "none bought"),
    ],
)
def test_what_is_said_of_credits_left(changes: dict[str, object], note: str) -> None:
    assert shown(replace(MAU_METER, **changes)).left_note == note


@pytest.mark.parametrize(
    ("forecast", "until", "note", "tone"),
    [
        (Forecast(ForecastKind.RUNS_OUT, at("2025-12-14")), "14 Dec", "in 23 days", "soon"),
        (Forecast(ForecastKind.RUNS_OUT, at("2026-11-01"), burn_per_period=9), "1 Nov 2026", "9 a month", ""),
        (Forecast(ForecastKind.LASTS, at("2027-11-21")), "After 21 Nov 2027", "longer than looked ahead", ""),
        (Forecast(ForecastKind.PLAN_COVERS, period_end_use=20_000), "Plan covers it", "20,000 by 30 Nov", "quiet"),
        (Forecast(ForecastKind.UNKNOWN), "Not known yet", "after 3 days of use", "quiet"),
        (Forecast(ForecastKind.USED_UP, at("2025-11-21T13:52")), "Used up", "since 13:52 UTC", "blocked"),
        (Forecast(ForecastKind.USED_UP, at("2025-11-19T13:52")), "Used up", "since 19 Nov", "blocked"),
    ],
)
def test_until_when_it_lasts(forecast: Forecast, until: str, note: str, tone: str) -> None:
    row = shown(replace(MAU_METER, forecast=forecast))
    assert (row.until, row.until_note, row.until_tone) == (until, note, tone)


def within(**changes: object) -> MeterView:
    """A meter within its plan that runs out in ten days, in its running month."""
    forecast = Forecast(ForecastKind.RUNS_OUT, runs_out_at=NOW + timedelta(days=5), period_end_use=40_000)
    meter = replace(MAU_METER, state=MeterState.OK, used=20_000, covered=20_000, burned=0, forecast=forecast)
    return replace(meter, **changes)


def test_what_is_within_its_plan_and_ends_all_the_same_says_why() -> None:
    row = shown(within())
    assert (row.state, row.until_note) == ("Within plan", "use passes 25,000")
    later = replace(within().forecast, runs_out_at=NOW + timedelta(days=40), period_end_use=10_000)
    assert shown(within(forecast=later)).until_note == "in a later month"
    assert shown(within(forecast=replace(later, burn_per_period=700))).until_note == "700 a month"
    end = NOW + timedelta(days=3)
    row = meter_screen(within(), period(NOW).end, NOW, "/o/x/usage", FORMATS, plan_ends=end)
    assert row.until_note == f"the plan ends {plain_day(end)}"


def test_states_are_told_in_words_and_not_by_colour_alone() -> None:
    states = {shown(replace(MAU_METER, state=state)).state for state in MeterState}
    assert states == {"Within plan", "Using credits", "Blocked"}
