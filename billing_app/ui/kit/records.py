"""Small records that several screens show, charts among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.credits.entitlements import MeterState
from billing_app.domain.credits.facts import Aggregation
from billing_app.services.credits.views import GrantLabel, GrantSource
from billing_app.services.credits.views_shared import OfferView
from billing_app.ui.kit.charts.base import json_of
from billing_app.ui.kit.formats import Formats

METER_STATES = {
    MeterState.OK: ("Within plan", "quiet"),
    MeterState.USING_CREDITS: ("Using credits", "credits"),
    MeterState.BLOCKED: ("Blocked", "blocked"),
}
"""Name and tone of each state of a meter."""


@dataclass(frozen=True)
class MetricLabel:
    """A metric's name, second line, hue and icon."""

    id: str = ""
    name: str = ""
    caption: str = ""
    hue: str = "blue"
    icon: str = ""


@dataclass(frozen=True)
class Choice:
    """One choice of a switch: its value in the URL and its label."""

    value: str = ""
    label: str = ""


@dataclass(frozen=True)
class Field:
    """A name and a figure; `tone` is "", "soon", "blocked" or "quiet"; `hint` is the exact figure on hover."""

    label: str = ""
    value: str = ""
    tone: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Table:
    """A plain table: the numbers of a chart, for those who read rather than look."""

    caption: str = ""
    heads: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


def metric_label(metric: Metric) -> MetricLabel:
    """The record of a metric."""
    return MetricLabel(metric.id, metric.name, metric.caption, str(metric.hue), metric.icon.replace("_", "-"))


def metric_choices(metrics: tuple[Metric, ...]) -> list[Choice]:
    """The metric switch."""
    return [Choice(metric.id, metric.name) for metric in metrics]


def in_a_sentence(metric: Metric) -> str:
    """ "storage" in the middle of a sentence; "MAU" and "API calls" stay as they are."""
    name = metric.name
    return name.lower() if name[1:].islower() and " " not in name else name


def grant_name(label: GrantLabel, metric: Metric, formats: Formats) -> str:
    """ "50,000 pack", "Gift card", "From the operator"."""
    size = formats.size(metric, label.quantity)
    return {
        GrantSource.PACK: f"{size} pack",
        GrantSource.RECURRING: f"{size} every month",
        GrantSource.TOP_UP: f"{size} auto top-up",
        GrantSource.GIFT_CARD: "Gift card",
        GrantSource.OPERATOR: "From the operator",
        GrantSource.CONVERTED: "Converted tokens",
        GrantSource.PLAN: "Part of the plan",
        GrantSource.IMPORTED: "Brought along",
    }[label.source]


def grant_note(label: GrantLabel, formats: Formats) -> str:
    """ "bought, $49.00", or what somebody wrote: “Outage on 16 Oct”."""
    if label.note:
        return f"“{label.note}”"
    if label.paid_cents:
        verb = {GrantSource.TOP_UP: "charged", GrantSource.RECURRING: "paid"}.get(label.source, "bought")
        return f"{verb}, {formats.money(label.paid_cents, label.currency)}"
    return "free"


def offer_basket(offer: OfferView) -> str:
    """The offer as the buy page's `basket` query: "mau-50k:1,mau-10k:2"."""
    return ",".join(f"{item.pack}:{item.count}" for item in offer.items)


def offer_named(offer: OfferView, formats: Formats) -> str:
    """ "50,000 MAU" """
    return formats.named(offer.items[0].metric, offer.quantity)


def chart_caption(metric: Metric, axis_unit: str) -> str:
    """What the axis counts: "unique devices", "highest level, GB", "TB served"."""
    if metric.counts:
        return metric.caption
    if metric.aggregation in (Aggregation.LEVEL, Aggregation.MAX):
        return f"highest level, {axis_unit}"
    words = [word for word in metric.caption.split() if word not in ("kB", "MB", "GB", "TB", "PB")]
    return " ".join([axis_unit, *words])


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
