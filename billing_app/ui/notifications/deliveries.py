"""What was sent: the list, and one delivery with every try and what it says."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import choice_switch, close_link, panel_head, quiet_button, state_badge
from billing_app.ui.kit.listing import facts, go_cell, table, unless_empty
from billing_app.ui.notifications.text import AttemptRow, DeliveryRow


def delivery_list(screen: Any) -> rx.Component:
    """The newest deliveries."""
    return rx.el.section(
        panel_head(
            "Recent deliveries",
            tools=[choice_switch(screen.states, screen.state, screen.state_base, "Which deliveries", size="1")],
        ),
        unless_empty(
            screen.deliveries,
            _table(screen),
            rx.cond(
                screen.state == "all",
                "Nothing was sent yet. As soon as something happens that somebody is told of, it is listed here.",
                "None of these.",
            ),
        ),
        rx.cond(screen.older != "", rx.el.p(screen.older, class_name="quiet-note inset")),
        class_name="panel",
    )


def _table(screen: Any) -> rx.Component:
    return table(
        "Deliveries, the newest first",
        ("When, UTC", "What", "To", "State", ("Look at it", "unseen")),
        screen.deliveries,
        _row,
        "rows deliveries",
    )


def _row(row: rx.Var[DeliveryRow]) -> rx.Component:
    way = rx.cond(
        row.icon == "mail",
        rx.icon("mail", size=14, aria_label="mail"),
        rx.icon("webhook", size=14, aria_label="webhook"),
    )
    return rx.el.tr(
        rx.el.td(row.when, class_name="quiet d-when"),
        rx.el.th(rx.el.span(row.title), scope="row", class_name="d-what"),
        rx.el.td(rx.el.span(way, rx.el.span(row.receiver), class_name="to"), class_name="quiet d-to"),
        rx.el.td(
            rx.el.span(
                state_badge(row.state, row.tone),
                rx.el.small(row.note, title=row.note),
                class_name="outcome",
            ),
            class_name="d-state",
        ),
        go_cell(row.href, f"{row.title}, {row.when}"),
        custom_attrs={"data-chosen": rx.cond(row.chosen, "yes", "no")},
    )


def opened_delivery(state: Any) -> rx.Component:
    """One delivery."""
    opened = state.screen.opened
    return rx.el.section(
        rx.el.div(
            rx.el.h2(opened.title),
            close_link(state.screen.close_href),
            class_name="two",
        ),
        facts(opened.facts, "facts"),
        rx.el.div(
            rx.el.h2("Tries"),
            quiet_button("Send again", size="1", on_click=state.resend(opened.id)),
            class_name="two tries-head",
        ),
        rx.cond(
            opened.tries.length() > 0,
            rx.el.ol(rx.foreach(opened.tries, _try), class_name="tries"),
            rx.el.p("It is on its way.", class_name="quiet-note"),
        ),
        rx.cond(
            opened.body != "",
            rx.fragment(
                rx.el.h2("What it says"),
                rx.el.pre(opened.body, tab_index=0, aria_label="What it says", class_name="payload"),
            ),
        ),
        class_name="panel side-panel trace",
        aria_label="Delivery",
    )


def _try(one: rx.Var[AttemptRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(one.result, custom_attrs={"data-tone": one.tone}), rx.el.small(one.took), class_name="two"
        ),
        rx.el.small(one.when, " UTC"),
        rx.cond(one.answer != "", rx.el.pre(one.answer, class_name="payload short")),
    )
