"""Dialogs: a form in one, a secret that is shown once, and the question before what can't be undone."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import lucide, primary_button, quiet_button
from billing_app.ui.kit.forms import labelled


def dialog(is_open: Any, on_close: Any, title: Any, text: Any, *content: Any, width: str = "440px") -> rx.Component:
    """A dialog that the page's state opens; Escape, a click beside it and its cross close it."""
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title(title, size="4", margin_bottom="4px"),
            rx.dialog.description(text, size="2", class_name="quiet"),
            *content,
            max_width=width,
            class_name="dialog",
        ),
        open=is_open,
        on_open_change=on_close,
    )


def refusal(text: Any) -> rx.Component:
    """Why what was asked for in a dialog was not done."""
    return rx.cond(
        text != "",
        rx.el.p(
            lucide("circle-alert", 16),
            rx.el.span(text),
            role="alert",
            class_name="form-error",
        ),
    )


def buttons(on_close: Any, go: Any, *, busy: Any = False) -> rx.Component:
    """The way out and the way on, at the foot of a form."""
    return rx.el.div(
        quiet_button("Cancel", on_click=on_close),
        primary_button(go, type="submit", loading=busy),
        class_name="dialog-foot",
    )


def dialog_form(refused: Any, *fields: Any, close: Any, go: Any, on_submit: Any, busy: Any = False) -> rx.Component:
    """A dialog's form: why it was refused, its fields, the way out and the way on."""
    return rx.el.form(refusal(refused), *fields, buttons(close, go, busy=busy), on_submit=on_submit, class_name="form")


def done(text: Any, on_click: Any) -> rx.Component:
    """What came of it, in place of the form."""
    return rx.el.div(
        rx.el.p(lucide("circle-check", 16), text, class_name="done-line", role="status"),
        rx.el.div(primary_button("Done", on_click=on_click), class_name="dialog-foot"),
    )


def secret(label: str, value: Any, note: Any, on_close: Any) -> rx.Component:
    """Something to copy now, because it is never shown again."""
    return rx.el.div(
        labelled(
            label,
            rx.el.span(
                rx.el.input(value=value, read_only=True, class_name="input", auto_focus=True, aria_label=label),
                primary_button(lucide("copy", 14), "Copy", on_click=rx.set_clipboard(value)),
                class_name="copy-line",
            ),
        ),
        rx.el.p(note, class_name="quiet-note"),
        rx.el.div(
            quiet_button("Done", on_click=on_close),
            class_name="dialog-foot",
        ),
        class_name="form",
    )


def question(is_open: Any, on_close: Any, title: Any, text: Any, go: Any, on_go: Any, refused: Any) -> rx.Component:
    """Asks before something is ended, and says what will happen."""
    return rx.alert_dialog.root(
        rx.alert_dialog.content(
            rx.alert_dialog.title(title, size="4", margin_bottom="4px"),
            rx.alert_dialog.description(text, size="2", class_name="quiet"),
            refusal(refused),
            rx.el.div(
                quiet_button("Keep it as it is", on_click=on_close),
                rx.button(go, type="button", on_click=on_go, size="2", color_scheme="red", class_name="button"),
                class_name="dialog-foot",
            ),
            max_width="440px",
            class_name="dialog",
        ),
        open=is_open,
        on_open_change=on_close,
    )


def asking(trigger: rx.Component, title: Any, text: Any, action: str, on_click: Any, *, danger: bool = True) -> Any:
    """A dialog that says what will happen, with the way back first."""
    return rx.alert_dialog.root(
        rx.alert_dialog.trigger(trigger),
        rx.alert_dialog.content(
            rx.alert_dialog.title(title, size="4", margin_bottom="4px"),
            rx.alert_dialog.description(text, size="2", class_name="quiet"),
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
                class_name="dialog-foot",
            ),
            max_width="440px",
            class_name="dialog",
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
        quiet_button(
            lucide("copy", 14),
            "Copy",
            on_click=rx.set_clipboard(rx.Var(f"document.getElementById('{element_id}').value").to(str)),
        ),
        class_name="secret-box",
    )
