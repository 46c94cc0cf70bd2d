"""What the frame shows around pages of an organization: its pages, the switcher, and what is said of its payer."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui import routes
from billing_app.ui.frame.banner import notice, remark
from billing_app.ui.frame.layout import Entry, Frame, framed
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.frame.text import SwitchLine
from billing_app.ui.kit.basics import button_link, head, link, lucide

frame: Any = OrganizationPage.frame


def page(content: Any, *, active: str, ready: Any, skeleton: Any) -> rx.Component:
    """A page of an organization inside the frame."""
    return framed(_frame(), content, active=active, ready=ready, skeleton=skeleton)


def _frame() -> Frame:
    return Frame(
        state=OrganizationPage,
        entries=(
            Entry("overview", "Overview", "layout-dashboard", frame.overview_href, tab="Overview", sign=_dot(frame)),
            Entry("usage", "Usage", "chart-column", frame.usage_href, tab="Usage"),
            Entry("credits", "Credits", "coins", frame.credits_href, tab="Credits"),
            Entry("buy", "Buy", "plus", frame.buy_href, tab="Buy", within="credits"),
            Entry("ledger", "Ledger", "scroll-text", frame.ledger_href),
            Entry("plan", "Plan", "layers", frame.plan_href, group=1),
            Entry("features", "Features", "toggle-left", frame.features_href, group=1),
            Entry("processes", "Processes", "list-checks", frame.processes_href, group=1),
            Entry("organization", "Organization", "building-2", frame.organization_href, group=2),
            Entry("alerts", "Alerts", "bell", frame.alerts_href, group=2),
        ),
        top=_switcher,
        role=frame.role,
        other_side=Entry("operator", "Operator", "shield", frame.operator_href),
        not_found=notice(
            "circle-help",
            "There is nothing here",
            "No organization of this name, or none that you are a member of.",
            button_link("Go to my organization", href=routes.HOME, primary=True),
            whole=True,
        ),
        forbidden=notice(
            "lock",
            "Your role does not open this page",
            OrganizationPage.problem_detail,
            button_link("Back to the overview", href=frame.overview_href, primary=True),
            whole=True,
        ),
        unknown=frame.address == "",
        nowhere=OrganizationPage.problem == "not_found",
        home=Entry("home", "My organization", "arrow-left", routes.HOME),
    )


def _dot(one: Any) -> rx.Component | rx.Var:
    """Something is blocked there."""
    return rx.cond(one.blocked, rx.el.span(rx.el.span("blocked", class_name="unseen"), class_name="dot"))


def _switcher(class_name: str) -> rx.Component:
    """The organizations of this person."""
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(
            rx.el.button(
                rx.el.span(frame.initial, class_name="initial", aria_hidden="true"),
                rx.el.span(rx.el.strong(frame.name), rx.el.small(frame.plan), class_name="lines"),
                lucide("chevrons-up-down", 14),
                type="button",
                class_name=f"switcher {class_name}",
                aria_label=f"Organization {frame.name}, {frame.plan}. Switch organization",
            )
        ),
        rx.dropdown_menu.content(
            rx.foreach(frame.organizations, _switch_line),
            rx.cond(frame.more != "", rx.el.p(frame.more, class_name="menu-note")),
            rx.cond(frame.may_create, _new_organization()),
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
            _dot(line),
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
                rx.el.span(lucide("plus", 14), class_name="initial small plain"),
                "New organization",
                href=routes.NEW_ORGANIZATION,
                class_name="switch-line",
            ),
            as_child=True,
        ),
    )


def paid_by() -> rx.Component:
    """One line above figures that are somebody else's."""
    return rx.cond(
        frame.payer != "",
        remark(
            "network",
            frame.payer + " pays for this organization.",
            "Its plan and credits are shared by all that it pays for. What is yours of their use stands beside it.",
            action=rx.cond(
                frame.payer_href != "",
                rx.el.div(button_link(_open(), href=frame.payer_href), class_name="banner-actions"),
            ),
        ),
    )


def elsewhere(
    content: Any, page: str, icon: str, title: str, text: str, *, keeps: bool = True
) -> rx.Component | rx.Var:
    """`content` of the page `page`, or who does that instead.

    What is left of its own credits stays readable where the page `keeps` it.
    """
    instead = rx.fragment(
        head(page),
        notice(
            icon,
            title,
            frame.payer + text,
            rx.cond(
                frame.payer_buy_href != "",
                button_link("Buy credits there", href=frame.payer_buy_href, primary=True),
                rx.cond(frame.payer_href != "", button_link(_open(), href=frame.payer_href, primary=True)),
            ),
            rx.cond(
                frame.payer_href != "",
                button_link("See what is left", href=frame.overview_href),
                button_link("See what is left", href=frame.overview_href, primary=True),
            ),
        ),
    )
    if not keeps:
        return rx.cond(frame.payer != "", instead, content)
    resting = remark(
        "network",
        frame.payer + " pays for this organization.",
        "These are credits of its own from before. They pay for nothing meanwhile, and still end on their dates.",
    )
    own = rx.fragment(rx.cond(frame.payer != "", resting), content)
    return rx.cond((frame.payer != "") & ~frame.keeps_credits, instead, own)


def _open() -> rx.Component:
    return rx.fragment("Open ", frame.payer)
