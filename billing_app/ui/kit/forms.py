"""Forms that the browser itself sends.

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
