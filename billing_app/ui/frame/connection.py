"""What a page says while its live connection to the console is refused or lost: assets/connection.js fills it.

The script needs nothing of the page but what stands here: how often connecting has failed since it last worked, why it
failed last (a sentence if the console said so, see api/common/sockets.py), and whether the console has answered this
page.
"""

from __future__ import annotations

import reflex as rx
from reflex_components_core.core.banner import connection_error, connection_errors_count

SCRIPT = "/connection.js"


@rx.memo
def connection() -> rx.Component:
    """The place for the sentence, above everything, empty while all is well."""
    return rx.el.div(
        id="connection",
        aria_live="polite",
        class_name="connection",
        custom_attrs={
            "data-errors": connection_errors_count,
            "data-reason": connection_error,
            "data-answered": rx.cond(rx.State.is_hydrated, "true", "false"),
        },
    )
