"""The look in one place: Radix theme and stylesheets. Everything else is in assets/billing.css, in Radix tokens."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_radix.plugin import RadixThemesPlugin

STYLESHEETS = ["/billing.css", "/operator.css", "/plan.css"]

ACCENT, GRAY = "indigo", "slate"

COLOURS = (
    # of the theme, and of what Radix' components say
    ACCENT, "gray", GRAY, "red", "amber", "green",
    # of metrics (ui/kit/charts/palette.py)
    "blue", "jade", "purple", "brown", "pink", "cyan", "gold",
)  # fmt: skip
"""The scales of Radix that are used here. It has 31, in light and dark and for two kinds of screens, and all of them
are a fifth of what a browser loads of its stylesheets."""


class Look(RadixThemesPlugin):
    """Radix' theme with the scales and the components that are used."""

    def get_frontend_dependencies(self, **context: Any) -> tuple[str, ...]:
        """None beside those of our components: what is named here is loaded whole by every page, for components that a
        state may bring, and no state of ours does."""
        return ()

    def get_stylesheet_paths(self, **context: Any) -> tuple[str, ...]:
        """Radix' parts in the order of its own styles.css."""
        scales = (f"tokens/colors/{colour}.css" for colour in COLOURS)
        parts = ("tokens/base.css", *scales, "components.css", "utilities.css")
        return tuple(f"@radix-ui/themes/{part}" for part in parts)


def radix_theme() -> rx.Component:
    """Indigo on slate; appearance follows the system until a reader switches."""
    return rx.theme(
        accent_color=ACCENT,
        gray_color=GRAY,
        radius="medium",
        scaling="100%",
        panel_background="solid",
    )
