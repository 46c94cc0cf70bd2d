"""Months of an organization that another pays for: its own part of each, beside what all others together used."""

from __future__ import annotations

import pandas as pd

from billing_app.domain.catalogue.model import Metric
from billing_app.services.usage.views import MonthView
from billing_app.ui.kit.chart_text import Chart, both
from billing_app.ui.kit.charts.months import months_figure
from billing_app.ui.kit.formats import Formats, month, month_with_year
from billing_app.ui.kit.records import Table, chart_caption
from billing_app.ui.usage.months import included_line, months_frame, months_scale

HEADS = ["Month", "This organization", "All together", "Included"]


def share_text(used: int, whole: int) -> str:
    """ "12% of all", with a word for what rounds to nothing."""
    if not used or not whole:
        return "none of it"
    percent = 100 * used / whole
    return "under 1% of all" if percent < 1 else f"{percent:.0f}% of all"


def own_frame(months: tuple[MonthView, ...], metric: Metric, formats: Formats) -> pd.DataFrame:
    """The frame of the months chart: its own part below, what others used above it."""
    frame, scale = months_frame(months, metric, formats), months_scale(months, metric)
    frame["covered"] = [scale.height(one.own or 0) for one in months]
    frame["burned"] = [scale.height(one.used - (one.own or 0)) for one in months]
    frame["uncovered"] = 0.0
    frame["hover"] = [_hover(one, metric, formats) for one in months]
    return frame


def own_chart(months: tuple[MonthView, ...], metric: Metric, formats: Formats, chosen: int | None = None) -> Chart:
    """The chart on screen; `chosen` is a place in `months`."""
    frame = own_frame(months, metric, formats)
    return Chart(
        both(lambda dark: months_figure(frame, str(metric.hue), dark=dark, chosen=chosen, shared=True)),
        title=f"{metric.name} by month",
        caption=chart_caption(metric, months_scale(months, metric).unit),
        alt=_alt(months, metric, formats),
        included=included_line(months, metric, frame, formats),
        shared=True,
        table=Table(
            caption=f"{metric.name} by month",
            heads=HEADS,
            rows=[own_cells(one, metric, formats) for one in reversed(months)],
        ),
    )


def own_cells(one: MonthView, metric: Metric, formats: Formats) -> list[str]:
    """One month's row."""
    return [
        f"{month(one.period)} so far" if one.running else month_with_year(one.period),
        formats.quantity(metric, one.own or 0),
        formats.quantity(metric, one.used),
        "unlimited" if one.allowance is None else formats.size(metric, one.allowance),
    ]


def _hover(one: MonthView, metric: Metric, formats: Formats) -> str:
    name = f"{month_with_year(one.period)}{' so far' if one.running else ''}"
    lines = [
        f"<b>{name}</b>",
        f"{formats.quantity(metric, one.own or 0)} by this organization",
        f"{formats.quantity(metric, one.used)} all together",
    ]
    if one.unpaid:
        lines.append(f"{formats.quantity(metric, one.unpaid)} {'deficit' if one.deficit else 'uncovered'}")
    return "<br>".join(lines)


def _alt(months: tuple[MonthView, ...], metric: Metric, formats: Formats) -> str:
    if not months:
        return f"No use of {metric.name} yet."
    last = months[-1]
    return (
        f"Bar chart of {metric.name} over {len(months)} months. {month_with_year(last.period)} so far: "
        f"{formats.quantity(metric, last.own or 0)} by this organization, {formats.quantity(metric, last.used)} by all "
        "that the same plan pays for. The numbers are in the table."
    )
