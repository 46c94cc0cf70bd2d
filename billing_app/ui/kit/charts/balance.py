"""Credits over time: a line that falls as use burns, upright where a grant came, dotted where the pace leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from billing_app.ui.kit.charts.base import HOVER, Drawing
from billing_app.ui.kit.charts.palette import Hues, hues, palette

COLUMNS = ("at", "left", "granted", "hover")
"""Of a frame: a moment, the balance right after it in the axis's unit, what a grant added there in words (else ""), and
the hover."""

CROWDED = 0.07
"""Grants nearer to each other than this part of the width share their label's place: only the larger is named."""


EDGE = 0.14
"""Words this near to the right edge stand left of what they name."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """Named moments of the time axis."""

    at: list[pd.Timestamp]
    text: list[str]


@dataclass(frozen=True, slots=True)
class Point:
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
    drawing, metric = Drawing(palette(dark=dark)), hues(hue, dark=dark)
    colours = drawing.colours
    span = Span(past["at"].min() if not past.empty else now, end)
    _filled(drawing, past, metric, "balance")
    _dotted(drawing, ahead)
    top = max([*past["left"], *ahead["left"], 0.0])
    drawing.scale_y(top, headroom=1.2)
    _upright(drawing, Point(now, "now"), span, {"color": colours.zero, "width": 1})
    _grants(drawing, past, span, top, now)
    if not past.empty:
        here = {"color": metric.credits, "size": 8, "line": {"color": colours.panel, "width": 1.5}}
        drawing.points([_iso(past["at"].iloc[-1])], [past["left"].iloc[-1]], here, "now", hoverinfo="skip")
    if run_out and not ahead.empty:
        _run_out(drawing, Point(ahead["at"].iloc[-1], run_out), span, colours.amber, colours.amber_text)
    drawing.name_x(_iso(span.start), _iso(end), [_iso(at) for at in ticks.at], ticks.text)
    return drawing.figure()


def basket_figure(
    as_it_is: pd.DataFrame,
    with_basket: pd.DataFrame,
    hue: str,
    ticks: Ticks,
    end: pd.Timestamp,
    *,
    ends: tuple[str, str] = ("", ""),
    goal: Point | None = None,
    dark: bool = False,
) -> go.Figure:
    """From now on: as it is (dotted), and with what lies in the basket (a line over its fill).

    `ends` names the run-out of the two; `goal` is the day until which somebody wants to be covered.
    """
    drawing, metric = Drawing(palette(dark=dark)), hues(hue, dark=dark)
    colours = drawing.colours
    span = Span(as_it_is["at"].min() if not as_it_is.empty else end, end)
    if goal is not None:
        _upright(drawing, goal, span, {"color": colours.zero, "width": 1.5, "dash": "dot"})
    _filled(drawing, with_basket, metric, "with")
    for label, height in zip(with_basket["granted"], with_basket["left"], strict=True):
        if label:
            drawing.note(label, _iso(span.start), height * 0.55, colours.quiet, xshift=8, yanchor="middle")
    _dotted(drawing, as_it_is)
    drawing.scale_y(max([*as_it_is["left"], *with_basket["left"], 0.0]), headroom=1.1)
    if ends[0] and not as_it_is.empty:
        _run_out(drawing, Point(as_it_is["at"].iloc[-1], ends[0]), span, colours.amber, colours.amber_text)
    if ends[1] and not with_basket.empty:
        _run_out(drawing, Point(with_basket["at"].iloc[-1], ends[1]), span, metric.credits, colours.text)
    edge = span.start - (end - span.start) * 0.015
    drawing.name_x(_iso(edge), _iso(end), [_iso(at) for at in ticks.at], ticks.text)
    return drawing.figure()


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a picture reaches."""

    start: pd.Timestamp
    end: pd.Timestamp

    def part(self, start: pd.Timestamp, end: pd.Timestamp) -> float:
        """How much of the width lies between two moments."""
        whole = (self.end - self.start).total_seconds()
        return (end - start).total_seconds() / whole if whole > 0 else 1.0


def _iso(at: pd.Timestamp) -> str:
    return at.isoformat()


def _filled(drawing: Drawing, frame: pd.DataFrame, metric: Hues, name: str) -> None:
    if frame.empty:
        return
    more = {"fill": "tozeroy", "fillcolor": _see_through(metric.fill, drawing.colours.dark)}
    line, x = {"color": metric.credits, "width": 2}, [_iso(at) for at in frame["at"]]
    drawing.line(x, list(frame["left"]), line, name, customdata=list(frame["hover"]), hovertemplate=HOVER, **more)


def _dotted(drawing: Drawing, frame: pd.DataFrame) -> None:
    if frame.empty:
        return
    line, x = {"color": drawing.colours.quiet, "width": 2, "dash": "2px,3px"}, [_iso(at) for at in frame["at"]]
    drawing.line(x, list(frame["left"]), line, "ahead", customdata=list(frame["hover"]), hovertemplate=HOVER)


def _upright(drawing: Drawing, point: Point, span: Span, line: dict[str, Any]) -> None:
    """A line over the whole height, and its name at the top."""
    at, over = _iso(point.at), {"yref": "y domain"}
    drawing.shape(type="line", x0=at, x1=at, y0=0, y1=1, layer="below", line=line, **over)
    place = {"xanchor": "right", "xshift": -6} if span.part(point.at, span.end) < EDGE else {"xshift": 6}
    drawing.note(point.text, at, 1, drawing.colours.quiet, weight=1, yanchor="top", **place, **over)


def _grants(drawing: Drawing, past: pd.DataFrame, span: Span, top: float, now: pd.Timestamp) -> None:
    """ "+50,000" over each step; where steps are crowded, over the highest of them."""
    named: list[tuple[pd.Timestamp, float, str]] = []
    for at, left, text in zip(past["at"], past["left"], past["granted"], strict=True):
        if not text:
            continue
        if named and span.part(named[-1][0], at) < CROWDED and abs(left - named[-1][1]) < top * 0.08:
            if left > named[-1][1]:
                named[-1] = (at, left, text)
            continue
        named.append((at, left, text))
    for at, left, text in named:
        late = span.part(at, now) < CROWDED
        place: dict[str, Any] = {"xanchor": "right", "xshift": 22} if late else {"xanchor": "center"}
        drawing.note(text, _iso(at), left, drawing.colours.quiet, yshift=3, **place)


def _run_out(drawing: Drawing, point: Point, span: Span, colour: str, words: str) -> None:
    """A point on the axis where nothing is left, and its day."""
    dot = {"color": colour, "size": 8, "line": {"color": drawing.colours.panel, "width": 1.5}}
    drawing.points([_iso(point.at)], [0], dot, "end", hoverinfo="skip", cliponaxis=False)
    near_end = span.part(point.at, span.end) < CROWDED
    place = {"xanchor": "right", "xshift": -4} if near_end else {"xshift": 6}
    drawing.note(point.text, _iso(point.at), 0, words, weight=2, yshift=5, **place)


def _see_through(fill: str, dark: bool) -> str:
    """The ground under a line, clear enough for the grid to show through."""
    red, green, blue = (int(fill[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{0.85 if dark else 0.9})"
