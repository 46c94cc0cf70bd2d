"""Sub-organizations as a tree, and making one."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.frame.banner import notice
from billing_app.ui.kit.basics import link, more_link, refused_button
from billing_app.ui.kit.dialogs import buttons, dialog, refusal
from billing_app.ui.kit.records import Choice
from billing_app.ui.organizations.text import ChildRow


def children_section(screen: Any, state: Any) -> rx.Component:
    """Everything below the organization, and what it is a part of itself."""
    return rx.fragment(
        rx.cond(
            screen.parent != "",
            rx.el.p(
                rx.icon("corner-left-up", size=14, aria_hidden="true"),
                "Part of ",
                rx.cond(
                    screen.parent_href != "",
                    link(screen.parent, href=screen.parent_href, class_name="more"),
                    rx.el.strong(screen.parent),
                ),
                class_name="part-of",
            ),
        ),
        rx.cond(screen.children.length() > 0, _tree(screen, state), _empty(screen, state)),
    )


def _tree(screen: Any, state: Any) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Sub-organizations"),
            rx.el.small(screen.children_taken),
            rx.el.div(
                more_link("Use by source", screen.sources_href),
                rx.cond(screen.admin, _new(screen, state)),
                class_name="panel-tools",
            ),
            class_name="panel-head",
        ),
        rx.el.ul(rx.foreach(screen.children, lambda one: _row(one, screen, state)), class_name="people tree"),
        class_name="panel",
    )


def _empty(screen: Any, state: Any) -> rx.Component:
    return notice(
        "network",
        "No sub-organizations",
        "A department, a club or a customer of yours can have members, keys and processes of its own, while its use "
        "counts on your plan and your credits.",
        rx.cond(screen.admin, _new(screen, state)),
    )


def _new(screen: Any, state: Any) -> rx.Component:
    label = rx.fragment(rx.icon("plus", size=16, aria_hidden="true"), "New sub-organization")
    return rx.cond(
        screen.no_child != "",
        refused_button(label, screen.no_child, primary=True),
        rx.button(label, type="button", on_click=state.open("child"), size="2", class_name="button primary"),
    )


def _row(one: rx.Var[ChildRow], screen: Any, state: Any) -> rx.Component:
    name = rx.cond(
        one.href != "", link(one.name, href=one.href, class_name="strong underlined"), rx.el.strong(one.name)
    )
    return rx.el.li(
        rx.el.span(
            rx.cond(one.deeper, rx.icon("corner-down-right", size=16, aria_hidden="true")),
            rx.el.span(one.initial, class_name="initial small", aria_hidden="true"),
            style={"padding-left": one.indent},
            class_name="branch",
        ),
        rx.el.span(
            rx.el.span(
                name,
                rx.cond(one.active, rx.fragment(), rx.badge("Deactivated", color_scheme="red", class_name="state")),
                class_name="person-name",
            ),
            rx.el.small(one.address),
            class_name="lines",
        ),
        rx.el.span(one.plan, rx.el.small(one.members), class_name="lines plan-of"),
        rx.cond(
            screen.admin,
            rx.el.span(
                rx.cond(
                    one.active,
                    _button("Deactivate", state.ask("deactivate", one.address, one.name), one.name),
                    _button("Activate", state.ask("activate", one.address, one.name), one.name),
                ),
                class_name="row-actions",
            ),
        ),
        custom_attrs={"data-dim": rx.cond(one.active, "no", "yes")},
    )


def _button(label: str, on_click: Any, name: Any) -> rx.Component:
    return rx.button(
        label,
        type="button",
        on_click=on_click,
        size="1",
        variant="outline",
        color_scheme="gray",
        class_name="button quiet",
        aria_label=label + " " + name,
    )


def child_dialog(state: Any) -> rx.Component:
    """Name, place and address of a new sub-organization."""
    form = rx.el.form(
        refusal(state.refused),
        rx.el.label(
            rx.el.span("Name"),
            rx.el.input(name="name", required=True, max_length=200, auto_focus=True, class_name="input"),
            class_name="field",
        ),
        rx.el.label(
            rx.el.span("Part of"),
            rx.el.select(rx.foreach(state.screen.parents, _parent), name="parent", class_name="input"),
            class_name="field",
        ),
        rx.el.label(
            rx.el.span("Address"),
            rx.el.input(name="address", max_length=64, pattern="[A-Za-z0-9._\\-]+", class_name="input"),
            rx.el.small("Its name in links and in the API, for ever. Left empty, one is made."),
            class_name="field",
        ),
        buttons(state.close, "Create"),
        on_submit=state.create_child,
        class_name="form",
    )
    return dialog(
        state.dialog == "child",
        state.close,
        "New sub-organization",
        "You are its first admin. What it uses counts here until it gets a plan of its own.",
        form,
    )


def _parent(one: rx.Var[Choice]) -> rx.Component:
    return rx.el.option(one.label, value=one.value)
