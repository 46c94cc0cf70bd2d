"""Links, buttons, icons, notes and switches."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.inline import A
from reflex_components_core.react_router import link as router_link

from billing_app.domain.catalogue import ICONS
from billing_app.ui.kit.records import Choice

METRIC_ICONS = sorted(ICONS)
"""Icons that a metric may have. A browser gets only these; `gauge` stands for a metric that is known no more."""

SWITCH_LIMIT = 6
"""More metrics than this do not fit beside each other: a select takes the switch's place."""


QUIET = {"variant": "outline", "color_scheme": "gray", "class_name": "button quiet"}
"""How a button looks that is not the page's main one."""


def lucide(name: str, size: int, **props: Any) -> rx.Component:
    """A lucide icon beside words that say the same."""
    return rx.icon(name, size=size, aria_hidden="true", **props)


def quiet_button(*content: Any, **props: Any) -> rx.Component:
    """A button that does something here, beside the main one."""
    return rx.button(*content, **({"type": "button", "size": "2"} | QUIET | props))


def tool_button(label: Any, on_click: Any, icon: str = "", **props: Any) -> rx.Component:
    """A quiet button with an icon, where that says more."""
    return quiet_button(*([lucide(icon, 14)] if icon else []), label, on_click=on_click, **props)


def primary_button(*content: Any, **props: Any) -> rx.Component:
    """The main button of a page or a dialog."""
    return rx.button(*content, **({"type": "button", "size": "2", "class_name": "button primary"} | props))


def icon_button(name: str, label: Any, on_click: Any, size: int = 15, class_name: str = "icon-button") -> rx.Component:
    """A button that is only an icon; what it does is said on hover and to a screen reader."""
    return rx.el.button(
        lucide(name, size), type="button", on_click=on_click, class_name=class_name, title=label, aria_label=label
    )


def close_link(href: Any) -> rx.Component:
    """Closes what is opened beside a list."""
    return link(lucide("x", 16), href=href, class_name="icon-button", aria_label="Close", title="Close")


def panel_head(title: Any, *beside: Any, tools: list[Any] | None = None) -> rx.Component:
    """The head of a panel: what it is, what to know of it, and its tools on the right."""
    right = [rx.el.div(*tools, class_name="panel-tools")] if tools else []
    return rx.el.div(rx.el.h2(title), *beside, *right, class_name="panel-head")


def link(*children: Any, href: Any, **props: Any) -> rx.Component:
    """A link to a page of ours, without loading everything anew."""
    return router_link(*children, to=href, **props)


def plain_link(*children: Any, href: Any, **props: Any) -> rx.Component:
    """A link that the browser follows by itself: to a file, to what is not a page of ours, or to a place on this page.

    Reflex's own `a` is a link of the pages' router, which finds nothing there.
    """
    return A.create(*children, href=href, **props)


def metric_icon(name: rx.Var[str], size: int = 16) -> rx.Component | rx.Var:
    """The lucide icon of a metric."""
    cases = [(known, lucide(known, size)) for known in METRIC_ICONS]
    return rx.match(name, *cases, lucide("gauge", size))


def metric_tile(hue: rx.Var[str], icon: rx.Var[str]) -> rx.Component:
    """The icon on its coloured ground."""
    return rx.el.span(metric_icon(icon), class_name="tile", custom_attrs={"data-hue": hue})


def button_link(*children: Any, href: Any, primary: bool = False, class_name: str = "", **props: Any) -> rx.Component:
    """A link that looks like a button: it goes somewhere."""
    look = {"variant": "solid"} if primary else {"variant": "outline", "color_scheme": "gray"}
    kind = "button primary" if primary else "button quiet"
    return rx.button(
        link(*children, href=href), as_child=True, size="2", class_name=f"{kind} {class_name}", **(look | props)
    )


def download(label: str, href: Any) -> rx.Component:
    """A plain link to a file that the API makes."""
    return rx.button(
        plain_link(lucide("download", 14), label, href=href, download=True), as_child=True, size="2", **QUIET
    )


def refused_button(label: Any, reason: Any, *, primary: bool = False, class_name: str = "") -> rx.Component:
    """A button that does nothing and says why: on hover, on focus, and to a screen reader."""
    look = {"variant": "solid"} if primary else {"variant": "outline", "color_scheme": "gray"}
    return rx.tooltip(
        rx.button(
            label,
            type="button",
            size="2",
            custom_attrs={"aria-disabled": "true"},
            class_name=f"button off {class_name}",
            **look,
        ),
        content=reason,
    )


def choice_switch(
    choices: rx.Var[list[Choice]], value: rx.Var[str], base: rx.Var[str], label: str, size: str = "2"
) -> rx.Component:
    """A switch whose choice lives in the URL: `base` ends with what the value is appended to."""
    segments = rx.segmented_control.root(
        rx.foreach(choices, lambda one: rx.segmented_control.item(one.label, value=one.value)),
        value=value,
        on_change=lambda chosen: rx.redirect(base + chosen.to(str)),
        size=size,
        class_name="switch",
        custom_attrs={"aria-label": label},
    )
    select = rx.select.root(
        rx.select.trigger(custom_attrs={"aria-label": label}, variant="surface"),
        rx.select.content(rx.foreach(choices, lambda one: rx.select.item(one.label, value=one.value))),
        value=value,
        on_change=lambda chosen: rx.redirect(base + chosen),
        size=size,
    )
    return rx.cond(choices.length() > SWITCH_LIMIT, select, segments)


def state_badge(label: rx.Var[str], tone: rx.Var[str]) -> rx.Component | rx.Var:
    """ "Within plan" is quiet, "Using credits" indigo, "Blocked" red with a sign."""
    sign = lucide("ban", 12)
    return rx.match(
        tone,
        ("blocked", rx.badge(sign, label, color_scheme="red", class_name="state")),
        ("credits", rx.badge(label, color_scheme="indigo", class_name="state")),
        ("soon", rx.badge(label, color_scheme="amber", class_name="state")),
        ("good", rx.badge(label, color_scheme="green", class_name="state")),
        rx.badge(label, color_scheme="gray", class_name="state"),
    )


def figure(value: Any, exact: Any = "", class_name: str = "", tone: Any = "") -> rx.Component:
    """A figure with its exact number on hover."""
    return rx.el.span(value, title=exact, class_name=f"figure {class_name}", custom_attrs={"data-tone": tone})


def more_link(label: Any, href: Any) -> rx.Component:
    """ "Open ledger →" """
    return link(label, lucide("arrow-right", 14), href=href, class_name="more")


def head(title: Any, *beside: Any, tools: list[Any] | None = None, crumb: Any = None) -> rx.Component:
    """The page's head: title, what belongs beside it, and its tools on the right."""
    trail = [crumb, rx.icon("chevron-right", size=16, class_name="crumb-mark", aria_hidden="true")] if crumb else []
    return rx.el.header(
        rx.el.div(*trail, rx.el.h1(title), *beside, class_name="head-title"),
        rx.el.div(*(tools or []), class_name="head-tools"),
        class_name="head",
    )


def recount_line(text: rx.Var[str], failed: Any = False) -> rx.Component:
    """ "Counted at 12:00 · next recount 18:00 UTC"."""
    return rx.el.span(
        lucide("refresh-cw", 13),
        text,
        class_name="recount",
        custom_attrs={"data-tone": rx.cond(failed, "soon", "")},
    )
