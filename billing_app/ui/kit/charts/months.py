"""Use by month: covered by the plan, by credits, by nobody, and what the plan includes as a line."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from billing_app.ui.kit.charts.base import Drawing, hatch
from billing_app.ui.kit.charts.palette import Hues, hues, palette

COLUMNS = (
    "label",
    "covered",
    "burned",
    "uncovered",
    "ahead",
    "allowance",
    "allowance_label",
    "hover",
    "note",
)
"""Of the frame, one row a month: heights in the axis's unit; `ahead` is what the pace adds until the month ends;
`allowance` is missing where it is unlimited; `allowance_label` names the line where it steps; `note` stands over the
last bar."""

BAR = 0.62
"""A bar's part of its month's width ..."""

FULL = 8
"""... from so many months on; fewer would be blocks rather than bars, and get narrower ones."""

PRESSED = 4
"""A line more than so many times above the highest bar would press the bars flat: it is left out."""

NAMED_MONTHS = 3
"""How many months a plan's name beside its line reaches over."""


def bar_width(months: int) -> float:
    """The part of a month's width that its bar takes."""
    return BAR * min(1.0, months / FULL)


def line_fits(frame: pd.DataFrame) -> bool:
    """Whether what is included can be drawn without pressing the bars flat."""
    heights, line = _heights(frame).max() if len(frame) else 0, frame["allowance"].max() if len(frame) else None
    return line is None or pd.isna(line) or heights == 0 or bool(line <= PRESSED * heights)


def _heights(frame: pd.DataFrame) -> pd.Series:
    return frame[["covered", "burned", "uncovered", "ahead"]].sum(axis=1)


def months_figure(
    frame: pd.DataFrame, hue: str, *, dark: bool = False, chosen: int | None = None, shared: bool = False
) -> go.Figure:
    """The chart of `frame` (see COLUMNS); `chosen` is the row that is marked with a band.

    `shared`: "covered" is the organization's own part, and "burned" what others used, which is grey.
    """
    drawing, count = Drawing(palette(dark=dark)), len(frame)
    drawing.layout(barmode="stack", bargap=1 - bar_width(count), barcornerradius=2)
    if chosen is not None and 0 <= chosen < count:
        band = {"fillcolor": drawing.colours.band, "line": {"width": 0}, "layer": "below"}
        drawing.shape(type="rect", x0=chosen - 0.5, x1=chosen + 0.5, y0=0, y1=1, yref="paper", **band)
    _bars(drawing, frame, hues(hue, dark=dark), drawing.colours.zero if shared else "")
    _allowance(drawing, frame)
    places = list(range(count))
    drawing.hover(places, list(frame[["covered", "burned", "uncovered"]].sum(axis=1)), list(frame["hover"]))
    drawing.scale_y(_top(frame), headroom=1.12 if (frame["note"] != "").any() else 1.06)
    _note(drawing, frame, banded=chosen == count - 1)
    if any("<br>" in label for label in frame["label"]):
        drawing.layout(margin={"l": 44, "r": 12, "t": 8, "b": 40})
    drawing.name_x(-0.6, count - 0.4, places, list(frame["label"]))
    return drawing.figure()


def _bars(drawing: Drawing, frame: pd.DataFrame, metric: Hues, others: str) -> None:
    colours = drawing.colours
    outline = {"color": "rgba(0,0,0,0)", "line": {"color": colours.quiet, "width": 1}}
    for name, marker in (
        ("covered", {"color": metric.plan, "line": {"width": 0}}),
        ("burned", {"color": others or metric.credits, "line": {"width": 0}}),
        ("uncovered", hatch(colours, 6)),
        ("ahead", outline),
    ):
        heights = [value if value > 0 else None for value in frame[name]]
        if any(value is not None for value in heights):
            drawing.bars(list(range(len(frame))), heights, marker, name, hoverinfo="skip")


def _allowance(drawing: Drawing, frame: pd.DataFrame) -> None:
    """The line of what is included: over the full width of each month, upright where it steps."""
    x: list[float | None] = []
    y: list[float | None] = []
    for place, height in enumerate(frame["allowance"]):
        missing = pd.isna(height)
        x += [place - 0.5, place + 0.5]
        y += [None, None] if missing else [height, height]
    if any(value is not None for value in y):
        drawing.line(x, y, {"color": drawing.colours.text, "width": 1.5}, "allowance", hoverinfo="skip")
    for place, text in enumerate(frame["allowance_label"]):
        where = name_place(frame, place) if text else None
        if where is not None:
            line = float(frame["allowance"].iloc[place])
            drawing.note(text, where - 0.45, line, drawing.colours.quiet, weight=place / len(frame), yshift=1)


def name_place(frame: pd.DataFrame, step: int) -> int | None:
    """Where the name of the line that begins at `step` stands above it and over no bar; None where there is no room."""
    later = [place for place in range(step + 1, len(frame)) if frame["allowance_label"].iloc[place]]
    end, line, heights = (later[0] if later else len(frame)), frame["allowance"].iloc[step], _heights(frame)
    free = [bool(heights.iloc[place] <= line) for place in range(len(frame))]
    return next((place for place in range(step, end) if all(free[place : place + NAMED_MONTHS])), None)


def line_named(frame: pd.DataFrame) -> bool:
    """Whether the drawing names the line as it runs now."""
    steps = [place for place, text in enumerate(frame["allowance_label"]) if text]
    return bool(steps) and name_place(frame, steps[-1]) is not None


def _top(frame: pd.DataFrame) -> float:
    heights = float(_heights(frame).max()) if len(frame) else 0.0
    line = frame["allowance"].max() if len(frame) else 0
    return max(heights, 0.0 if pd.isna(line) or not line_fits(frame) else float(line))


def _note(drawing: Drawing, frame: pd.DataFrame, *, banded: bool) -> None:
    """Words at the running month: left of its top where there is room, else above it and its neighbours."""
    if frame.empty or not frame["note"].iloc[-1]:
        return
    text, last, half = frame["note"].iloc[-1], len(frame) - 1, bar_width(len(frame)) / 2
    heights, quiet = _heights(frame), drawing.colours.quiet
    top = float(heights.iloc[-1])
    neighbours = heights.iloc[max(0, last - 4) : last]
    lines = frame["allowance"].iloc[max(0, last - 4) : last].dropna()
    near_line = bool(((lines - top).abs() < 0.08 * heights.max()).any())
    if bool((neighbours > top * 0.92).any()) or near_line or bool(frame["ahead"].iloc[-1] <= 0):
        above = max([top, *neighbours, *(lines if near_line and line_fits(frame) else ())])
        drawing.note(text, last + half, above, quiet, weight=2, xanchor="right", yshift=3)
    else:
        edge = last - (0.5 if banded else half)
        drawing.note(text, edge, top, quiet, weight=2, xanchor="right", yanchor="middle", xshift=-8)
