"""What the frame shows around operators' pages. A new page adds one line to `ENTRIES`."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui import operator_routes, routes
from billing_app.ui.frame.banner import notice, remark
from billing_app.ui.frame.layout import Entry, Frame, framed
from billing_app.ui.frame.state import OperatorPage
from billing_app.ui.kit.basics import button_link, link, lucide, more_link

frame: Any = OperatorPage.frame

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
    """A page of operators inside the frame."""
    frames = Frame(
        state=OperatorPage,
        entries=ENTRIES,
        top=_top,
        role="Operator",
        other_side=Entry("organization", "My organization", "arrow-left", frame.home_href),
        above=(rx.cond(frame.given_up != "", _given_up()),),
        not_found=notice(
            "circle-help",
            "There is nothing here",
            OperatorPage.problem_detail,
            button_link("All organizations", href=operator_routes.ORGANIZATIONS, primary=True),
            whole=True,
        ),
        forbidden=notice(
            "lock",
            "This is for operators only",
            "Your account has no part in running this console.",
            button_link("Go to my organization", href=routes.HOME, primary=True),
            whole=True,
        ),
    )
    return framed(frames, content, active=active, ready=ready, skeleton=skeleton)


def _top(class_name: str) -> rx.Component:
    """Where an organization's pages have their switcher."""
    return link(
        rx.el.span(lucide("shield", 15), class_name="initial", aria_hidden="true"),
        rx.el.span(rx.el.strong("Operator"), rx.el.small("All organizations"), class_name="lines"),
        href=operator_routes.ORGANIZATIONS,
        class_name=f"switcher {class_name}",
    )


def _given_up() -> rx.Component:
    """What only an operator can mend, on every page of theirs."""
    words = "Three days of tries have failed: open one, mend the cause, replay it."
    return remark(
        "triangle-alert", frame.given_up, words, tone="blocked", action=more_link("Show", frame.given_up_href)
    )
