"""The frame around every page of an organization: side, phone head, phone tabs, and what is shown when things fail."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui import routes
from billing_app.ui.access.session import Frame
from billing_app.ui.frame.banner import notice, refusal
from billing_app.ui.frame.parts import appearance_button, brand, broken, mark, sign_out, test_mode
from billing_app.ui.frame.text import SwitchLine
from billing_app.ui.kit.basics import button_link, link, plain_link

shell: Any = Frame.shell

lost = Frame.problem == "not_found"
"""There is no organization at this address, or none for this person: the frame has nothing to say of one."""

PAGES = (
    (
        ("overview", "Overview", "layout-dashboard"),
        ("usage", "Usage", "chart-column"),
        ("credits", "Credits", "coins"),
        ("ledger", "Ledger", "scroll-text"),
    ),
    (("plan", "Plan", "layers"), ("features", "Features", "toggle-left"), ("processes", "Processes", "list-checks")),
    (("organization", "Organization", "building-2"), ("alerts", "Alerts", "bell")),
)
"""Side entries in groups. One whose `..._href` in the shell is empty is not for this person and not shown."""

TABS = (
    ("overview", "Overview", "layout-dashboard"),
    ("usage", "Usage", "chart-column"),
    ("credits", "Credits", "coins"),
    ("buy", "Buy", "plus"),
)


def page(content: Any, *, active: str, ready: Any, skeleton: Any) -> rx.Component:
    """A page inside the frame. Until its data is there it shows a skeleton in the final shape."""
    body = rx.match(
        Frame.problem,
        ("not_found", _not_found()),
        ("forbidden", _forbidden()),
        ("broken", broken()),
        rx.cond(
            ready,
            rx.fragment(refusal(Frame), content),
            rx.el.div(skeleton, aria_busy="true", aria_label="Loading"),
        ),
    )
    return rx.el.div(
        plain_link("Skip to content", href="#content", class_name="skip"),
        _side(active),
        _phone_head(),
        rx.el.main(body, id="content", tab_index=-1, class_name="main"),
        _phone_tabs(active),
        class_name="app",
    )


def bare_page(*content: Any) -> rx.Component:
    """A page without an organization: sign in and the like."""
    return rx.el.div(
        rx.el.main(
            rx.el.div(mark(), rx.el.span("Billing console"), class_name="bare-brand"),
            rx.el.div(*content, class_name="panel bare-panel"),
            id="content",
            class_name="bare-main",
        ),
        rx.el.footer(appearance_button(), class_name="bare-foot"),
        class_name="bare",
    )


def _side(active: str) -> rx.Component:
    groups: list[Any] = []
    for index, group in enumerate(PAGES):
        if index:
            groups.append(rx.el.hr())
        groups += [_entry(key, label, icon, active) for key, label, icon in group]
    home = rx.el.nav(_to_own("entry", 16), aria_label="Pages", class_name="side-nav")
    return rx.el.aside(
        rx.cond(lost, brand("side-switcher"), _switcher("side-switcher")),
        rx.cond(lost, home, rx.el.nav(*groups, aria_label="Pages", class_name="side-nav")),
        rx.el.div(class_name="side-space"),
        rx.cond(shell.operator_href != "", _to_operator("entry", 16)),
        rx.cond(shell.test_mode, test_mode()),
        _person(),
        class_name="side",
    )


def _entry(key: str, label: str, icon: str, active: str) -> rx.Component:
    href = getattr(shell, f"{key}_href")
    dot = (
        rx.cond(shell.blocked, rx.el.span(rx.el.span("blocked", class_name="unseen"), class_name="dot"))
        if key == "overview"
        else rx.fragment()
    )
    entry = link(
        rx.icon(icon, size=16, aria_hidden="true"),
        label,
        dot,
        href=href,
        title=label,
        class_name="entry",
        custom_attrs={"aria-current": "page"} if key == active or (key, active) == ("credits", "buy") else {},
    )
    return rx.cond((href != "") | (shell.address == ""), entry)


def _switcher(class_name: str) -> rx.Component:
    """The organizations of this person."""
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(
            rx.el.button(
                rx.el.span(shell.initial, class_name="initial", aria_hidden="true"),
                rx.el.span(rx.el.strong(shell.name), rx.el.small(shell.plan), class_name="lines"),
                rx.icon("chevrons-up-down", size=14, aria_hidden="true"),
                type="button",
                class_name=f"switcher {class_name}",
                aria_label=f"Organization {shell.name}, {shell.plan}. Switch organization",
            )
        ),
        rx.dropdown_menu.content(
            rx.foreach(shell.organizations, _switch_line),
            rx.cond(shell.more != "", rx.el.p(shell.more, class_name="menu-note")),
            rx.cond(shell.may_found, _new_organization()),
            variant="soft",
            size="2",
            class_name="menu",
        ),
    )


def _switch_line(line: rx.Var[SwitchLine]) -> rx.Component:
    return rx.dropdown_menu.item(
        link(
            rx.el.span(line.initial, class_name="initial small", aria_hidden="true"),
            rx.el.span(rx.el.strong(line.name), rx.el.small(line.plan), class_name="lines"),
            rx.cond(line.blocked, rx.el.span(rx.el.span("blocked", class_name="unseen"), class_name="dot")),
            rx.cond(line.here, rx.icon("check", size=14, aria_label="current")),
            href=line.href,
            class_name="switch-line",
        ),
        as_child=True,
    )


def _new_organization() -> rx.Component:
    return rx.fragment(
        rx.dropdown_menu.separator(),
        rx.dropdown_menu.item(
            link(
                rx.el.span(rx.icon("plus", size=14, aria_hidden="true"), class_name="initial small plain"),
                "New organization",
                href=routes.NEW_ORGANIZATION,
                class_name="switch-line",
            ),
            as_child=True,
        ),
    )


def _person() -> rx.Component:
    return rx.el.div(
        rx.el.span(rx.el.strong(shell.person), rx.el.small(shell.role), class_name="lines"),
        sign_out(rx.icon("log-out", size=15, aria_hidden="true"), "icon-button"),
        appearance_button(),
        class_name="person",
    )


def _phone_head() -> rx.Component:
    return rx.el.header(
        rx.cond(lost, brand("phone-switcher"), _switcher("phone-switcher")),
        rx.cond(shell.test_mode, rx.el.span("TEST MODE", class_name="test-mode")),
        appearance_button(),
        class_name="phone-head",
    )


def _phone_tabs(active: str) -> rx.Component:
    tabs = [
        link(
            rx.icon(icon, size=20, aria_hidden="true"),
            rx.el.span(label),
            href=getattr(shell, f"{key}_href"),
            class_name="tab",
            custom_attrs={"aria-current": "page"} if key == active else {},
        )
        for key, label, icon in TABS
    ]
    every = rx.el.nav(*tabs, _more(active), aria_label="Pages", class_name="phone-tabs")
    return rx.cond(lost, rx.fragment(), every)


def _more(active: str) -> rx.Component:
    """Everything that has no tab of its own."""
    tabs = {key for key, _, _ in TABS}
    rest = [each for group in PAGES for each in group if each[0] not in tabs]
    return rx.popover.root(
        rx.popover.trigger(
            rx.el.button(
                rx.icon("menu", size=20, aria_hidden="true"),
                rx.el.span("More"),
                type="button",
                class_name="tab",
                custom_attrs={"aria-current": "page"} if active in {key for key, _, _ in rest} else {},
            )
        ),
        rx.popover.content(
            *[_more_line(key, label, icon) for key, label, icon in rest],
            rx.cond(shell.operator_href != "", rx.popover.close(_to_operator("more-line", 18))),
            sign_out(rx.fragment(rx.icon("log-out", size=18, aria_hidden="true"), "Sign out"), "more-line"),
            rx.el.p(shell.person, " \N{MIDDLE DOT} ", shell.role, class_name="menu-note"),
            side="top",
            align="end",
            size="1",
            class_name="more-menu",
        ),
    )


def _more_line(key: str, label: str, icon: str) -> rx.Component:
    href = getattr(shell, f"{key}_href")
    line = link(rx.icon(icon, size=18, aria_hidden="true"), label, href=href, class_name="more-line")
    return rx.cond(href != "", rx.popover.close(line))


def _to_own(class_name: str, size: int) -> rx.Component:
    """The way out of an address that leads nowhere."""
    icon = rx.icon("arrow-left", size=size, aria_hidden="true")
    return link(icon, "My organization", href=routes.HOME, title="My organization", class_name=class_name)


def _to_operator(class_name: str, size: int) -> rx.Component:
    """An operator's way back to all organizations."""
    icon = rx.icon("shield", size=size, aria_hidden="true")
    return link(icon, "Operator", href=shell.operator_href, title="Operator", class_name=class_name)


def _not_found() -> rx.Component:
    return notice(
        "circle-help",
        "There is nothing here",
        "No organization of this name, or none that you are a member of.",
        button_link("Go to my organization", href=routes.HOME, primary=True),
        whole=True,
    )


def _forbidden() -> rx.Component:
    return notice(
        "lock",
        "Your role does not open this page",
        Frame.problem_detail,
        button_link("Back to the overview", href=shell.overview_href, primary=True),
        whole=True,
    )
