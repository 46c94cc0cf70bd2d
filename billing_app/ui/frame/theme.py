"""The look in one place: Radix theme and stylesheet. Everything else is in assets/billing.css, in Radix tokens."""

import reflex as rx

STYLESHEETS = ["/billing.css", "/operator.css", "/plan.css"]


def radix_theme() -> rx.Component:
    """Indigo on slate; appearance follows the system until a reader switches."""
    return rx.theme(
        accent_color="indigo",
        gray_color="slate",
        radius="medium",
        scaling="100%",
        panel_background="solid",
    )
