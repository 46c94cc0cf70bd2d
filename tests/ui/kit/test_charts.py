"""Charts are pure functions: the same frame gives the same figure, and the figure says the frame's numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest
import reflex as rx

from billing_app.domain.catalogue.model import Hue
from billing_app.domain.common.periods import period_containing
from billing_app.services.credits.views import PointAnswer
from billing_app.ui.credits.explain_text import explain_screen
from billing_app.ui.kit.chart import plot
from billing_app.ui.kit.charts import base
from billing_app.ui.kit.charts.balance import Ticks, balance_figure
from billing_app.ui.kit.charts.base import scale_for
from billing_app.ui.kit.charts.days import days_figure
from billing_app.ui.kit.charts.months import bar_width, line_fits, months_figure, name_place
from billing_app.ui.kit.charts.palette import HUES, hues, palette
from billing_app.ui.kit.formats import Formats
from billing_app.ui.kit.records import Chart
from billing_app.ui.kit.timeline import points_frame, stamp, ticks
from billing_app.ui.usage.days import days_chart, days_frame
from billing_app.ui.usage.months import months_chart, months_frame
from tests.ui.records import credits as accounts
from tests.ui.records import overview as overviews
from tests.ui.records import usage as usages
from tests.ui.records.facts import BANDWIDTH, EMAILS, GB, MAU, NOW, STORAGE, at, months

FORMATS = Formats()


def traces(figure: go.Figure) -> dict[str, Any]:
    """The figure's traces by name."""
    return {trace.name: trace for trace in figure.data}


def notes(figure: go.Figure) -> list[str]:
    """The words beside the data."""
    return [note.text for note in figure.layout.annotations]


def drawn(metric=MAU, **options: Any) -> go.Figure:
    """The months of a metric."""
    return months_figure(months_frame(months(metric), metric, FORMATS), str(metric.hue), **options)


def test_months_stack_to_what_was_used() -> None:
    found = traces(drawn())
    sums = [
        sum(filter(None, column))
        for column in zip(*(found[one].y for one in ("covered", "burned", "uncovered")), strict=True)
    ]
    assert sums == [one.used for one in months(MAU)]
    assert found["ahead"].y[-1] == 64_500 - 44_290


def test_empty_segments_are_left_out_or_they_draw_a_line() -> None:
    found = traces(drawn())
    assert found["burned"].y[0] is None
    assert found["uncovered"].y[-1] is None
    assert "uncovered" not in traces(drawn(EMAILS))


def test_what_nobody_paid_is_hatched_in_red() -> None:
    marker = traces(drawn())["uncovered"].marker
    assert (marker.pattern.shape, marker.pattern.fgcolor, marker.line.color) == ("/", "#e5484d", "#e5484d")


def test_the_allowance_steps_upright_where_the_plan_changed() -> None:
    figure = drawn()
    line = traces(figure)["allowance"]
    step = line.x.index(4.5)
    assert (line.x[step], line.y[step], line.x[step + 1], line.y[step + 1]) == (4.5, 10_000, 4.5, 25_000)
    named = [text for text in notes(figure) if "," in text and "at this pace" not in text]
    assert named == ["Pro, 25,000", "Starter, 10,000"]


def test_where_there_is_no_room_the_line_is_named_by_the_legend_and_over_no_bar() -> None:
    low = tuple(replace(one, allowance=5_000, plan_name="Free") for one in months(MAU))
    frame = months_frame(low, MAU, FORMATS)
    assert name_place(frame, 0) is None
    assert not any("5,000" in text for text in notes(months_figure(frame, "blue")))
    assert months_chart(low, MAU, FORMATS).included == "Included in plan: 5,000"


def test_a_line_is_named_where_bars_leave_room_for_it() -> None:
    early = tuple(replace(one, allowance=30_000, plan_name="Pro") for one in months(MAU))
    crowded = (replace(early[0], covered=30_000, uncovered=9_000), *early[1:])
    assert name_place(months_frame(early, MAU, FORMATS), 0) == 0
    assert name_place(months_frame(crowded, MAU, FORMATS), 0) == 1
    assert months_chart(crowded, MAU, FORMATS).included == "Included in plan"


def test_the_heaviest_words_come_first_where_there_is_no_room_for_all() -> None:
    shown = explain_screen(accounts.explain("meridian", "mau", None), overviews.frame("meridian"), FORMATS)
    words = notes(go.Figure(shown.chart.pictures.light))
    assert words[:2] == ["<b>25,120</b>", "+50,000"]


def owing() -> Any:
    """The balance of MAU when 6,000 more were refunded than were left."""
    view = accounts.explain("meridian", "mau", None)
    last = view.steps[-1]
    owed = replace(last, kind="debt", quantity=-6_000, balance=-6_000, label=None, period=None)
    gone = replace(last, kind="refund", quantity=-last.balance, balance=0, label=None, period=None)
    return replace(view, left=0, debt=6_000, clawed_back=last.balance, steps=(*view.steps, gone, owed), where=())


def test_what_is_owed_is_part_of_the_sum_and_of_its_picture() -> None:
    view = owing()
    shown = explain_screen(view, overviews.frame("meridian"), FORMATS)
    assert [(one.value, one.label) for one in shown.terms][-1] == ("6,000", "owed")
    assert (shown.left, shown.owes) == ("\N{MINUS SIGN}6,000", True)
    assert view.granted - view.burned - view.clawed_back - view.debt == -6_000 == view.steps[-1].balance
    figure = go.Figure(shown.chart.pictures.light)
    bar = traces(figure)["owed"]
    assert (bar.base[0], bar.y[0], bar.marker.pattern.shape) == (-6_000, 6_000, "/")
    assert figure.layout.yaxis.range[0] < -6_000 <= figure.layout.yaxis.range[1]
    assert any(text.startswith("\N{MINUS SIGN}") for text in figure.layout.yaxis.ticktext)


def test_an_unlimited_month_has_no_line() -> None:
    unlimited = tuple(replace(one, allowance=None) for one in months(MAU))
    figure = months_figure(months_frame(unlimited, MAU, FORMATS), "blue")
    assert "allowance" not in traces(figure)


def test_a_line_far_above_does_not_press_the_bars_flat() -> None:
    high = tuple(replace(one, allowance=10_000_000) for one in months(MAU))
    frame = months_frame(high, MAU, FORMATS)
    assert not line_fits(frame)
    assert months_figure(frame, "blue").layout.yaxis.range[1] < 100_000
    assert "10,000,000" in months_chart(high, MAU, FORMATS).included


def test_the_pace_is_said_beside_the_running_month() -> None:
    assert "64.5k by 30 Nov at this pace" in notes(drawn())


def test_a_month_that_was_cut_off_says_when() -> None:
    cut = (*months(STORAGE)[:-1], replace(months(STORAGE)[-1], used_up_at=at("2025-11-21T13:52")))
    figure = months_figure(months_frame(cut, STORAGE, FORMATS), "jade")
    assert "used up 21 Nov, 13:52" in notes(figure)


def test_the_chosen_month_has_a_band() -> None:
    assert not drawn().layout.shapes
    band = drawn(chosen=3).layout.shapes[0]
    assert (band.x0, band.x1, band.layer) == (2.5, 3.5, "below")


def test_the_hover_is_exact() -> None:
    text = traces(drawn())["hover"].customdata[-1]
    assert "44,290 used" in text
    assert "19,290 by credits" in text


def test_labels_stand_upright_and_name_the_year_once() -> None:
    axis = drawn().layout.xaxis
    assert axis.tickangle == 0
    assert axis.ticktext[:4] == ("Nov 24", "Dec", "Jan 25", "Feb")


def test_periods_that_are_no_calendar_months_name_every_second() -> None:
    moved = tuple(replace(one, period=period_containing(at("2024-11-20"), one.period.start)) for one in months(MAU))
    labels = months_frame(moved, MAU, FORMATS)["label"]
    assert labels.iloc[-1] == "20 Oct –<br>19 Nov"
    assert list(labels).count("") == 6


def test_few_months_do_not_become_blocks() -> None:
    assert bar_width(1) < bar_width(3) < bar_width(13) == bar_width(8)


def test_light_and_dark_differ_only_in_colour() -> None:
    light, dark = drawn().to_plotly_json(), drawn(dark=True).to_plotly_json()
    assert light != dark
    assert [trace["y"] for trace in light["data"]] == [trace["y"] for trace in dark["data"]]


def test_no_chart_has_a_ground_or_buttons_of_its_own() -> None:
    layout = drawn().layout
    assert (layout.paper_bgcolor, layout.plot_bgcolor, layout.showlegend) == ("rgba(0,0,0,0)",) * 2 + (False,)


def test_pictures_stay_small_on_the_wire() -> None:
    assert len(str(months_chart(months(MAU), MAU, FORMATS).pictures.light)) < 8_000


def test_days_show_where_the_plan_ended() -> None:
    view = usages.usage("meridian", "mau", 13, None).days
    chart = days_chart(view, FORMATS)
    figure = go.Figure(chart.pictures.light)
    assert "25,000 reached, credits from here" in notes(figure)
    assert chart.title == "November by day"
    assert len(traces(figure)["hover"].x) == 21


def test_days_sum_to_the_month() -> None:
    view = usages.usage("meridian", "bandwidth", 13, None).days
    scale = scale_for(BANDWIDTH, max(one.quantity for one in view.days))
    frame = days_frame(view, scale, FORMATS)
    assert frame[["covered", "burned", "uncovered"]].sum(axis=1).sum() * scale.step == pytest.approx(
        sum(one.quantity for one in view.days)
    )


def test_a_month_without_use_is_an_empty_picture_and_no_error() -> None:
    view = usages.usage("fresh-start", "mau", 13, None).days
    figure = go.Figure(days_chart(view, FORMATS).pictures.light)
    assert figure.layout.yaxis.ticktext == ("0  ",)
    assert days_figure(days_frame(view, scale_for(MAU, 0), FORMATS), "blue", 30, {1: "1"}).data[-1].name == "hover"


def test_a_balance_has_its_grants_now_and_the_run_out() -> None:
    view = accounts.credits("meridian", "mau", 6)
    scale = scale_for(MAU, 50_510)
    past, ahead = (points_frame(points, MAU, scale, FORMATS) for points in (view.balance, view.ahead))
    figure = balance_figure(
        past, ahead, "blue", ticks(view.balance[0].at, NOW), stamp(at("2026-01-10")), now=stamp(NOW), run_out="14 Dec"
    )
    assert [text for text in notes(figure) if text.startswith("+")] == ["+10,000", "+50,000", "+10,000", "+10,000"]
    assert {"now", "14 Dec"} <= set(notes(figure))
    assert traces(figure)["ahead"].line.dash == "2px,3px"


def test_crowded_grants_are_named_once() -> None:
    points = [PointAnswer(at(f"2025-10-{day:02}"), 1000 + day, 10) for day in range(1, 9)]
    frame = points_frame([PointAnswer(at("2025-01-01"), 0), *points], MAU, scale_for(MAU, 1000), FORMATS)
    empty = points_frame([], MAU, scale_for(MAU, 1), FORMATS)
    figure = balance_figure(frame, empty, "blue", Ticks([], []), stamp(NOW), now=stamp(NOW))
    assert len([text for text in notes(figure) if text.startswith("+")]) < 4


def test_an_explanation_ends_at_what_is_left() -> None:
    shown = explain_screen(accounts.explain("meridian", "mau", None), overviews.frame("meridian"), FORMATS)
    figure = go.Figure(shown.chart.pictures.light)
    left = traces(figure)["left"]
    assert (left.y[0], left.base[0]) == (25_120, 0)
    assert "<b>25,120</b>" in notes(figure)
    assert len(traces(figure)["granted"].x) == 5


@pytest.mark.parametrize(
    ("top", "wanted"), [(64_500, [0, 20_000, 40_000, 60_000]), (0, [0]), (1, [0, 0.25, 0.5, 0.75, 1])]
)
def test_ticks_are_round(top: float, wanted: list[float]) -> None:
    assert base.round_ticks(top) == wanted


def test_ticks_are_few_at_any_height() -> None:
    for top in [1, 3, 7, 12, 55, 99, 101, 999, 12_345, 9e9]:
        assert 2 <= len(base.round_ticks(top)) <= 6


def test_axes_take_a_unit_that_keeps_figures_short() -> None:
    assert scale_for(STORAGE, 112 * GB).unit == "GB"
    assert scale_for(BANDWIDTH, 2000 * GB).unit == "TB"
    assert scale_for(MAU, 10**9).unit == ""


def test_every_hue_of_a_catalogue_has_its_colours() -> None:
    assert set(HUES) == {str(hue) for hue in Hue}
    assert hues("unknown", dark=False) == hues("blue", dark=False)


def luminance(colour: str) -> float:
    """Relative luminance of a hex colour (WCAG)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("hue", ["blue", "jade", "purple", "brown", "pink"])
def test_credits_stand_out_from_the_panel(hue: str, *, dark: bool) -> None:
    assert contrast(hues(hue, dark=dark).credits, palette(dark=dark).panel) >= 3.0


@pytest.mark.parametrize("dark", [False, True])
def test_words_in_charts_can_be_read(*, dark: bool) -> None:
    colours = palette(dark=dark)
    for words in (colours.quiet, colours.text, colours.amber_text):
        assert contrast(words, colours.panel) >= 4.5


def test_only_the_chart_itself_draws_anew_for_another_size() -> None:
    """With Reflex's own handler every chart was drawn twice when its page opened (assets/drawing.js)."""
    assert "useResizeHandler:false" in str(plot(rx.Var("chart").to(Chart)).render())
