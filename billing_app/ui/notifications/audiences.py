"""The first screen of the page of alerts: the answer, and everybody who is told with how it goes."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import lucide, more_link, panel_head, quiet_button, state_badge
from billing_app.ui.kit.dialogs import asking, secret_box
from billing_app.ui.notifications.records import EndpointRow, Reader


def recipients(state: Any, secret_id: str) -> rx.Component:
    """Endpoints and readers of mail, and the secret that was made just now."""
    screen = state.screen
    return rx.el.section(
        panel_head("Who is told", tools=[more_link("Choose of what", "#choices")]),
        rx.el.div(
            lucide("key-round", 18),
            rx.el.div(
                rx.el.strong("Copy the signing secret now."),
                rx.el.p("It is shown this once. With it, your program sees that a message is from us."),
                secret_box(secret_id, "Signing secret"),
                class_name="fresh-words",
            ),
            quiet_button("Done", on_click=state.hide_secret),
            class_name="fresh",
            hidden=~state.fresh,
        ),
        rx.cond(
            screen.endpoints.length() > 0,
            rx.fragment(),
            rx.el.p(
                "No program yet. A webhook tells one of yours of an event within seconds: to stop an upload before it "
                "is refused, or to put a note into your team's chat.",
                class_name="quiet-note inset",
            ),
        ),
        rx.el.ul(
            rx.foreach(screen.endpoints, lambda one: _endpoint(state, one)),
            rx.foreach(screen.readers, lambda one: _reader(screen, one)),
            class_name="endpoints",
        ),
        class_name="panel",
    )  # fmt: skip


def _endpoint(state: Any, one: rx.Var[EndpointRow]) -> rx.Component:
    return rx.el.li(
        lucide("webhook", 16),
        rx.el.span(
            rx.el.span(rx.el.strong(one.host), rx.el.span(one.path, class_name="quiet"), class_name="url"),
            rx.el.small(rx.cond(one.note != "", f"{one.note}: ", ""), "told of ", one.notified_of, ". ", one.detail),
            class_name="lines",
        ),
        state_badge(one.state, one.tone),
        rx.el.span(
            rx.cond(
                one.off,
                _small("Switch on", state.enable(one.id)),
                _small("Send a test", state.test(one.id)),
            ),
            asking(
                _small("New secret"),
                "Make a new secret?",
                "The old one goes on signing beside it for 24 hours: bring the new one to your program in that time.",
                "Make it",
                state.rotate(one.id),
                danger=False,
            ),
            asking(
                rx.el.button(
                    lucide("trash-2", 15),
                    type="button", class_name="icon-button", title="Delete", aria_label=f"Delete {one.host}",
                ),
                "Delete this webhook?",
                "Nothing is sent there any more, also nothing that waits. What was sent stays in the list below.",
                "Delete it",
                state.delete(one.id),
            ),
            class_name="endpoint-tools",
        ),
    )  # fmt: skip


def _reader(screen: Any, one: rx.Var[Reader]) -> rx.Component:
    return rx.el.li(
        lucide("mail", 16),
        rx.el.span(
            rx.el.span(rx.el.strong(one.name), " ", rx.el.span(one.note, class_name="quiet"), class_name="url"),
            class_name="lines",
        ),
        rx.el.small(
            rx.cond(
                screen.mail | (one.notified_of == "nothing"),
                rx.fragment("told of ", one.notified_of),
                f"{one.notified_of}, not mailed",
            ),
            class_name="told-of",
        ),
        class_name="reader",
    )


def _small(label: str, on_click: Any = None) -> rx.Component:
    handlers = {} if on_click is None else {"on_click": on_click}
    return quiet_button(label, size="1", **handlers)
