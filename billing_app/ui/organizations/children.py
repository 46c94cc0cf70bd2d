"""Sub-organizations as a tree, and making one."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.frame.banner import notice
from billing_app.ui.kit.basics import link, lucide, more_link, panel_head, primary_button, quiet_button, refused_button
from billing_app.ui.kit.dialogs import dialog, dialog_form
from billing_app.ui.kit.forms import labelled, select_field, text_field
from billing_app.ui.organizations.text import ChildRow


def children_section(screen: Any, state: Any) -> rx.Component:
    """Everything below the organization, and what it is a part of itself."""
    return rx.fragment(
        rx.cond(
            screen.parent != "",
            rx.el.p(
                lucide("corner-left-up", 14),
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
        panel_head(
            "Sub-organizations",
            rx.el.small(screen.children_taken),
            tools=[more_link("Use by source", screen.sources_href), rx.cond(screen.admin, _new(screen, state))],
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
    label = rx.fragment(lucide("plus", 16), "New sub-organization")
    return rx.cond(
        screen.no_child != "",
        refused_button(label, screen.no_child, primary=True),
        primary_button(label, on_click=state.open("child")),
    )


def _row(one: rx.Var[ChildRow], screen: Any, state: Any) -> rx.Component:
    name = rx.cond(
        one.href != "", link(one.name, href=one.href, class_name="strong underlined"), rx.el.strong(one.name)
    )
    return rx.el.li(
        rx.el.span(
            rx.cond(one.deeper, lucide("corner-down-right", 16)),
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
    return quiet_button(label, on_click=on_click, size="1", aria_label=label + " " + name)


def child_dialog(state: Any) -> rx.Component:
    """Name, place and address of a new sub-organization."""
    form = dialog_form(
        state.refused,
        text_field("Name", name="name", required=True, max_length=200, auto_focus=True),
        select_field("Part of", "parent", state.screen.parents),
        labelled(
            "Address",
            rx.el.input(name="address", max_length=64, pattern="[A-Za-z0-9._\\-]+", class_name="input"),
            rx.el.small("Its name in links and in the API, for ever. Left empty, one is made."),
        ),
        close=state.close,
        go="Create",
        on_submit=state.create_child,
    )
    return dialog(
        state.dialog == "child",
        state.close,
        "New sub-organization",
        "You are its first admin. What it uses counts here until it gets a plan of its own.",
        form,
    )
