"""The table of meters: one row a metric, blocked ones first; on the phone a card each."""

from __future__ import annotations

import reflex as rx

from billing_app.ui.kit.basics import figure, link, lucide, metric_tile, state_badge
from billing_app.ui.overview.meters_text import BarScreen, MeterScreen


def meter_bar(bar: rx.Var[BarScreen], hue: rx.Var[str]) -> rx.Component:
    """Tint: the plan pays. Solid: credits pay. Hatch: nobody paid. The tick is what the plan includes; the end is the
    cut-off."""
    return rx.el.div(
        rx.el.i(class_name="plan", style={"width": bar.plan}),
        rx.el.i(class_name="credits", style={"width": bar.credits}),
        rx.el.i(class_name="unpaid", style={"width": bar.unpaid}),
        rx.cond(bar.mark != "", rx.el.b(style={"left": bar.mark})),
        rx.cond(bar.stop, rx.el.u()),
        role="img",
        aria_label=bar.label,
        class_name=rx.cond(bar.unlimited, "bar unlimited", "bar"),
        custom_attrs={"data-hue": hue},
    )


def meters(rows: rx.Var[list[MeterScreen]], used_head: rx.Var[str]) -> rx.Component:
    """All metrics of the running period."""
    return rx.el.section(
        rx.el.div(
            rx.el.div(_head(used_head), role="rowgroup"),
            rx.el.div(rx.foreach(rows, meter_row), role="rowgroup"),
            role="table",
            aria_label="Metrics",
            class_name="meters",
        ),
        class_name="panel",
    )


def _head(used_head: rx.Var[str]) -> rx.Component:
    legend = rx.el.div(
        rx.el.span(rx.el.i(class_name="key plan neutral"), "plan"),
        rx.el.span(rx.el.i(class_name="key credits neutral"), "credits"),
        rx.el.span(rx.el.i(class_name="key tick"), "included"),
        rx.el.span("cut-off", lucide("arrow-right-to-line", 12), class_name="cut-off"),
        role="columnheader",
        class_name="meter-key",
    )
    return rx.el.div(
        rx.el.div("Metric", role="columnheader"),
        legend,
        rx.el.div(used_head, role="columnheader", class_name="number"),
        rx.el.div("Credits left", role="columnheader", class_name="number"),
        rx.el.div("Lasts until", role="columnheader"),
        rx.el.div("State", role="columnheader"),
        role="row",
        class_name="meter-head",
    )


def meter_row(row: rx.Var[MeterScreen]) -> rx.Component:
    """One metric. The whole row leads to its use."""
    name = rx.el.div(
        metric_tile(row.metric.hue, row.metric.icon),
        rx.el.div(
            link(row.metric.name, href=row.href, class_name="cover"),
            rx.cond(row.own != "", rx.el.small(row.own, class_name="own"), rx.el.small(row.metric.caption)),
            class_name="lines",
        ),
        role="rowheader",
        class_name="meter-name",
    )
    used = rx.el.div(
        figure(row.used, row.used_exact),
        rx.el.small(row.included),
        role="cell",
        class_name="number lines meter-used",
    )
    left = rx.el.div(
        figure(row.left, row.left_exact, tone=row.left_tone),
        rx.el.small(row.left_note, class_name="wide-only", custom_attrs={"data-tone": row.left_note_tone}),
        rx.el.small("credits left", class_name="phone-only"),
        role="cell",
        class_name="number lines meter-left",
    )
    until = rx.el.div(
        rx.cond(row.until_dated, rx.el.small("until ", class_name="phone-only")),
        rx.el.span(row.until, class_name="figure", custom_attrs={"data-tone": row.until_tone}),
        rx.el.small(row.until_note, class_name="wide-only"),
        role="cell",
        class_name="lines meter-until",
    )
    return rx.el.div(
        name,
        rx.el.div(meter_bar(row.bar, row.metric.hue), role="cell", class_name="meter-bar"),
        used,
        left,
        until,
        rx.el.div(state_badge(row.state, row.state_tone), role="cell", class_name="meter-state"),
        lucide("chevron-right", 16, class_name="chevron"),
        role="row",
        class_name="meter-row",
    )
