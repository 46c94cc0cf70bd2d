"""The days of a period as a frame, as the chart on screen, and as a table."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.credits.facts import Aggregation
from billing_app.services.usage.views import DayAnswer, DaysView
from billing_app.ui.kit.charts.base import Scale, scale_for
from billing_app.ui.kit.charts.days import COLUMNS, days_figure
from billing_app.ui.kit.formats import Formats, is_calendar_month, month_in_words, plain_day
from billing_app.ui.kit.records import Chart, Table, both, chart_caption
from billing_app.ui.usage.months import DEFICIT, UNCOVERED

EVERY = 5
"""Every fifth day of the axis is named."""


def days_chart(view: DaysView, formats: Formats) -> Chart:
    """The chart on screen."""
    metric = view.metric
    scale = scale_for(metric, max((one.quantity for one in view.days), default=0))
    frame = days_frame(view, scale, formats)
    count, labels, reached = _length(view), _labels(view), _reached(view, formats)
    return Chart(
        both(lambda dark: days_figure(frame, str(metric.hue), count, labels, reached=reached, dark=dark)),
        title=f"{month_in_words(view.period)} by day",
        caption=_caption(metric, scale),
        alt=_alt(view, formats),
        table=days_table(view, formats),
    )


def days_frame(view: DaysView, scale: Scale, formats: Formats) -> pd.DataFrame:
    """One row a day, as the chart wants it."""
    rows = [
        {
            "day": place,
            "covered": scale.height(one.covered),
            "burned": scale.height(one.burned),
            "uncovered": scale.height(one.unpaid),
            "hover": _hover(one, view, formats),
        }
        for place, one in enumerate(view.days, start=1)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def days_table(view: DaysView, formats: Formats) -> Table:
    """The numbers of the chart."""
    metric = view.metric
    return Table(
        caption=f"{metric.name} by day",
        heads=["Day", "Used", "By plan", "By credits", _unpaid(view)],
        rows=[
            [
                plain_day(one.start),
                *(
                    formats.quantity(metric, figure) if figure else "0"
                    for figure in (one.quantity, one.covered, one.burned, one.unpaid)
                ),
            ]
            for one in reversed(view.days)
        ],
    )


def days_note(view: DaysView) -> str:
    """How a day is counted, and that the last one is not over."""
    metric = view.metric
    words = ""
    if metric.aggregation is Aggregation.UNIQUE:
        thing = metric.caption.removeprefix("unique ").removesuffix("s") or "subject"
        words = f"A {thing} counts once a month, on its first day."
    elif metric.aggregation in (Aggregation.LEVEL, Aggregation.MAX):
        words = "The highest level of each day."
    if view.running and view.days:
        words += f" {plain_day(view.days[-1].start)} is not over."
    return words.strip()


def _caption(metric: Metric, scale: Scale) -> str:
    if metric.aggregation is Aggregation.UNIQUE:
        return "new " + metric.caption.removeprefix("unique ")
    return chart_caption(metric, scale.unit)


def _length(view: DaysView) -> int:
    return max(round((view.period.end - view.period.start) / timedelta(days=1)), 1)


def _labels(view: DaysView) -> dict[int, str]:
    """Days by their number in a calendar month; by date where the month turns inside the period."""
    count = _length(view)
    if is_calendar_month(view.period):
        return {day: str(day) for day in (1, *range(EVERY, count + 1, EVERY))}
    return {day: plain_day(view.period.start + timedelta(days=day - 1)) for day in range(3, count + 1, EVERY + 2)}


def _reached(view: DaysView, formats: Formats) -> tuple[int, str] | None:
    if view.reached_at is None or not view.allowance:
        return None
    day = (view.reached_at - view.period.start) // timedelta(days=1) + 1
    after = "credits from here" if any(one.burned for one in view.days) else "nothing paid from here"
    return day, f"{formats.size(view.metric, view.allowance)} reached, {after}"


def _unpaid(view: DaysView) -> str:
    return DEFICIT if view.running else UNCOVERED


def _hover(one: DayAnswer, view: DaysView, formats: Formats) -> str:
    metric = view.metric
    lines = [f"<b>{plain_day(one.start)}</b>", formats.quantity(metric, one.quantity)]
    if one.burned and one.covered:
        lines.append(f"{formats.quantity(metric, one.covered)} by plan")
    if one.burned:
        lines.append(f"{formats.quantity(metric, one.burned)} by credits")
    if one.unpaid:
        lines.append(f"{formats.quantity(metric, one.unpaid)} {_unpaid(view).lower()}")
    return "<br>".join(lines)


def _alt(view: DaysView, formats: Formats) -> str:
    if not view.days:
        return f"No use of {view.metric.name} in this period."
    highest = max(view.days, key=lambda one: one.quantity)
    text = (
        f"Bar chart of {view.metric.name} over {len(view.days)} days. Highest: "
        f"{formats.quantity(view.metric, highest.quantity)} on {plain_day(highest.start)}."
    )
    if view.reached_at is not None and view.allowance:
        included = formats.size(view.metric, view.allowance)
        text += f" The plan's {included} were used up on {plain_day(view.reached_at)}."
    return text + " The numbers are in the table below it."
