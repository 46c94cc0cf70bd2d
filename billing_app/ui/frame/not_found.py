"""What is shown where there is no page; the server answers 404 with it."""

from __future__ import annotations

import reflex as rx

from billing_app.ui import routes
from billing_app.ui.frame.layout import bare_page
from billing_app.ui.kit.basics import button_link


def not_found_page() -> rx.Component:
    """Says so, and leads back: to one's organization, or to signing in."""
    return bare_page(
        rx.el.h1("There is nothing here"),
        rx.el.p("No page has this address. It may be mistyped, or the page has moved.", class_name="quiet"),
        button_link("Go to my organization", href=routes.HOME, primary=True),
    )
