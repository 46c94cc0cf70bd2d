"""Packs by metric, each with its stepper."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import link, lucide, metric_tile
from billing_app.ui.purchases.text import PackRow

HEADS = (
    ("Quantity", ""), ("Unit price", "number p-unit"), ("Saving", "number p-saving"), ("Lasts until", "number p-until"),
    ("Price", "number"),
)  # fmt: skip


def packs_table(rows: rx.Var[list[PackRow]], change: Any) -> rx.Component:
    """All packs; `change` is called with a pack and a step."""
    heads = [rx.el.th(text, scope="col", class_name=kind) for text, kind in HEADS]
    count = rx.el.th(rx.el.span("How many", class_name="unseen"), scope="col")
    return rx.el.div(
        rx.el.table(
            rx.el.caption("Packs", class_name="unseen"),
            rx.el.thead(rx.el.tr(*heads, count)),
            rx.el.tbody(rx.foreach(rows, lambda row: rx.cond(row.head, _group(row), _pack(row, change)))),
            class_name="rows packs",
        ),
        class_name="scroll",
    )


def _group(row: rx.Var[PackRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            rx.el.div(
                metric_tile(row.metric.hue, row.metric.icon),
                link(row.metric.name, href=row.href, class_name="strong", title="Show in the calculator"),
                rx.el.small(row.note),
                class_name="group",
            ),
            col_span=6,
            scope="rowgroup",
        ),
        class_name="group-row",
    )


def _pack(row: rx.Var[PackRow], change: Any) -> rx.Component:
    return rx.el.tr(
        rx.el.th(row.quantity, scope="row", class_name="strong p-quantity"),
        rx.el.td(row.unit_price, class_name="number quiet p-unit"),
        rx.el.td(row.saving, class_name="number quiet p-saving"),
        rx.el.td(row.until, class_name="number p-until"),
        rx.el.td(row.price, class_name="number strong p-price"),
        rx.el.td(stepper(row, change), class_name="p-count"),
        custom_attrs={"data-chosen": rx.cond(row.count > 0, "yes", "no")},
    )


def stepper(row: rx.Var[PackRow], change: Any) -> rx.Component:
    """Less, how many, more."""
    name = f"{row.quantity} {row.metric.name}"
    return rx.el.div(
        rx.el.button(
            lucide("minus", 14),
            type="button",
            aria_label=f"One less of {name}",
            title=rx.cond(row.count == 0, "There is none in the basket", ""),
            disabled=row.count == 0,
            on_click=change(row.id, -1),
        ),
        rx.el.output(row.count, aria_label=f"{name} in the basket"),
        rx.el.button(
            lucide("plus", 14),
            type="button",
            aria_label=f"One more of {name}",
            title=row.refusal,
            disabled=row.refusal != "",
            on_click=change(row.id, 1),
        ),
        class_name="stepper",
    )
