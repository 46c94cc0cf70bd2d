"""Use by month: covered by the plan, by credits, by nobody, and what the plan includes as a line."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from billing_app.ui.charts.base import blank, note, scale_y
from billing_app.ui.charts.palette import Hues, Palette, hues, palette

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

BAR_GAP = 0.38
HALF_BAR = (1 - BAR_GAP) / 2


def months_figure(frame: pd.DataFrame, hue: str, *, dark: bool = False, chosen: int | None = None) -> go.Figure:
    """The chart of `frame` (see COLUMNS); `chosen` is the row that is marked with a band."""
    colours, metric = palette(dark=dark), hues(hue, dark=dark)
    figure = blank(colours)
    figure.update_layout(barmode="stack", bargap=BAR_GAP, barcornerradius=2)
    if chosen is not None and 0 <= chosen < len(frame):
        figure.add_shape(
            type="rect",
            x0=chosen - 0.5,
            x1=chosen + 0.5,
            y0=0,
            y1=1,
            yref="paper",
            layer="below",
            fillcolor=colours.band,
            line_width=0,
        )
    _bars(figure, frame, metric, colours)
    _allowance(figure, frame, colours)
    _hover(figure, frame)
    top = _top(frame)
    scale_y(figure, top, headroom=1.1 if (frame["note"] != "").any() else 1.06)
    _note(figure, frame, colours, banded=chosen == len(frame) - 1)
    figure.update_xaxes(
        range=[-0.6, len(frame) - 0.4],
        tickmode="array",
        tickvals=list(range(len(frame))),
        ticktext=list(frame["label"]),
    )
    return figure


def _bars(figure: go.Figure, frame: pd.DataFrame, metric: Hues, colours: Palette) -> None:
    places = list(range(len(frame)))
    hatch = {
        "color": "rgba(0,0,0,0)",
        "pattern": {"shape": "/", "fgcolor": colours.red, "size": 6, "solidity": 0.35},
        "line": {"color": colours.red, "width": 1},
    }
    outline = {"color": "rgba(0,0,0,0)", "line": {"color": colours.quiet, "width": 1}}
    for name, marker in (
        ("covered", {"color": metric.plan, "line": {"width": 0}}),
        ("burned", {"color": metric.credits, "line": {"width": 0}}),
        ("uncovered", hatch),
        ("ahead", outline),
    ):
        heights = [value if value > 0 else None for value in frame[name]]
        if any(value is not None for value in heights):
            figure.add_bar(x=places, y=heights, marker=marker, hoverinfo="skip", name=name)


def _allowance(figure: go.Figure, frame: pd.DataFrame, colours: Palette) -> None:
    """The line of what is included: over the full width of each month, upright where it steps."""
    x: list[float | None] = []
    y: list[float | None] = []
    for place, height in enumerate(frame["allowance"]):
        missing = pd.isna(height)
        x += [place - 0.5, place + 0.5]
        y += [None, None] if missing else [height, height]
    if any(value is not None for value in y):
        figure.add_scatter(
            x=x, y=y, mode="lines", line={"color": colours.text, "width": 1.5}, hoverinfo="skip", name="allowance"
        )
    for place, text in enumerate(frame["allowance_label"]):
        if text:
            note(
                figure,
                text,
                place - 0.45,
                frame["allowance"].iloc[place],
                colours.quiet,
                yshift=1,
                bgcolor=colours.panel,
            )


def _hover(figure: go.Figure, frame: pd.DataFrame) -> None:
    """One invisible mark a month carries the exact figures, and takes the click."""
    figure.add_scatter(
        x=list(range(len(frame))),
        y=list(frame[["covered", "burned", "uncovered"]].sum(axis=1)),
        mode="markers",
        marker={"opacity": 0, "size": 1},
        customdata=list(frame["hover"]),
        hovertemplate="%{customdata}<extra></extra>",
        name="hover",
    )


def _top(frame: pd.DataFrame) -> float:
    heights = frame[["covered", "burned", "uncovered", "ahead"]].sum(axis=1).max() if len(frame) else 0
    line = frame["allowance"].max() if len(frame) else 0
    line = 0 if pd.isna(line) else float(line)
    # A line far above the bars would press them flat: it is drawn only while they keep a quarter of the height.
    return max(float(heights), line if line <= 4 * float(heights) or heights == 0 else 0)


def _note(figure: go.Figure, frame: pd.DataFrame, colours: Palette, *, banded: bool) -> None:
    """Words at the running month: left of its top where there is room, else above it."""
    if frame.empty or not frame["note"].iloc[-1]:
        return
    last = len(frame) - 1
    heights = frame[["covered", "burned", "uncovered", "ahead"]].sum(axis=1)
    top = float(heights.iloc[-1])
    neighbours = heights.iloc[max(0, last - 4) : last]
    lines = frame["allowance"].iloc[max(0, last - 4) : last].dropna()
    crowded = bool((neighbours > top * 0.92).any() or ((lines - top).abs() < 0.08 * heights.max()).any())
    if crowded or bool(frame["ahead"].iloc[-1] <= 0):
        note(figure, frame["note"].iloc[-1], last + HALF_BAR, top, colours.quiet, xanchor="right", yshift=3)
    else:
        edge = last - (0.5 if banded else HALF_BAR)
        note(figure, frame["note"].iloc[-1], edge, top, colours.quiet, xanchor="right", yanchor="middle", xshift=-8)
