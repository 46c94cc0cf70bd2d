"""Packs that renew, and the auto top-up: their panels and dialogs. `state` is the pages' RenewalsState."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import lucide, metric_tile, panel_head, quiet_button, state_badge
from billing_app.ui.kit.dialogs import asking, buttons, dialog, refusal
from billing_app.ui.kit.external_redirect import external_redirect
from billing_app.ui.kit.records import Choice
from billing_app.ui.purchases.renewals_text import RenewingRow


def renewing_panel(state: Any) -> rx.Component:
    """Packs that renew; nothing where there are none."""
    screen = state.screen
    return rx.cond(
        screen.rows.length() > 0,
        rx.el.section(
            panel_head(
                "Renewing packs",
                rx.el.small("charged every month, each valid one year"),
                rx.el.div(rx.el.strong(screen.total, class_name="small-figure"), class_name="panel-tools wide-only"),
            ),
            rx.cond(state.changing == "", refusal(state.refusal)),
            rx.el.ul(rx.foreach(screen.rows, lambda row: _row(state, row)), class_name="renewing-rows"),
            class_name="panel renewing",
        ),
    )


def _row(state: Any, row: rx.Var[RenewingRow]) -> rx.Component:
    return rx.el.li(
        metric_tile(row.metric.hue, row.metric.icon),
        rx.el.div(rx.el.span(row.name, class_name="strong"), rx.el.small(row.price), class_name="lines renewing-name"),
        rx.el.div(
            rx.el.span(row.when, custom_attrs={"data-tone": row.tone}),
            rx.cond(row.note != "", rx.el.small(row.note)),
            class_name="lines renewing-when",
        ),
        rx.el.div(
            rx.cond(
                row.pay_url != "",
                rx.el.a("Pay now", href=row.pay_url, target="_blank", rel="noopener", class_name="more"),
            ),
            rx.cond(
                row.cancelled,
                _quiet(state, "Keep it", f"Keep {row.name}", state.renew(row.id, row.count)),
                rx.fragment(_change(state, row), _cancel(state, row)),
            ),
            class_name="renewing-tools",
        ),
    )


def _quiet(state: Any, label: Any, name: Any, on_click: Any) -> rx.Component:
    return quiet_button(label, size="1", aria_label=name, disabled=state.busy, on_click=on_click)


def _cancel(state: Any, row: rx.Var[RenewingRow]) -> rx.Component:
    trigger = quiet_button("Cancel", size="1", aria_label=f"Cancel {row.name}")
    return asking(trigger, row.cancel_title, row.cancel_text, "Stop renewing", state.renew(row.id, 0))


def _change(state: Any, row: rx.Var[RenewingRow]) -> rx.Component:
    """A quantity is chosen in a dialog that says from when it counts."""
    less = _step(state, row, "minus", "One less", state.count - 1, state.count <= 1)
    more = _step(state, row, "plus", "One more", state.count + 1, state.count >= 99)
    # A trigger with a handler of its own would be wrapped into an element that may not carry a dialog's attributes.
    opens = _quiet(state, "Change", f"Change how many of {row.name}", state.choose(row.id, row.count))
    chosen = dialog(
        state.changing == row.id,
        lambda _opened: state.choose("", 1),
        "How many every month?",
        "It counts from the next renewal on. Nothing is charged today, and what you have stays.",
        rx.el.form(
            rx.el.div(
                metric_tile(row.metric.hue, row.metric.icon),
                rx.el.span(row.name, class_name="strong"),
                rx.el.div(
                    less,
                    rx.el.output(state.count, aria_label="How many"),
                    more,
                    class_name="stepper",
                ),
                class_name="renewing-choice",
            ),
            refusal(state.refusal),
            buttons(state.choose("", 1), "Save", busy=state.busy),
            on_submit=lambda _form: state.renew(row.id, state.count),
        ),
    )
    return rx.fragment(opens, chosen)


def _step(state: Any, row: rx.Var[RenewingRow], icon: str, name: str, count: Any, disabled: Any) -> rx.Component:
    return rx.el.button(
        lucide(icon, 14),
        type="button",
        aria_label=name,
        disabled=disabled,
        on_click=state.choose(row.id, count),
    )


def top_up_panel(state: Any) -> rx.Component:
    """The auto top-up of the chosen metric, with its switch."""
    top_up = state.screen.top_up
    return rx.cond(
        top_up.visible,
        rx.el.section(
            rx.el.div(
                rx.el.h2(top_up.title),
                rx.switch(
                    checked=top_up.on,
                    on_change=state.switch,
                    size="1",
                    custom_attrs={"aria-label": top_up.title},
                ),
                class_name="two",
            ),
            rx.cond(top_up.on & (top_up.tone != "good"), state_badge(top_up.state, top_up.tone)),
            rx.el.p(top_up.sentence, class_name="top-up-says"),
            rx.cond(top_up.note != "", rx.el.small(top_up.note, class_name="top-up-note")),
            rx.cond(~state.editing, refusal(state.refusal)),
            rx.el.div(
                rx.cond(
                    top_up.wants_card,
                    _quiet(
                        state, rx.cond(top_up.has_card, "Use another card", "Save a card"), "Save a card", state.card
                    ),
                ),
                rx.el.button("Change amounts", type="button", class_name="text-button", on_click=state.edit(True)),
                rx.cond(
                    top_up.has_card & ~top_up.wants_card & top_up.on,
                    rx.el.button("Use another card", type="button", class_name="text-button", on_click=state.card),
                ),
                class_name="top-up-tools",
            ),
            _amounts(state),
            external_redirect(url=state.card_url),
            class_name="panel side-panel top-up",
            aria_label=top_up.title,
        ),
    )


def _amounts(state: Any) -> rx.Component:
    """What a person says, and agrees to, who turns it on."""
    top_up = state.screen.top_up
    return dialog(
        state.editing,
        state.edit,
        top_up.title,
        top_up.lead,
        rx.el.form(
            _field(
                "When credits fall to",
                "threshold",
                top_up.threshold,
                top_up.unit,
                on_blur=lambda text: state.weigh("threshold", text),
            ),
            _what(state),
            _field(
                "At most, per calendar month",
                "cap",
                top_up.cap,
                top_up.currency,
                on_blur=lambda text: state.weigh("cap", text),
            ),
            rx.el.label(
                rx.el.input(type="checkbox", name="consent", required=True),
                rx.el.span(top_up.consent),
                class_name="consent",
            ),
            rx.cond(
                top_up.at_once != "",
                rx.el.p(top_up.at_once, class_name="at-once", custom_attrs={"data-tone": "soon"}, role="status"),
            ),
            refusal(state.refusal),
            buttons(
                state.edit(False),
                rx.cond(top_up.has_card, "Turn on", "Save a card and turn on"),
                busy=state.busy,
            ),
            on_submit=state.agree,
            class_name="top-up-form",
        ),
    )


def _what(state: Any) -> rx.Component:
    """How many of which pack."""
    top_up = state.screen.top_up
    return rx.el.label(
        rx.el.span("buy"),
        rx.el.span(
            rx.el.input(
                name="count",
                default_value=top_up.count,
                input_mode="numeric",
                aria_label="How many packs",
                on_blur=lambda text: state.weigh("count", text),
                required=True,
                max_length=2,
                class_name="input few",
            ),
            rx.el.span("\N{MULTIPLICATION SIGN}", aria_hidden="true"),
            rx.el.select(
                rx.foreach(top_up.packs, _option),
                name="pack",
                default_value=top_up.pack,
                aria_label="Pack",
                on_change=lambda pack: state.weigh("pack", pack),
                class_name="input",
            ),
            class_name="beside",
        ),
        class_name="form-field",
    )


def _option(one: rx.Var[Choice]) -> rx.Component:
    return rx.el.option(one.label, value=one.value)


def _field(label: str, name: str, value: Any, unit: Any, **props: Any) -> rx.Component:
    return rx.el.label(
        rx.el.span(label),
        rx.el.span(
            rx.el.input(
                name=name,
                default_value=value,
                input_mode="decimal",
                required=True,
                max_length=40,
                class_name="input",
                **props,
            ),
            rx.el.span(unit, class_name="quiet"),
            class_name="beside",
        ),
        class_name="form-field",
    )
