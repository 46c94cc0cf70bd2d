"""One month by day: the same colours as the months, and the moment at which the plan's share was used up."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from billing_app.ui.kit.charts.base import Drawing, hatch
from billing_app.ui.kit.charts.palette import hues, palette

COLUMNS = ("day", "covered", "burned", "uncovered", "hover")
"""Of the frame, one row a day; `day` counts from 1 in its period."""


def days_figure(
    frame: pd.DataFrame,
    hue: str,
    days: int,
    labels: dict[int, str],
    *,
    reached: tuple[int, str] | None = None,
    dark: bool = False,
) -> go.Figure:
    """The chart of `frame` over a period of so many days. `labels` names some days of the axis.

    `reached` is the day on which the plan's share was used up, and what is said there.
    """
    drawing, metric = Drawing(palette(dark=dark)), hues(hue, dark=dark)
    drawing.layout(barmode="stack", bargap=0.24, barcornerradius=2)
    places = list(frame["day"])
    for name, marker in (
        ("covered", {"color": metric.plan, "line": {"width": 0}}),
        ("burned", {"color": metric.credits, "line": {"width": 0}}),
        ("uncovered", hatch(drawing.colours, 5)),
    ):
        heights = [value if value > 0 else None for value in frame[name]]
        if any(value is not None for value in heights):
            drawing.bars(places, heights, marker, name, hoverinfo="skip")
    total = frame[["covered", "burned", "uncovered"]].sum(axis=1)
    drawing.hover(places, list(total), list(frame["hover"]))
    top = float(total.max()) if len(total) else 0.0
    if reached is not None:
        _reached(drawing, *reached, top, early=reached[0] <= days * 0.55)
    drawing.scale_y(top, headroom=1.24 if reached else 1.06)
    drawing.name_x(0.4, days + 0.6, list(labels), list(labels.values()))
    return drawing.figure()


def _reached(drawing: Drawing, day: int, text: str, top: float, *, early: bool) -> None:
    """An upright mark over the day, and words beside it on the side with more room."""
    line = {"color": drawing.colours.text, "width": 1.5}
    drawing.shape(type="line", x0=day, x1=day, y0=top * 1.03, y1=top * 1.21, line=line, layer="above")
    place: dict[str, Any] = {"xanchor": "left", "xshift": 6} if early else {"xanchor": "right", "xshift": -6}
    drawing.note(text, day, top * 1.21, drawing.colours.quiet, yanchor="top", **place)
