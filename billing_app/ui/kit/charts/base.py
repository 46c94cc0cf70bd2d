"""What all charts have in common: ground, axes, type, and the marks that are drawn beside the data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.catalogue.quantities import reading
from billing_app.ui.kit.charts.palette import Palette

FONT = (
    "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Inter, 'Noto Sans', Arial, "
    "'Liberation Sans', sans-serif"
)
"""The page's own fonts, in the same order as assets/billing.css."""

TICKS = 3
"""About so many lines above the zero line: enough to read a height, few enough to stay quiet."""


NOTHING = 1e-9
"""Below this there is no height to draw: the smallest quantity is a whole base unit."""

HOVER = "%{customdata}<extra></extra>"
"""Traces bring their hover along as text: exact figures in the reader's locale."""


class Drawing:
    """A figure in the making, with the ground and axes of every chart.

    It is collected as plain data and made a figure once: changing a figure step by step costs ten times as much. No
    template: its defaults weigh more than our data.
    """

    def __init__(self, colours: Palette) -> None:
        """An empty one."""
        self.colours = colours
        self._traces: list[dict[str, Any]] = []
        self._shapes: list[dict[str, Any]] = []
        self._notes: list[tuple[float, dict[str, Any]]] = []
        self._x: dict[str, Any] = {
            "showgrid": False, "zeroline": False, "showline": False, "fixedrange": True, "ticks": "", "tickangle": 0,
        }  # fmt: skip
        self._y: dict[str, Any] = {
            "gridcolor": colours.grid, "gridwidth": 1, "zeroline": True, "zerolinecolor": colours.zero,
            "zerolinewidth": 1, "showline": False, "fixedrange": True, "ticks": "",
        }  # fmt: skip
        self._layout: dict[str, Any] = {
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 12, "color": colours.quiet},
            "margin": {"l": 44, "r": 12, "t": 8, "b": 24},
            "showlegend": False,
            "hovermode": "x",
            "hoverlabel": {
                "bgcolor": colours.text,
                "bordercolor": colours.text,
                "font": {"family": FONT, "size": 12, "color": colours.panel},
                "align": "left",
            },
            "dragmode": False,
            "autosize": True,
        }

    def bars(self, x: list[Any], y: list[Any], marker: dict[str, Any], name: str, **more: Any) -> None:
        """A series of bars."""
        self._traces.append({"type": "bar", "x": x, "y": y, "marker": marker, "name": name} | more)

    def line(self, x: list[Any], y: list[Any], line: dict[str, Any], name: str, **more: Any) -> None:
        """A line, and what lies under it."""
        self._traces.append({"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "name": name} | more)

    def points(self, x: list[Any], y: list[Any], marker: dict[str, Any], name: str, **more: Any) -> None:
        """Marks."""
        self._traces.append(
            {"type": "scatter", "mode": "markers", "x": x, "y": y, "marker": marker, "name": name} | more
        )

    def hover(self, x: list[Any], y: list[Any], texts: list[str]) -> None:
        """Invisible marks that carry the exact figures, and take the click."""
        unseen = {"opacity": 0, "size": 1}
        self.points(x, y, unseen, "hover", customdata=texts, hovertemplate=HOVER)

    def shape(self, **shape: Any) -> None:
        """A line or a band."""
        self._shapes.append(shape)

    def note(self, text: str, x: Any, y: float, colour: str, *, weight: float = 0, **place: Any) -> None:
        """A few words beside the data. Where there is no room for all, the heaviest stay (assets/drawing.js)."""
        defaults: dict[str, Any] = {"xanchor": "left", "yanchor": "bottom", "showarrow": False, "borderpad": 0}
        font = {"color": colour, "size": 12}
        self._notes.append((weight, {"text": text, "x": x, "y": y, "font": font} | defaults | place))

    def layout(self, **settings: Any) -> None:
        """Settings of the whole figure."""
        self._layout |= settings

    def name_x(self, first: Any, last: Any, at: list[Any], names: list[str]) -> None:
        """The horizontal axis from `first` to `last`, with names at some places."""
        self._x |= {"range": [first, last], "tickmode": "array", "tickvals": at, "ticktext": names}

    def scale_y(self, top: float, *, headroom: float = 1.06, bottom: float = 0) -> None:
        """Round ticks from zero, and a little air above the highest mark; `bottom` is below zero where something is."""
        ticks = round_ticks(top) if top > NOTHING else [0.0]
        if bottom < -NOTHING:
            ticks = [-tick for tick in reversed(round_ticks(-bottom, 1)) if tick > 0] + ticks
        names = [f"{tick_text(value)}  " for value in ticks]
        reach = [min(bottom, 0) * headroom, top * headroom if top > NOTHING else (0 if bottom < -NOTHING else 1)]
        self._y |= {"range": reach, "tickmode": "array", "tickvals": ticks, "ticktext": names}

    def figure(self) -> go.Figure:
        """The figure, checked by Plotly."""
        notes = [note for _, note in sorted(self._notes, key=lambda one: -one[0])]
        parts = {"xaxis": self._x, "yaxis": self._y, "shapes": self._shapes, "annotations": notes}
        return go.Figure({"data": self._traces, "layout": self._layout | parts | {"template": {}}})


def round_ticks(top: float, wanted: int = TICKS) -> list[float]:
    """0 and up to four round steps that reach no higher than `top`: 0, 20 000, 40 000, 60 000."""
    if top <= 0:
        return [0.0]
    rough = top / wanted
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.75)
    return [index * step for index in range(int(top / step + 1e-9) + 1)]


def tick_text(value: float) -> str:
    """A short figure for an axis: "20k", "1.5M", "0.5"."""
    sign, size = "\N{MINUS SIGN}" if value < 0 else "", abs(value)
    for step, mark in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= step:
            return f"{sign}{size / step:g}{mark}"
    return f"{sign}{size:g}"


def hatch(colours: Palette, size: int) -> dict[str, Any]:
    """The look of what nobody paid."""
    return {
        "color": "rgba(0,0,0,0)",
        "pattern": {"shape": "/", "fgcolor": colours.red, "size": size, "solidity": 0.35},
        "line": {"color": colours.red, "width": 1},
    }


def json_of(figure: go.Figure) -> dict[str, Any]:
    """The figure as plain data, made where the figure is made: serializing it later would hold up the event loop."""
    return figure.to_plotly_json()


@dataclass(frozen=True, slots=True)
class Scale:
    """Heights are quantities divided by `step`; `unit` is empty for counts."""

    step: int
    unit: str

    def height(self, quantity: int) -> float:
        """For drawing only: nothing is stored or compared as a float."""
        return quantity / self.step


def scale_for(metric: Metric, largest: int) -> Scale:
    """The scale on which `largest` reads well: its own unit if that is larger than the display unit, else that."""
    figure = reading(largest, metric)
    step = metric.factor
    if figure.unit and figure.unit != metric.display_unit and largest >= metric.factor:
        while largest >= step * 1000:
            step *= 1000
        return Scale(step, figure.unit)
    return Scale(step, "" if metric.counts else metric.display_unit)
