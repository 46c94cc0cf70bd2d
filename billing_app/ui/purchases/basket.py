"""What lies in the basket, what it costs, and the button that pays."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import lucide, metric_tile, refused_button
from billing_app.ui.kit.records import Choice
from billing_app.ui.purchases.text import BasketRow, BuyScreen

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
