"""Asking before something is done that cannot be undone, and showing a secret that is shown once."""

from __future__ import annotations

from typing import Any

import reflex as rx


def asking(trigger: rx.Component, title: Any, text: Any, action: str, on_click: Any, *, danger: bool = True) -> Any:
    """A dialog that says what will happen, with the way back first."""
    return rx.alert_dialog.root(
        rx.alert_dialog.trigger(trigger),
        rx.alert_dialog.content(
            rx.alert_dialog.title(title, size="3"),
            rx.alert_dialog.description(text, size="2"),
            rx.el.div(
                rx.alert_dialog.cancel(
                    rx.button("Cancel", variant="outline", color_scheme="gray", size="2", class_name="button quiet")
                ),
                rx.alert_dialog.action(
                    rx.button(
                        action,
                        size="2",
                        color_scheme="red" if danger else "indigo",
                        class_name="button danger" if danger else "button primary",
                        on_click=on_click,
                    )
                ),
                class_name="dialog-actions",
            ),
            max_width="420px",
            class_name="ask",
        ),
    )


def secret_box(element_id: str, label: str) -> rx.Component:
    """A field whose value comes once, straight to the browser, and never lies in the page's state.

    Fill it with `rx.set_value(element_id, secret)`.
    """
    return rx.el.div(
        rx.el.input(
            id=element_id,
            read_only=True,
            default_value="",
            aria_label=label,
            auto_complete="off",
            spell_check=False,
            class_name="input secret",
        ),
        rx.button(
            rx.icon("copy", size=14, aria_hidden="true"),
            "Copy",
            type="button",
            size="2",
            variant="outline",
            color_scheme="gray",
            class_name="button quiet",
            on_click=rx.set_clipboard(rx.Var(f"document.getElementById('{element_id}').value").to(str)),
        ),
        class_name="secret-box",
    )
