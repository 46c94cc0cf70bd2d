"""Months as a frame for the chart, as a table, and as the chart; where another pays, the own part of each."""

from __future__ import annotations

import pandas as pd

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.common.periods import Period
from billing_app.services.usage.views import MonthView
from billing_app.ui.kit.charts.base import Scale, scale_for
from billing_app.ui.kit.charts.months import COLUMNS, line_fits, line_named, months_figure
from billing_app.ui.kit.formats import Formats, clock, is_calendar_month, last_day, month, month_with_year, plain_day
from billing_app.ui.kit.records import Chart, Table, both, chart_caption

MOST_LONG_NAMES = 7

UNCOVERED, DEFICIT = "Uncovered", "Deficit"
"""What nobody paid of months that have ended, and of the running one so far."""


def months_scale(months: tuple[MonthView, ...], metric: Metric) -> Scale:
    """The axis of these months."""
    largest = max((max(one.used, one.projected or 0, one.allowance or 0) for one in months), default=0)
    used = max((max(one.used, one.projected or 0) for one in months), default=0)
    return scale_for(metric, used or largest)


def months_frame(months: tuple[MonthView, ...], metric: Metric, formats: Formats) -> pd.DataFrame:
    """One row a month, as the chart wants it."""
    scale = months_scale(months, metric)
    rows = []
    for place, one in enumerate(months):
        before = months[place - 1] if place else None
        steps = before is None or (before.allowance, before.plan_name) != (one.allowance, one.plan_name)
        included = one.allowance if one.allowance is None else formats.size(metric, one.allowance)
        rows.append(
            {
                "label": axis_label(one.period, first=place == 0) if _is_named(place, months) else "",
                "covered": scale.height(one.covered),
                "burned": scale.height(one.burned),
                "uncovered": scale.height(one.unpaid),
                "ahead": scale.height(max((one.projected or 0) - one.used, 0)),
                "allowance": None if one.allowance is None else scale.height(one.allowance),
                "allowance_label": f"{one.plan_name}, {included}" if steps and one.allowance else "",
                "hover": _hover(one, metric, formats),
                "note": _note(one, metric, formats),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"allowance": "float64"})


def _is_named(place: int, months: tuple[MonthView, ...]) -> bool:
    """Names of periods that are not calendar months are long: of many, every second one is named."""
    many = len(months) > MOST_LONG_NAMES and not is_calendar_month(months[place].period)
    return not many or (len(months) - 1 - place) % 2 == 0


def axis_label(period: Period, *, first: bool) -> str:
    """ "Nov 24" at the left end and in January, else "Dec"; two lines where periods are not calendar months."""
    if not is_calendar_month(period):
        return f"{plain_day(period.start)} \N{EN DASH}<br>{plain_day(last_day(period.end))}"
    return f"{period.start:%b %y}" if first or period.start.month == 1 else f"{period.start:%b}"


def months_table(months: tuple[MonthView, ...], metric: Metric, formats: Formats) -> Table:
    """The numbers of the chart, the newest first."""
    return Table(
        caption=f"{metric.name} by month",
        heads=["Month", "Used", "Included", "By plan", "By credits", *unpaid_heads(months)],
        rows=[month_cells(one, months, metric, formats) for one in reversed(months)],
    )


def unpaid_heads(months: tuple[MonthView, ...]) -> list[str]:
    """What nobody paid has a name while its month runs and another once it has ended (fine point 10)."""
    deficit = any(one.deficit for one in months)
    return [UNCOVERED] * (not deficit or any(one.uncovered for one in months)) + [DEFICIT] * deficit


def unpaid_figures(one: MonthView, months: tuple[MonthView, ...]) -> list[int]:
    """One month's figures under `unpaid_heads`."""
    return [one.deficit if head == DEFICIT else one.uncovered for head in unpaid_heads(months)]


def month_cells(one: MonthView, months: tuple[MonthView, ...], metric: Metric, formats: Formats) -> list[str]:
    """The row of one of the months."""
    name = f"{month(one.period)} so far" if one.running else month_with_year(one.period)
    figures = (one.covered, one.burned, *unpaid_figures(one, months))
    return [
        name,
        formats.quantity(metric, one.used),
        "unlimited" if one.allowance is None else formats.size(metric, one.allowance),
        *(formats.quantity(metric, figure) if figure else "0" for figure in figures),
    ]


def months_chart(months: tuple[MonthView, ...], metric: Metric, formats: Formats, chosen: int | None = None) -> Chart:
    """The chart on screen; `chosen` is a place in `months`."""
    frame = months_frame(months, metric, formats)
    scale = months_scale(months, metric)
    return Chart(
        both(lambda dark: months_figure(frame, str(metric.hue), dark=dark, chosen=chosen)),
        title=f"{metric.name} by month",
        caption=chart_caption(metric, scale.unit),
        alt=_alt(months, metric, formats),
        unpaid=" or ".join(unpaid_heads(months)).capitalize(),
        included=included_line(months, metric, frame, formats),
        table=months_table(months, metric, formats),
    )


def included_line(months: tuple[MonthView, ...], metric: Metric, frame: pd.DataFrame, formats: Formats) -> str:
    """What the legend says of the line; where the drawing has no room for the line or its name, it is said in words."""
    highest = max((one.allowance or 0 for one in months), default=0)
    if not highest:
        return ""
    size = formats.size(metric, highest)
    if not line_fits(frame):
        return f"Included in plan: {size}, far above what is drawn"
    now = months[-1].allowance
    return "Included in plan" if line_named(frame) or not now else f"Included in plan: {formats.size(metric, now)}"


def _hover(one: MonthView, metric: Metric, formats: Formats) -> str:
    lines = [
        f"<b>{month_with_year(one.period)}{' so far' if one.running else ''}</b>",
        f"{formats.quantity(metric, one.used)} used",
        f"{formats.quantity(metric, one.covered)} by plan",
    ]
    if one.burned:
        lines.append(f"{formats.quantity(metric, one.burned)} by credits")
    if one.unpaid:
        lines.append(f"{formats.quantity(metric, one.unpaid)} {'deficit' if one.deficit else 'uncovered'}")
    if one.projected and one.projected > one.used:
        lines.append(f"{formats.quantity(metric, one.projected)} at its end, at this pace")
    return "<br>".join(lines)


def _note(one: MonthView, metric: Metric, formats: Formats) -> str:
    if one.used_up_at is not None:
        return f"used up {plain_day(one.used_up_at)}, {clock(one.used_up_at)}"
    if one.running and one.projected and one.projected > one.used:
        return f"{formats.short(metric, one.projected)} by {plain_day(last_day(one.period.end))} at this pace"
    return ""


def _alt(months: tuple[MonthView, ...], metric: Metric, formats: Formats) -> str:
    if not months:
        return f"No use of {metric.name} yet."
    last, highest = months[-1], max(months, key=lambda one: one.used)
    text = (
        f"Bar chart of {metric.name} over {len(months)} months. {month_with_year(last.period)}"
        f"{' so far' if last.running else ''}: {formats.quantity(metric, last.used)}, of which "
        f"{formats.quantity(metric, last.covered)} by the plan and {formats.quantity(metric, last.burned)} by credits. "
        f"Highest: {formats.quantity(metric, highest.used)} in {month_with_year(highest.period)}."
    )
    unpaid = [month_with_year(one.period) for one in months if one.uncovered]
    if unpaid:
        text += f" Uncovered in {', '.join(unpaid)}."
    if last.deficit:
        text += f" Deficit so far: {formats.quantity(metric, last.deficit)}."
    return text + " The numbers are in the table."


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
    frame["hover"] = [_own_hover(one, metric, formats) for one in months]
    return frame


def own_chart(months: tuple[MonthView, ...], metric: Metric, formats: Formats, chosen: int | None = None) -> Chart:
    """The chart on screen; `chosen` is a place in `months`."""
    frame = own_frame(months, metric, formats)
    return Chart(
        both(lambda dark: months_figure(frame, str(metric.hue), dark=dark, chosen=chosen, shared=True)),
        title=f"{metric.name} by month",
        caption=chart_caption(metric, months_scale(months, metric).unit),
        alt=_own_alt(months, metric, formats),
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


def _own_hover(one: MonthView, metric: Metric, formats: Formats) -> str:
    name = f"{month_with_year(one.period)}{' so far' if one.running else ''}"
    lines = [
        f"<b>{name}</b>",
        f"{formats.quantity(metric, one.own or 0)} by this organization",
        f"{formats.quantity(metric, one.used)} all together",
    ]
    if one.unpaid:
        lines.append(f"{formats.quantity(metric, one.unpaid)} {'deficit' if one.deficit else 'uncovered'}")
    return "<br>".join(lines)


def _own_alt(months: tuple[MonthView, ...], metric: Metric, formats: Formats) -> str:
    if not months:
        return f"No use of {metric.name} yet."
    last = months[-1]
    return (
        f"Bar chart of {metric.name} over {len(months)} months. {month_with_year(last.period)} so far: "
        f"{formats.quantity(metric, last.own or 0)} by this organization, {formats.quantity(metric, last.used)} by all "
        "that the same plan pays for. The numbers are in the table."
    )
