"""Grants in burn order, and where the rest of a balance is."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.credits.text import GrantRow
from billing_app.ui.kit.basics import state_badge

HEADS = (
    ("Grant", ""), ("Left", "number"), ("Granted", "number"), ("Burned", "grant-bar"), ("From", ""), ("Ends", ""),
    ("Burned by use in", ""),
)  # fmt: skip


def grants_table(rows: rx.Var[list[GrantRow]], hue: rx.Var[str], left: Any, granted: Any, burned: Any) -> rx.Component:
    """All grants of a metric; what is used up is dimmed."""
    total = rx.el.tr(
        rx.el.th("Total", scope="row"),
        rx.el.td(left, class_name="number strong g-left"),
        rx.el.td(granted, class_name="number g-granted"),
        rx.el.td(rx.el.small(burned), col_span=4, class_name="g-total"),
        class_name="total",
    )
    return rx.el.div(
        rx.el.table(
            rx.el.caption("Grants, in the order in which they burn", class_name="unseen"),
            rx.el.thead(rx.el.tr(*[rx.el.th(text, scope="col", class_name=kind) for text, kind in HEADS])),
            rx.el.tbody(rx.foreach(rows, lambda row: _row(row, hue)), total),
            class_name="rows grants",
        ),
        class_name="scroll",
    )


def grant_bar(row: rx.Var[GrantRow], hue: rx.Var[str]) -> rx.Component:
    """How much of a grant was burned; what ended or was taken back is grey."""
    return rx.el.div(
        rx.el.i(class_name=rx.cond(row.dim, "plan", "credits"), style={"width": row.burned_share}),
        rx.el.i(class_name="gone", style={"width": row.gone_share}),
        role="img",
        aria_label=row.bar_label,
        class_name="bar thin",
        custom_attrs={"data-hue": hue},
    )


def _row(row: rx.Var[GrantRow], hue: rx.Var[str]) -> rx.Component:
    name = rx.el.th(
        rx.el.div(
            rx.el.span(row.name, class_name="strong"),
            rx.cond(row.badge != "", state_badge(row.badge, row.badge_tone)),
            class_name="grant-name",
        ),
        rx.el.small(row.note),
        scope="row",
    )
    return rx.el.tr(
        name,
        rx.el.td(row.left, class_name="number strong g-left"),
        rx.el.td(row.quantity, class_name="number quiet g-granted"),
        rx.el.td(grant_bar(row, hue), class_name="grant-bar"),
        rx.el.td(row.start, class_name="quiet g-from"),
        rx.el.td(
            rx.el.div(
                rx.el.span(row.end),
                rx.el.small(row.end_note, custom_attrs={"data-tone": row.end_tone}),
                class_name="lines",
            ),
            class_name="g-end",
        ),
        rx.el.td(
            rx.el.div(rx.foreach(row.burns, lambda text: rx.el.span(text)), class_name="burns"), class_name="g-burns"
        ),
        custom_attrs={"data-dim": rx.cond(row.dim, "yes", "no")},
    )


def where_row(row: rx.Var[GrantRow], hue: rx.Var[str]) -> rx.Component:
    """A grant with something left, in a narrow panel."""
    return rx.el.li(
        rx.el.div(
            rx.el.span(row.name, class_name="strong"), rx.el.span(row.left, class_name="strong"), class_name="two"
        ),
        rx.el.div(rx.el.small("ends ", row.end), rx.el.small("of ", row.quantity), class_name="two"),
        grant_bar(row, hue),
    )
