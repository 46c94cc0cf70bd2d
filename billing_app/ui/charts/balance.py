"""Credits over time: a line that falls as use burns, upright where a grant came, dotted where the pace leads."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from billing_app.ui.charts.base import blank, note, scale_y
from billing_app.ui.charts.palette import Palette, hues, palette

COLUMNS = ("at", "left", "granted", "hover")
"""Of a frame: a moment, the balance right after it in the axis's unit, what a grant added there in words (else ""), and
the hover."""

CROWDED = 0.07
"""Grants nearer to each other than this part of the width share their label's place: only the larger is named."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """Named moments of the time axis."""

    at: list[pd.Timestamp]
    text: list[str]


@dataclass(frozen=True, slots=True)
class Mark:
    """An upright line with words at a moment."""

    at: pd.Timestamp
    text: str


def balance_figure(
    past: pd.DataFrame,
    ahead: pd.DataFrame,
    hue: str,
    ticks: Ticks,
    end: pd.Timestamp,
    *,
    now: pd.Timestamp,
    run_out: str = "",
    dark: bool = False,
) -> go.Figure:
    """The line of `past`, then `ahead` dotted to the end of the credits, which `run_out` names."""
    colours, metric = palette(dark=dark), hues(hue, dark=dark)
    figure = blank(colours)
    if not past.empty:
        figure.add_scatter(
            x=list(past["at"]), y=list(past["left"]), mode="lines", line={"color": metric.credits, "width": 2},
            fill="tozeroy", fillcolor=_see_through(metric.fill, dark), customdata=list(past["hover"]),
            hovertemplate="%{customdata}<extra></extra>", name="balance",
        )  # fmt: skip
    _dotted(figure, ahead, colours, metric.credits if past.empty else colours.quiet)
    start = past["at"].min() if not past.empty else now
    top = max([*past["left"], *ahead["left"], 0.0])
    scale_y(figure, top, headroom=1.2)
    figure.add_shape(
        type="line",
        x0=now,
        x1=now,
        y0=0,
        y1=1,
        yref="y domain",
        line={"color": colours.zero, "width": 1},
        layer="below",
    )
    figure.add_annotation(
        text="now", x=now, y=1, yref="y domain", xanchor="left", yanchor="top", xshift=6, showarrow=False,
        font={"color": colours.quiet, "size": 12},
    )  # fmt: skip
    _grants(figure, past, (end - start).total_seconds(), top, now, colours)
    if not past.empty:
        figure.add_scatter(
            x=[past["at"].iloc[-1]], y=[past["left"].iloc[-1]], mode="markers", hoverinfo="skip",
            marker={"color": metric.credits, "size": 8, "line": {"color": colours.panel, "width": 1.5}}, name="now",
        )  # fmt: skip
    if run_out and not ahead.empty:
        _run_out(figure, ahead["at"].iloc[-1], run_out, end, start, colours)
    figure.update_xaxes(range=[start, end], tickmode="array", tickvals=ticks.at, ticktext=ticks.text)
    figure.update_layout(hovermode="x")
    return figure


def basket_figure(
    as_it_is: pd.DataFrame,
    with_basket: pd.DataFrame,
    hue: str,
    ticks: Ticks,
    end: pd.Timestamp,
    *,
    ends: tuple[str, str] = ("", ""),
    goal: Mark | None = None,
    dark: bool = False,
) -> go.Figure:
    """From now on: as it is (dotted), and with what lies in the basket (a line over its fill).

    `ends` names the run-out of the two; `goal` is the day until which somebody wants to be covered.
    """
    colours, metric = palette(dark=dark), hues(hue, dark=dark)
    figure = blank(colours)
    if goal is not None:
        figure.add_shape(
            type="line", x0=goal.at, x1=goal.at, y0=0, y1=1, yref="y domain", layer="below",
            line={"color": colours.zero, "width": 1.5, "dash": "dot"},
        )  # fmt: skip
        figure.add_annotation(
            text=goal.text, x=goal.at, y=1, yref="y domain", xanchor="left", yanchor="top", xshift=6, showarrow=False,
            font={"color": colours.quiet, "size": 12},
        )  # fmt: skip
    start = as_it_is["at"].min() if not as_it_is.empty else end
    if not with_basket.empty:
        figure.add_scatter(
            x=list(with_basket["at"]), y=list(with_basket["left"]), mode="lines",
            line={"color": metric.credits, "width": 2}, fill="tozeroy", fillcolor=_see_through(metric.fill, dark),
            customdata=list(with_basket["hover"]), hovertemplate="%{customdata}<extra></extra>", name="with",
        )  # fmt: skip
        for label, height in zip(with_basket["granted"], with_basket["left"], strict=True):
            if label:
                note(figure, label, start, height * 0.55, colours.quiet, xshift=8, yanchor="middle")
    _dotted(figure, as_it_is, colours, colours.quiet)
    top = max([*as_it_is["left"], *with_basket["left"], 0.0])
    scale_y(figure, top, headroom=1.1)
    if ends[0] and not as_it_is.empty:
        _run_out(figure, as_it_is["at"].iloc[-1], ends[0], end, start, colours)
    if ends[1] and not with_basket.empty:
        at = with_basket["at"].iloc[-1]
        _run_out(figure, at, ends[1], end, start, colours, mark=metric.credits, words=colours.text)
    edge = start - (end - start) * 0.015
    figure.update_xaxes(range=[edge, end], tickmode="array", tickvals=ticks.at, ticktext=ticks.text)
    return figure


def _dotted(figure: go.Figure, frame: pd.DataFrame, colours: Palette, colour: str) -> None:
    if frame.empty:
        return
    figure.add_scatter(
        x=list(frame["at"]), y=list(frame["left"]), mode="lines", line={"color": colour, "width": 2, "dash": "2px,3px"},
        customdata=list(frame["hover"]), hovertemplate="%{customdata}<extra></extra>", name="ahead",
    )  # fmt: skip


def _grants(
    figure: go.Figure, past: pd.DataFrame, width: float, top: float, now: pd.Timestamp, colours: Palette
) -> None:
    """ "+50,000" over each step; where steps are crowded, over the highest of them."""
    named: list[tuple[pd.Timestamp, float, str]] = []
    for at, left, text in zip(past["at"], past["left"], past["granted"], strict=True):
        if not text:
            continue
        near = bool(named) and width > 0 and (at - named[-1][0]).total_seconds() / width < CROWDED
        if near and abs(left - named[-1][1]) < top * 0.08:
            if left > named[-1][1]:
                named[-1] = (at, left, text)
            continue
        named.append((at, left, text))
    for at, left, text in named:
        late = width > 0 and (now - at).total_seconds() / width < CROWDED
        note(
            figure,
            text,
            at,
            left,
            colours.quiet,
            xanchor="right" if late else "center",
            xshift=22 if late else 0,
            yshift=3,
        )


def _run_out(
    figure: go.Figure, at: pd.Timestamp, text: str, end: pd.Timestamp, start: pd.Timestamp, colours: Palette,
    *, mark: str = "", words: str = "",
) -> None:  # fmt: skip
    """A point on the axis where nothing is left, and its day."""
    figure.add_scatter(
        x=[at], y=[0], mode="markers", hoverinfo="skip", cliponaxis=False,
        marker={"color": mark or colours.amber, "size": 8, "line": {"color": colours.panel, "width": 1.5}}, name="end",
    )  # fmt: skip
    near_end = (end - at) < (end - start) * 0.08
    note(
        figure, text, at, 0, words or colours.amber_text,
        xanchor="right" if near_end else "left", xshift=-4 if near_end else 6, yshift=5, bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip


def _see_through(fill: str, dark: bool) -> str:
    """The ground under a line, clear enough for the grid to show through."""
    red, green, blue = (int(fill[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{0.85 if dark else 0.9})"
