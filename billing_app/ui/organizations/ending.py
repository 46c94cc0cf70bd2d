"""Ending an organization: the panel that offers it or says that it is so, and the question."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.frame.banner import remark
from billing_app.ui.kit.basics import quiet_button
from billing_app.ui.kit.dialogs import dialog, refusal
from billing_app.ui.kit.forms import labelled
from billing_app.ui.kit.listing import facts


def ending_remark(screen: Any, state: Any) -> rx.Component:
    """That it ends, or has ended, above everything; with the way back for whoever may go it."""
    ending = screen.ending
    keep = rx.cond(
        ending.may_keep,
        rx.el.div(
            quiet_button("Keep it", on_click=state.keep_organization, loading=state.busy),
            class_name="banner-actions",
        ),
    )  # fmt: skip
    return rx.cond(
        ending.state != "",
        rx.fragment(
            remark("calendar-x", ending.title, ending.text, tone="soon", action=keep),
            rx.cond(ending.problem != "", remark("info", "Stripe does not know yet.", ending.problem)),
        ),
    )


def ending_panel(screen: Any, state: Any) -> rx.Component:
    """Below the profile: what it pays for, and the button."""
    ending = screen.ending
    return rx.cond(
        ending.offered,
        rx.el.section(
            rx.el.h2("End this organization"),
            rx.cond(
                ending.nothing != "",
                rx.el.p(ending.nothing, class_name="quiet-note"),
                facts(ending.pays, "facts stacked"),
            ),
            rx.el.p("Credits, ledger and history stay readable.", class_name="quiet-note"),
            rx.button(
                "End it...", type="button", size="2", variant="soft", color_scheme="red", class_name="button",
                on_click=state.open("end"),
            ),
            class_name="panel side-panel ending",
        ),
    )  # fmt: skip


def ending_dialog(screen: Any, state: Any) -> rx.Component:
    """What ends, and when; sent only with a choice."""
    ending = screen.ending
    return dialog(
        state.dialog == "end",
        state.close,
        f"End {screen.profile.name}?",
        "It pays for nothing any more, and nothing more can be done in it. You can change your mind until it is over.",
        rx.el.form(
            refusal(state.refused),
            rx.cond(
                ending.nothing != "",
                rx.el.p(ending.nothing, class_name="quiet-note"),
                facts(ending.pays, "facts stacked"),
            ),
            rx.cond(
                ending.with_it.length() > 0,
                rx.el.p(
                    "Its sub-organizations end with it: ", rx.el.strong(ending.with_it.join(", ")), ".",
                    class_name="quiet-note",
                ),
            ),
            _when("period_end", ending.at_end, chosen=True),
            _when("now", ending.at_once),
            rx.el.p(
                "What has changed at Stripe by then decides: what has ended there already stays as it is.",
                class_name="quiet-note",
            ),
            labelled(
                "Why (kept in the audit log)", rx.el.input(name="reason", max_length=500, class_name="input"), wide=True
            ),
            rx.el.div(
                quiet_button("Keep it", on_click=state.close),
                rx.button(
                    "End it", type="submit", size="2", color_scheme="red", class_name="button", loading=state.busy
                ),
                class_name="dialog-foot",
            ),
            on_submit=state.end_organization,
            class_name="form",
        ),
        width="520px",
    )  # fmt: skip


def _when(value: str, text: Any, *, chosen: bool = False) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="radio", name="when", value=value, default_checked=chosen),
        rx.el.span(text),
        class_name="radio-line",
    )
