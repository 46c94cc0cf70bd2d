"""API keys: made, shown once, revoked."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.domain.common.access import DEFAULT_SCOPES, Scope
from billing_app.ui import routes
from billing_app.ui.frame.banner import notice
from billing_app.ui.kit.basics import lucide, panel_head, plain_link, primary_button, quiet_button
from billing_app.ui.kit.dialogs import dialog, dialog_form, secret
from billing_app.ui.kit.forms import text_field
from billing_app.ui.organizations.text import KeyRow

SCOPES = {
    Scope.USAGE_WRITE: "reports usage, consumes, reserves",
    Scope.CHECK: "asks whether something is allowed",
    Scope.READ: "reads balances, ledger and history",
    Scope.BILLING: "buys, and reads what billing reads",
    Scope.ADMIN: "manages members, keys and processes",
}


def keys_section(screen: Any, state: Any) -> rx.Component:
    """The organization's keys, revoked ones too."""
    new = primary_button(lucide("plus", 16), "New key", on_click=state.open("key"))
    listed = rx.el.section(
        panel_head(
            "API keys",
            rx.el.small("for programs that report usage and ask"),
            tools=[plain_link("API reference", href=routes.API_DOCS, class_name="more"), new],
        ),
        rx.el.ul(rx.foreach(screen.api_keys, lambda one: _row(one, state)), class_name="people keys"),
        class_name="panel",
    )
    empty = notice(
        "key-round",
        "No API key yet",
        "Your product reports what was used and asks what is allowed with a key.",
        new,
    )
    return rx.cond(screen.api_keys.length() > 0, listed, empty)


def _row(one: rx.Var[KeyRow], state: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(lucide("key-round", 16), class_name="tile plain"),
        rx.el.span(
            rx.el.span(rx.el.strong(one.name), rx.el.code(one.hint, class_name="hint"), class_name="person-name"),
            rx.el.small(one.made, " \N{MIDDLE DOT} ", one.used),
            class_name="lines",
        ),
        rx.el.span(
            rx.foreach(one.scopes, lambda scope: rx.badge(scope, color_scheme="gray", class_name="state")),
            class_name="scopes",
        ),
        rx.el.span(
            rx.cond(
                one.revoked != "",
                rx.el.small(one.revoked),
                quiet_button(
                    "Revoke", on_click=state.ask("revoke", one.id, one.name), size="1", aria_label="Revoke " + one.name
                ),
            ),
            class_name="row-actions",
        ),
        custom_attrs={"data-dim": rx.cond(one.revoked != "", "yes", "no")},
    )


def _scopes() -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend("What it may do"),
        *[
            rx.el.label(
                rx.el.input(
                    type="checkbox",
                    name=f"scope-{scope.value}",
                    value="on",
                    default_checked=scope in DEFAULT_SCOPES,
                ),
                rx.el.span(rx.el.strong(scope.value), rx.el.small(what), class_name="lines"),
                class_name="choice",
            )
            for scope, what in SCOPES.items()
        ],
        class_name="choices",
    )


def key_dialog(state: Any) -> rx.Component:
    """Name and scopes of a new key; then its secret, once."""
    form = dialog_form(
        state.refused,
        text_field("Name", name="name", required=True, max_length=100, auto_focus=True, placeholder="Production"),
        _scopes(),
        close=state.close,
        go="Create key",
        on_submit=state.create_key,
    )
    once = secret(
        "Key",
        state.secret,
        "Only its hash is kept: this is the one time that it can be read.",
        state.close,
    )
    return dialog(
        state.dialog == "key",
        state.close,
        rx.cond(state.secret != "", "Copy the key now", "New API key"),
        rx.cond(state.secret != "", "Keep it like a password.", "A program proves with it who it is."),
        rx.cond(state.secret != "", once, form),
    )
