"""Packs by metric, each with its stepper; what lies in the basket, what it costs, and the button that pays."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import link, lucide, metric_tile, refused_button
from billing_app.ui.kit.records import Choice
from billing_app.ui.purchases.text import BasketRow, BuyScreen, PackRow

NOTE_ICONS = ("calendar-check", "history", "repeat", "shield-check", "refresh-cw")


def basket_panel(screen: rx.Var[BuyScreen], paying: rx.Var[bool], pay: Any, change: Any) -> rx.Component:
    """The basket beside the packs."""
    return rx.el.section(
        rx.el.div(rx.el.h2("Basket"), rx.cond(screen.basket.length() > 0, rx.el.small(screen.count)), class_name="two"),
        rx.cond(
            screen.basket.length() > 0,
            rx.el.ul(rx.foreach(screen.basket, lambda row: _line(row, change)), class_name="basket-lines"),
            rx.el.p("Nothing in it yet. Choose packs with + on the left.", class_name="basket-empty quiet"),
        ),
        rx.el.div(
            rx.el.span(screen.total_label, class_name="quiet"),
            rx.el.div(
                rx.el.strong(screen.total, class_name="total-figure"),
                rx.cond(screen.monthly != "", rx.el.small(screen.monthly)),
                class_name="lines total-sums",
                custom_attrs={"aria-live": "polite"},
            ),
            class_name="two total-line",
        ),
        _pay(screen, paying, pay),
        rx.el.ul(rx.foreach(screen.notes, _note), class_name="basket-notes"),
        class_name="panel side-panel basket",
        aria_label="Basket",
    )


def basket_bar(screen: rx.Var[BuyScreen], paying: rx.Var[bool], pay: Any) -> rx.Component:
    """On the phone: total and button, above the tabs."""
    return rx.cond(
        screen.basket.length() > 0,
        rx.el.div(
            rx.el.div(rx.el.strong(screen.total), rx.el.small(screen.count), class_name="lines"),
            _pay(screen, paying, pay),
            class_name="basket-bar",
        ),
    )


def _line(row: rx.Var[BasketRow], change: Any) -> rx.Component:
    return rx.el.li(
        metric_tile(row.metric.hue, row.metric.icon),
        rx.el.div(rx.el.span(row.name, class_name="strong"), rx.el.small(row.note), class_name="lines"),
        rx.el.span(row.price, class_name="strong"),
        rx.el.button(
            lucide("x", 14),
            type="button",
            class_name="icon-button small",
            aria_label=f"One less of {row.name}",
            title="One less",
            on_click=change(row.id, -1),
        ),
    )


def _pay(screen: rx.Var[BuyScreen], paying: rx.Var[bool], pay: Any) -> rx.Component:
    return rx.cond(
        screen.refusal != "",
        refused_button("Continue to payment", screen.refusal, primary=True, class_name="wide"),
        rx.button(
            rx.cond(paying, "Opening the payment page", "Continue to payment"),
            type="button",
            size="2",
            loading=paying,
            on_click=pay,
            class_name="button primary wide",
        ),
    )


def _note(note: rx.Var[Choice]) -> rx.Component:
    icons = [(name, lucide(name, 14)) for name in NOTE_ICONS]
    return rx.el.li(rx.match(note.value, *icons, lucide("info", 14)), rx.el.span(note.label))


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
