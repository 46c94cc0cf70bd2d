"""A balance as a sum: hollow bars were granted, solid ones burned, the dark one is what is left."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from billing_app.ui.kit.charts.base import HOVER, Drawing, hatch
from billing_app.ui.kit.charts.palette import hues, palette

COLUMNS = ("label", "base", "height", "kind", "text", "hover")
"""Of the frame, one row a step, the last one what is left: `base` and `height` in the axis's unit, `kind` is "granted",
"burned", "left" or (below zero) "owed", `text` stands over the bar."""

BAR = 0.68
"""A bar's part of its step's width; with few steps less, so that bars do not become blocks."""

FULL = 10


def explain_figure(frame: pd.DataFrame, hue: str, *, dark: bool = False) -> go.Figure:
    """The chart of `frame` (see COLUMNS)."""
    colours, metric = palette(dark=dark), hues(hue, dark=dark)
    drawing = Drawing(colours)
    drawing.layout(barcornerradius=2, barmode="overlay", hovermode="closest")
    looks = {
        "granted": {"color": metric.fill, "line": {"color": metric.credits, "width": 1.5}},
        "burned": {"color": metric.credits, "line": {"color": metric.credits, "width": 1}},
        "left": {"color": colours.text, "line": {"width": 0}},
        "owed": hatch(colours, 6),
    }
    width = BAR * min(1.0, len(frame) / FULL)
    tops = frame["base"] + frame["height"]
    top = float(tops.max()) if len(frame) else 0.0
    thin = top * 0.004
    for kind, marker in looks.items():
        rows = frame[frame["kind"] == kind]
        if not rows.empty:
            heights = [max(height, thin) for height in rows["height"]]
            more = {"base": list(rows["base"]), "width": width, "customdata": list(rows["hover"])}
            drawing.bars(list(rows.index), heights, marker, kind, hovertemplate=HOVER, **more)
    _connections(drawing, frame, width / 2)
    for place, text in enumerate(frame["text"]):
        strong = frame["kind"].iloc[place] in ("left", "owed")
        words, colour = (f"<b>{text}</b>", colours.text) if strong else (text, colours.quiet)
        weight = 1.0 if strong else float(frame["height"].iloc[place]) / (top + 1)
        drawing.note(words, place, float(tops.iloc[place]), colour, weight=weight, xanchor="center", yshift=2)
    drawing.scale_y(top, headroom=1.12, bottom=float(frame["base"].min()) if len(frame) else 0.0)
    drawing.name_x(-0.6, len(frame) - 0.4, list(range(len(frame))), list(frame["label"]))
    return drawing.figure()


def _connections(drawing: Drawing, frame: pd.DataFrame, half: float) -> None:
    """A thin line from where one bar ends to where the next begins: the running balance."""
    line = {"color": drawing.colours.zero, "width": 1}
    for place in range(len(frame) - 1):
        row = frame.iloc[place]
        height = float(row["base"] + row["height"] if row["kind"] == "granted" else row["base"])
        ends = {"x0": place + half, "x1": place + 1 - half, "y0": height, "y1": height}
        drawing.shape(type="line", line=line, layer="below", **ends)
