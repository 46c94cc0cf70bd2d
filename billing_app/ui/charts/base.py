"""What all charts have in common: ground, axes, type, and the marks that are drawn beside the data."""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go

from billing_app.ui.charts.palette import Palette

FONT = (
    "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Inter, 'Noto Sans', Arial, "
    "'Liberation Sans', sans-serif"
)
"""The page's own fonts, in the same order as assets/billing.css."""

TICKS = 3
"""About so many lines above the zero line: enough to read a height, few enough to stay quiet."""


NOTHING = 1e-9
"""Below this there is no height to draw: the smallest quantity is a whole base unit."""


def blank(colours: Palette, separators: str = ".,") -> go.Figure:
    """An empty figure with the ground and axes of every chart. No template: its defaults weigh more than our data."""
    figure = go.Figure()
    figure.update_layout(
        template=go.layout.Template(),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 12, "color": colours.quiet},
        margin={"l": 44, "r": 12, "t": 8, "b": 24},
        showlegend=False,
        hovermode="x",
        hoverlabel={
            "bgcolor": colours.text,
            "bordercolor": colours.text,
            "font": {"family": FONT, "size": 12, "color": colours.panel},
            "align": "left",
        },
        separators=separators,
        dragmode=False,
        autosize=True,
    )
    figure.update_xaxes(
        showgrid=False, zeroline=False, showline=False, fixedrange=True, ticks="", tickangle=0, automargin=False
    )
    figure.update_yaxes(
        gridcolor=colours.grid,
        gridwidth=1,
        zeroline=True,
        zerolinecolor=colours.zero,
        zerolinewidth=1,
        showline=False,
        fixedrange=True,
        ticks="",
        automargin=False,
    )
    return figure


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
    for step, mark in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= step:
            return f"{value / step:g}{mark}"
    return f"{value:g}"


def scale_y(figure: go.Figure, top: float, *, headroom: float = 1.06) -> None:
    """Round ticks from zero, and a little air above the highest mark."""
    if top <= NOTHING:
        figure.update_yaxes(range=[0, 1], tickmode="array", tickvals=[0], ticktext=["0  "])
        return
    ticks = round_ticks(top)
    figure.update_yaxes(
        range=[0, top * headroom],
        tickmode="array",
        tickvals=ticks,
        ticktext=[f"{tick_text(value)}  " for value in ticks],
    )


def note(figure: go.Figure, text: str, x: Any, y: float, colour: str, **place: Any) -> None:
    """A few words beside the data."""
    defaults: dict[str, Any] = {"xanchor": "left", "yanchor": "bottom", "showarrow": False, "borderpad": 0}
    figure.add_annotation(text=text, x=x, y=y, font={"color": colour, "size": 12}, **(defaults | place))


def json_of(figure: go.Figure) -> dict[str, Any]:
    """The figure as plain data, made where the figure is made: serializing it later would hold up the event loop."""
    return figure.to_plotly_json()
