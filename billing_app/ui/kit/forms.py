"""Fields of forms, and forms that the browser itself sends.

Reflex's own form stops the browser from sending it, because it hands its fields to an event handler. Signing in must be
a real request with a full page load after it: only that sets an HttpOnly cookie and opens the websocket anew.
"""

from __future__ import annotations

from typing import Any

import reflex as rx


def plain_form(*children: Any, **props: Any) -> rx.Component:
    """A form without a submit handler; `action` and `method` say where the browser sends it."""
    form = rx.el.form(*children, **props)
    form.event_triggers.pop("on_submit", None)
    return form


def labelled(label: Any, *control: Any, wide: bool = False) -> rx.Component:
    """A control under its name, and what is said below it."""
    return rx.el.label(rx.el.span(label), *control, class_name="field wide" if wide else "field")


def text_field(label: Any, **props: Any) -> rx.Component:
    """A line that is typed."""
    return labelled(label, rx.el.input(**({"class_name": "input"} | props)))


def select_field(label: Any, name: str, choices: Any, **props: Any) -> rx.Component:
    """One of several values."""
    options = rx.foreach(choices, lambda one: rx.el.option(one.label, value=one.value))
    return labelled(label, rx.el.select(options, name=name, **({"class_name": "input"} | props)))
