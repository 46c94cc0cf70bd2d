"""What frames have in common: the brand, the sign of test mode, the way out, light and dark, and the broken page."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui import routes
from billing_app.ui.frame.banner import notice
from billing_app.ui.kit.basics import plain_link
from billing_app.ui.kit.forms import plain_form


def mark() -> rx.Component:
    """The console's sign."""
    return rx.el.img(src="/logo.svg", alt="", width="28", height="28")


def brand(class_name: str) -> rx.Component:
    """The console's own name, where there is no organization's to show."""
    return rx.el.div(
        mark(),
        rx.el.span(rx.el.strong("Billing console"), class_name="lines"),
        class_name=f"switcher still {class_name}",
    )


def test_mode() -> rx.Component:
    """Says that no money moves."""
    return rx.el.p(
        rx.el.strong("TEST MODE"),
        rx.el.span("Payments go to a fake Stripe. No money moves."),
        class_name="test-mode",
    )


def sign_out(content: Any, class_name: str) -> rx.Component:
    """A form, because signing out ends in a full page load that opens the websocket anew."""
    return plain_form(
        rx.el.button(content, type="submit", class_name=class_name, title="Sign out", aria_label="Sign out"),
        method="post",
        action=f"{routes.API}/sign-out",
    )


def signed_in_as(email: rx.Var[str]) -> rx.Component | rx.Var:
    """Who is here, and the way out: there is no frame yet that says it."""
    return rx.cond(
        email != "",
        rx.el.div(
            rx.el.span("Signed in as ", email, "."), sign_out("Sign out", "text-link"), class_name="quiet-note who"
        ),
    )


def appearance_button() -> rx.Component:
    """Light or dark; until it is used, the system decides."""
    return rx.el.button(
        rx.color_mode_cond(
            light=rx.icon("moon", size=15, aria_hidden="true"), dark=rx.icon("sun", size=15, aria_hidden="true")
        ),
        type="button",
        on_click=rx.toggle_color_mode,
        class_name="icon-button",
        title="Light or dark",
        aria_label="Switch between light and dark",
    )


def broken() -> rx.Component:
    """What is shown in place of a page whose handler failed."""
    return notice(
        "unplug",
        "This did not work",
        "Something went wrong on our side. Nothing was changed, and no figure was lost. Try again in a moment.",
        rx.button(plain_link("Try again", href=""), as_child=True, size="2", class_name="button primary"),
        tone="blocked",
        whole=True,
    )
