"""Giving money back, beside an organization's grants."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import link, lucide
from billing_app.ui.kit.dialogs import refusal
from billing_app.ui.kit.forms import labelled, text_field
from billing_app.ui.kit.records import Field


def refund_panel(state: Any) -> rx.Component:
    """What giving money back would do, and doing it."""
    refund = state.screen.refund
    return rx.el.section(
        rx.el.div(
            rx.el.h2(refund.title),
            link(
                lucide("x", 16),
                href=refund.close_href,
                class_name="icon-button",
                aria_label="Close",
                title="Close",
            ),
            class_name="two",
        ),
        rx.el.form(
            _amount(state),
            rx.el.dl(rx.foreach(refund.effects, _effect), class_name="facts effects", aria_live="polite"),
            rx.cond(refund.sentence != "", rx.el.p(refund.sentence, class_name="quiet-note")),
            rx.cond(
                refund.warning != "",
                rx.el.p(refund.warning, class_name="quiet-note", custom_attrs={"data-tone": "soon"}),
            ),
            _why(),
            _give_back(state),
            on_submit=state.give_back,
            class_name="form",
        ),
        class_name="panel side-panel trace refund",
        aria_label="Refund",
    )


def _amount(state: Any) -> rx.Component:
    """How much."""
    refund = state.screen.refund
    return labelled(
        "Amount",
        rx.el.input(
            name="amount",
            default_value=refund.amount,
            key=refund.grant_id,
            on_blur=state.reckon,
            inputmode="decimal",
            auto_complete="off",
            class_name="input",
            max_length=20,
        ),
        rx.el.small(refund.limit),
    )


def _why() -> rx.Component:
    """Why, for the record."""
    return text_field(
        "Reason", name="reason", required=True, max_length=500, auto_complete="off", placeholder="Kept with the refund"
    )


def _give_back(state: Any) -> rx.Component:
    """What stands against it, or the button."""
    refund = state.screen.refund
    return rx.fragment(
        refusal(rx.cond(state.refused != "", state.refused, refund.why_not)),
        rx.cond(
            refund.button != "",
            rx.button(
                rx.cond(state.refunding, "Asking Stripe", refund.button),
                type="submit",
                disabled=state.refunding,
                size="2",
                class_name="button primary wide",
            ),
        ),
    )


def _effect(one: rx.Var[Field]) -> rx.Component:
    return rx.el.div(rx.el.dt(one.label), rx.el.dd(one.value, custom_attrs={"data-tone": one.tone}))
