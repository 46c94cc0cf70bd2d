"""The frame around every page of an operator. A new page adds one line to `ENTRIES`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from billing_app.ui import operator_routes, routes
from billing_app.ui.access.operator_session import OperatorFrame
from billing_app.ui.frame.banner import notice, refusal, remark
from billing_app.ui.frame.parts import appearance_button, broken, sign_out, test_mode
from billing_app.ui.kit.basics import button_link, link, more_link, plain_link

around: Any = OperatorFrame.around


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the side. `tab` is its short name among the phone's tabs; without one it is under "More"."""

    key: str
    label: str
    icon: str
    href: str
    tab: str = ""
    group: int = 0
    """Entries of one number stand together."""


ENTRIES = (
    Entry("organizations", "Organizations", "building-2", operator_routes.ORGANIZATIONS, tab="Customers"),
    Entry("catalogue", "Catalogue", "book-open", operator_routes.CATALOGUE, tab="Catalogue"),
    Entry("gift-cards", "Gift cards", "gift", operator_routes.GIFT_CARDS, tab="Gift cards"),
    Entry("stripe-events", "Stripe events", "webhook", operator_routes.STRIPE_EVENTS, tab="Events", group=1),
    Entry("reconciliation", "Reconciliation", "scale", operator_routes.RECONCILIATION, group=1),
    Entry("recounts", "Recounts", "refresh-cw", operator_routes.RECOUNTS, group=1),
    Entry("audit", "Audit log", "list-checks", operator_routes.AUDIT, group=2),
)


def operator_page(content: Any, *, active: str, ready: Any, skeleton: Any) -> rx.Component:
    """A page inside the frame. Until its data is there it shows a skeleton in the final shape."""
    body = rx.match(
        OperatorFrame.problem,
        ("not_found", _not_found()),
        ("forbidden", _forbidden()),
        ("broken", broken()),
        rx.cond(
            ready,
            rx.fragment(rx.cond(around.given_up != "", _given_up()), refusal(OperatorFrame), content),
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


def _given_up() -> rx.Component:
    """What only an operator can mend, on every page of theirs."""
    words = "Three days of tries have failed: open one, mend the cause, replay it."
    return remark(
        "triangle-alert", around.given_up, words, tone="blocked", action=more_link("Show", around.given_up_href)
    )


def _current(entry: Entry, active: str) -> dict[str, str]:
    return {"aria-current": "page"} if entry.key == active else {}


def _side(active: str) -> rx.Component:
    groups: list[Any] = []
    for before, entry in zip((ENTRIES[0], *ENTRIES), ENTRIES, strict=False):
        if entry.group != before.group:
            groups.append(rx.el.hr())
        icon = rx.icon(entry.icon, size=16, aria_hidden="true")
        groups.append(
            link(
                icon,
                entry.label,
                href=entry.href,
                title=entry.label,
                class_name="entry",
                custom_attrs=_current(entry, active),
            )
        )
    return rx.el.aside(
        _brand("side-switcher"),
        rx.el.nav(*groups, aria_label="Pages", class_name="side-nav"),
        rx.el.div(class_name="side-space"),
        rx.cond(around.home_href != "", _back("entry")),
        rx.cond(around.test_mode, test_mode()),
        rx.el.div(
            rx.el.span(rx.el.strong(around.person), rx.el.small("Operator"), class_name="lines"),
            sign_out(rx.icon("log-out", size=15, aria_hidden="true"), "icon-button"),
            appearance_button(),
            class_name="person",
        ),
        class_name="side",
    )


def _brand(class_name: str) -> rx.Component:
    """Where an organization's pages have their switcher."""
    return link(
        rx.el.span(rx.icon("shield", size=15, aria_hidden="true"), class_name="initial", aria_hidden="true"),
        rx.el.span(rx.el.strong("Operator"), rx.el.small("All organizations"), class_name="lines"),
        href=operator_routes.ORGANIZATIONS,
        class_name=f"switcher {class_name}",
    )


def _back(class_name: str, size: int = 16) -> rx.Component:
    icon = rx.icon("arrow-left", size=size, aria_hidden="true")
    return link(icon, "My organization", href=around.home_href, title="My organization", class_name=class_name)


def _phone_head() -> rx.Component:
    return rx.el.header(
        _brand("phone-switcher"),
        rx.cond(around.test_mode, rx.el.span("TEST MODE", class_name="test-mode")),
        appearance_button(),
        class_name="phone-head",
    )


def _phone_tabs(active: str) -> rx.Component:
    tabs = [
        link(
            rx.icon(entry.icon, size=20, aria_hidden="true"),
            rx.el.span(entry.tab),
            href=entry.href,
            class_name="tab",
            custom_attrs=_current(entry, active),
        )
        for entry in ENTRIES
        if entry.tab
    ]
    return rx.el.nav(*tabs, _more(active), aria_label="Pages", class_name="phone-tabs")


def _more(active: str) -> rx.Component:
    rest = [entry for entry in ENTRIES if not entry.tab]
    lines = [
        rx.popover.close(
            link(rx.icon(entry.icon, size=18, aria_hidden="true"), entry.label, href=entry.href, class_name="more-line")
        )
        for entry in rest
    ]
    return rx.popover.root(
        rx.popover.trigger(
            rx.el.button(
                rx.icon("menu", size=20, aria_hidden="true"),
                rx.el.span("More"),
                type="button",
                class_name="tab",
                custom_attrs={"aria-current": "page"} if active in {entry.key for entry in rest} else {},
            )
        ),
        rx.popover.content(
            *lines,
            rx.cond(around.home_href != "", rx.popover.close(_back("more-line", 18))),
            sign_out(rx.fragment(rx.icon("log-out", size=18, aria_hidden="true"), "Sign out"), "more-line"),
            rx.el.p(around.person, " \N{MIDDLE DOT} Operator", class_name="menu-note"),
            side="top",
            align="end",
            size="1",
            class_name="more-menu",
        ),
    )


def _not_found() -> rx.Component:
    return notice(
        "circle-help",
        "There is nothing here",
        OperatorFrame.problem_detail,
        button_link("All organizations", href=operator_routes.ORGANIZATIONS, primary=True),
        whole=True,
    )


def _forbidden() -> rx.Component:
    return notice(
        "lock",
        "This is for operators only",
        "Your account has no part in running this console.",
        button_link("Go to my organization", href=routes.HOME, primary=True),
        whole=True,
    )
