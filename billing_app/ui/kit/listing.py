"""Parts of pages that list things: filters, tables, facts, pagers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import button_link, link, lucide
from billing_app.ui.kit.records import Choice, Field

TYPING_MS = 350
"""A pause this long while somebody types means that they want to see what was found."""


def select(choices: rx.Var[list[Choice]], value: rx.Var[str], base: rx.Var[str], label: str) -> rx.Component:
    """A filter whose choice lives in the URL: `base` ends with what the value is appended to."""
    return rx.select.root(
        rx.select.trigger(custom_attrs={"aria-label": label}, class_name="select"),
        rx.select.content(rx.foreach(choices, lambda one: rx.select.item(one.label, value=one.value))),
        value=value,
        on_change=lambda chosen: rx.redirect(base + chosen),
        size="2",
    )


def search_field(value: rx.Var[str], on_search: Any, label: str) -> rx.Component:
    """A search that happens while one types. What is looked for lives in the URL, which gives `value`."""
    typed = rx.el.input(
        type="search", value=value, on_change=on_search, placeholder=label, aria_label=label, class_name="input",
        max_length=100, auto_complete="off",
    )  # fmt: skip
    return rx.el.div(rx.debounce_input(typed, debounce_timeout=TYPING_MS), role="search", class_name="search")


def pager(
    newest_href: rx.Var[str], older_href: rx.Var[str], label: str, newest: str = "Newest", older: str = "Older"
) -> rx.Component:
    """The way to the pages before and after."""
    return rx.cond(
        (older_href != "") | (newest_href != ""),
        rx.el.nav(
            rx.cond(newest_href != "", button_link(newest, href=newest_href)),
            rx.cond(older_href != "", button_link(older, href=older_href)),
            aria_label=label,
            class_name="pager",
        ),
    )


def table(
    caption: str, heads: Sequence[str | tuple[str, str]], rows: Any, row: Any, class_name: Any, **scroller: Any
) -> rx.Component:
    """Rows under heads. A head is a text, or a text and its class; what is `unseen` is for screen readers alone."""
    named = [(head, "") if isinstance(head, str) else head for head in heads]
    cells = [
        rx.el.th(rx.el.span(text, class_name=kind), scope="col")
        if kind == "unseen"
        else rx.el.th(text, scope="col", class_name=kind)
        for text, kind in named
    ]
    return rx.el.div(
        rx.el.table(
            rx.el.caption(caption, class_name="unseen"),
            rx.el.thead(rx.el.tr(*cells)),
            rx.el.tbody(rx.foreach(rows, row)),
            class_name=class_name,
        ),
        class_name="scroll",
        **scroller,
    )


def go_cell(href: Any, label: Any) -> rx.Component:
    """A row's last cell: the whole row leads there."""
    way = link(lucide("chevron-right", 14), href=href, class_name="cover quiet", aria_label=label)
    return rx.el.td(rx.cond(href != "", way), class_name="go")


def unless_empty(rows: rx.Var[list], content: Any, text: Any) -> rx.Component | rx.Var:
    """`content`, or in its place what is said of no rows."""
    return rx.cond(rows.length() > 0, content, rx.el.p(text, class_name="quiet-note inset"))


def facts(listed: rx.Var[list[Field]], class_name: str = "facts", **props: Any) -> rx.Component:
    """Names and figures; the exact figure on hover."""
    return rx.el.dl(
        rx.foreach(
            listed,
            lambda one: rx.el.div(
                rx.el.dt(one.label), rx.el.dd(one.value, title=one.hint, custom_attrs={"data-tone": one.tone})
            ),
        ),
        class_name=class_name,
        **props,
    )


def answer(sentence: Any, note: Any, *tools: Any, tone: Any = "") -> rx.Component:
    """The page's answer in a sentence, what it rests on, and the one thing to do."""
    return rx.el.section(
        rx.el.div(
            rx.el.p(sentence, class_name="answer-sentence", custom_attrs={"data-tone": tone}),
            rx.el.p(note, class_name="quiet-note"),
            class_name="answer-words",
        ),
        *tools,
        class_name="panel answer",
        custom_attrs={"aria-live": "polite"},
    )
