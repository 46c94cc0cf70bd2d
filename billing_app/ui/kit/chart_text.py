"""What stands around a chart: title, caption, legend, its text alternative and its table; and the pictures as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from billing_app.ui.kit.charts.base import json_of
from billing_app.ui.kit.records import Table


@dataclass(frozen=True)
class Pictures:
    """A figure in both appearances, so that switching needs no server."""

    light: dict[str, Any] = field(default_factory=dict)
    dark: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Chart:
    """A chart. `alt` says in words what it shows."""

    pictures: Pictures = field(default_factory=Pictures)
    title: str = ""
    caption: str = ""
    alt: str = ""
    unpaid: str = ""
    """What the legend of months calls what nobody paid."""
    included: str = ""
    """What the legend says of the line of what is included; empty without one."""
    shared: bool = False
    """Bars are the organization's own part and what others used, under one plan."""
    table: Table = field(default_factory=Table)


def both(draw: Callable[[bool], go.Figure]) -> Pictures:
    """The figure drawn for light and for dark."""
    return Pictures(json_of(draw(False)), json_of(draw(True)))
