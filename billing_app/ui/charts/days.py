"""One month by day: the same colours as the months, and the moment at which the plan's share was used up."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from billing_app.ui.charts.base import blank, note, scale_y
from billing_app.ui.charts.palette import hues, palette

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
    colours, metric = palette(dark=dark), hues(hue, dark=dark)
    figure = blank(colours)
    figure.update_layout(barmode="stack", bargap=0.24, barcornerradius=2)
    places = list(frame["day"])
    hatch = {
        "color": "rgba(0,0,0,0)",
        "pattern": {"shape": "/", "fgcolor": colours.red, "size": 5, "solidity": 0.35},
        "line": {"color": colours.red, "width": 1},
    }
    for name, marker in (
        ("covered", {"color": metric.plan, "line": {"width": 0}}),
        ("burned", {"color": metric.credits, "line": {"width": 0}}),
        ("uncovered", hatch),
    ):
        heights = [value if value > 0 else None for value in frame[name]]
        if any(value is not None for value in heights):
            figure.add_bar(x=places, y=heights, marker=marker, hoverinfo="skip", name=name)
    total = frame[["covered", "burned", "uncovered"]].sum(axis=1)
    figure.add_scatter(
        x=places,
        y=list(total),
        mode="markers",
        marker={"opacity": 0, "size": 1},
        customdata=list(frame["hover"]),
        hovertemplate="%{customdata}<extra></extra>",
        name="hover",
    )
    top = float(total.max()) if len(total) else 0.0
    if reached is not None:
        _reached(figure, reached, top, days, colours.text, colours.quiet)
    scale_y(figure, top, headroom=1.24 if reached else 1.06)
    figure.update_xaxes(
        range=[0.4, days + 0.6], tickmode="array", tickvals=list(labels), ticktext=[labels[day] for day in labels]
    )
    return figure


def _reached(figure: go.Figure, reached: tuple[int, str], top: float, days: int, line: str, quiet: str) -> None:
    """An upright mark over the day, and words beside it on the side with more room."""
    day, text = reached
    figure.add_shape(
        type="line", x0=day, x1=day, y0=top * 1.03, y1=top * 1.21, line={"color": line, "width": 1.5}, layer="above"
    )
    early = day <= days * 0.55
    note(
        figure, text, day, top * 1.21, quiet,
        xanchor="left" if early else "right", yanchor="top", xshift=6 if early else -6,
    )  # fmt: skip
