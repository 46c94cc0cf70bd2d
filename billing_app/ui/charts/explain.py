"""A balance as a sum: hollow bars were granted, solid ones burned, the dark one is what is left."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from billing_app.ui.charts.base import blank, note, scale_y
from billing_app.ui.charts.palette import hues, palette

COLUMNS = ("label", "base", "height", "kind", "text", "hover")
"""Of the frame, one row a step, the last one what is left: `base` and `height` in the axis's unit, `kind` is "granted",
"burned" or "left", `text` stands over the bar."""

GAP = 0.32


def explain_figure(frame: pd.DataFrame, hue: str, *, dark: bool = False) -> go.Figure:
    """The chart of `frame` (see COLUMNS)."""
    colours, metric = palette(dark=dark), hues(hue, dark=dark)
    figure = blank(colours)
    figure.update_layout(bargap=GAP, barcornerradius=2, barmode="overlay")
    looks = {
        "granted": {"color": metric.fill, "line": {"color": metric.credits, "width": 1.5}},
        "burned": {"color": metric.credits, "line": {"color": metric.credits, "width": 1}},
        "left": {"color": colours.text, "line": {"width": 0}},
    }
    tops = frame["base"] + frame["height"]
    top = float(tops.max()) if len(frame) else 0.0
    thin = top * 0.004
    for kind, marker in looks.items():
        rows = frame[frame["kind"] == kind]
        if not rows.empty:
            figure.add_bar(
                x=list(rows.index), y=[max(height, thin) for height in rows["height"]], base=list(rows["base"]),
                width=1 - GAP, marker=marker, customdata=list(rows["hover"]), name=kind,
                hovertemplate="%{customdata}<extra></extra>",
            )  # fmt: skip
    _connections(figure, frame, colours.zero)
    for place, text in enumerate(frame["text"]):
        strong = frame["kind"].iloc[place] == "left"
        words = f"<b>{text}</b>" if strong else text
        colour = colours.text if strong else colours.quiet
        note(figure, words, place, float(tops.iloc[place]), colour, xanchor="center", yshift=2)
    scale_y(figure, top, headroom=1.12)
    places = list(range(len(frame)))
    figure.update_xaxes(
        range=[-0.6, len(frame) - 0.4], tickmode="array", tickvals=places, ticktext=list(frame["label"])
    )
    figure.update_layout(hovermode="closest")
    return figure


def _connections(figure: go.Figure, frame: pd.DataFrame, colour: str) -> None:
    """A thin line from where one bar ends to where the next begins: the running balance."""
    half = (1 - GAP) / 2
    for place in range(len(frame) - 1):
        row = frame.iloc[place]
        height = row["base"] + row["height"] if row["kind"] == "granted" else row["base"]
        figure.add_shape(
            type="line", x0=place + half, x1=place + 1 - half, y0=height, y1=height,
            line={"color": colour, "width": 1}, layer="below",
        )  # fmt: skip
