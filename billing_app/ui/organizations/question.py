"""What the page asks before it ends something."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import primary_button
from billing_app.ui.kit.dialogs import buttons, dialog, question, refusal


def ask_first(state: Any) -> rx.Component:
    """One question for each thing that can be ended; and the sentence for what was refused without one."""
    name = state.asked.name
    cases = (
        ("remove", f"Remove {name}?", "They see nothing more of this organization, from the next click on.", "Remove"),
        ("withdraw", f"Take back the invitation of {name}?", "Its link stops working.", "Take back"),
        ("deactivate", f"Deactivate {name}?", "Its data stays. Every check and every use is refused until it is "
         "activated again, and its place is free.", "Deactivate"),
        ("revoke", f"Revoke {name}?", "Programs that use it are refused from the next request on. This can't be "
         "undone.", "Revoke"),
    )  # fmt: skip
    return rx.fragment(
        *(
            question(state.asked.what == what, state.close, title, text, go, state.act, state.refused)
            for what, title, text, go in cases
        ),
        question(
            state.asked.what == "leave",
            state.close,
            f"Leave {name}?",
            "You see nothing more of it until somebody invites you again.",
            "Leave",
            state.leave,
            state.refused,
        ),
        dialog(
            state.asked.what == "activate",
            state.close,
            f"Activate {name}?",
            "It may do again what the plan allows, and takes a place.",
            rx.el.form(
                refusal(state.refused),
                buttons(state.close, "Activate"),
                on_submit=lambda _form: state.act(),
                class_name="form",
            ),
        ),
        dialog(
            state.dialog == "refused",
            state.close,
            "This was not changed",
            state.refused,
            rx.el.div(
                primary_button("Close", on_click=state.close),
                class_name="dialog-foot",
            ),
        ),
    )
