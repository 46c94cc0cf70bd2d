"""One organization for operators, in parts: where it stands, its grants, a refund, what it bought, what Stripe said."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import (
    button_link,
    close_link,
    link,
    metric_tile,
    more_link,
    panel_head,
    state_badge,
)
from billing_app.ui.kit.dialogs import refusal
from billing_app.ui.kit.forms import labelled, text_field
from billing_app.ui.kit.listing import facts, table, unless_empty
from billing_app.ui.operators.organizations.customer_text import OrderRow, PaidGrantRow, StandingRow
from billing_app.ui.operators.organizations.text import IssueRow
from billing_app.ui.operators.stripe.events_text import EventRow


def issue(one: rx.Var[IssueRow]) -> rx.Component:
    """One thing that is wrong."""
    return rx.el.li(state_badge(one.label, one.tone), rx.cond(one.note != "", rx.el.small(one.note)))


def overrides(screen: Any) -> rx.Component:
    """What stands in place of the plan; nothing where the plan says it all."""
    return rx.cond(
        screen.overrides.length() > 0,
        rx.el.section(
            panel_head("In place of the plan"),
            rx.el.ul(
                rx.foreach(
                    screen.overrides,
                    lambda one: rx.el.li(
                        rx.el.div(
                            rx.el.span(rx.el.strong(one.label), ": ", one.value),
                            rx.el.small(one.why),
                            class_name="lines",
                        ),
                        rx.el.span(one.until, class_name="quiet"),
                    ),
                ),
                class_name="short-list",
            ),
            class_name="panel",
        ),
    )


def standings(screen: Any) -> rx.Component:
    """Each metric now."""
    return rx.el.section(
        panel_head("Where they stand"),
        table(
            "Each metric now",
            (
                "Metric",
                ("Used", "number"),
                ("Included", "number wide-cell"),
                ("Credits left", "number"),
                ("On hold", "number wide-cell"),
                ("Owed", "number"),
                "State",
            ),
            screen.standings,
            _standing,
            "rows compact",
        ),
        class_name="panel",
    )


def _standing(row: rx.Var[StandingRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            rx.el.div(metric_tile(row.metric.hue, row.metric.icon), row.metric.name, class_name="group"), scope="row"
        ),
        rx.el.td(row.used, class_name="number"),
        rx.el.td(row.included, class_name="number quiet wide-cell"),
        rx.el.td(row.left, class_name="number strong"),
        rx.el.td(row.held, class_name="number wide-cell", custom_attrs={"data-tone": "soon"}),
        rx.el.td(row.debt, class_name="number", custom_attrs={"data-tone": "blocked"}),
        rx.el.td(state_badge(row.state, row.tone)),
    )


def grant_line(row: rx.Var[PaidGrantRow]) -> rx.Component:
    """A grant with its money."""
    return rx.el.tr(
        rx.el.th(
            rx.el.div(
                metric_tile(row.metric.hue, row.metric.icon),
                rx.el.div(
                    rx.el.div(
                        rx.el.span(row.name, class_name="strong"),
                        rx.cond(row.badge != "", state_badge(row.badge, row.badge_tone)),
                        class_name="grant-name",
                    ),
                    rx.el.small(row.note),
                    class_name="lines",
                ),
                class_name="group",
            ),
            scope="row",
            class_name="l-what",
        ),
        rx.el.td(
            rx.el.div(rx.el.span(row.left, class_name="strong"), rx.el.small(row.left_note), class_name="lines"),
            class_name="number",
        ),
        rx.el.td(row.since, class_name="quiet wide-cell"),
        rx.el.td(row.until, class_name="quiet wide-cell"),
        rx.el.td(rx.cond(row.refund_href != "", button_link("Refund", href=row.refund_href, scroll=False))),
        custom_attrs={
            "data-dim": rx.cond(row.dim, "yes", "no"),
            "data-chosen": rx.cond(row.chosen, "yes", "no"),
        },
    )


def _orders(screen: Any) -> rx.Component:
    return rx.el.section(
        panel_head("Purchases"),
        unless_empty(
            screen.orders,
            rx.el.ul(rx.foreach(screen.orders, _order), class_name="short-list"),
            "They have bought nothing on these pages.",
        ),
        class_name="panel",
    )


def _order(row: rx.Var[OrderRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(rx.el.strong(row.total), rx.el.small(row.what, ", ", row.when), class_name="lines"),
        state_badge(row.state, row.tone),
    )


def _events(screen: Any) -> rx.Component:
    return rx.el.section(
        panel_head("Stripe events", tools=[more_link("All of theirs", screen.events_href)]),
        unless_empty(
            screen.events,
            rx.el.ul(rx.foreach(screen.events, _event), class_name="short-list"),
            "Stripe has said nothing about them.",
        ),
        class_name="panel",
    )


def _event(row: rx.Var[EventRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(link(row.type, href=row.href, class_name="strong"), rx.el.small(row.when), class_name="lines"),
        state_badge(row.state, row.tone),
    )


def purchases_and_events(screen: Any) -> rx.Component:
    """What they bought, and what Stripe said."""
    return rx.el.div(_orders(screen), _events(screen), class_name="twins")


def refund_panel(state: Any) -> rx.Component:
    """What giving money back would do, and doing it."""
    refund = state.screen.refund
    return rx.el.section(
        rx.el.div(
            rx.el.h2(refund.title),
            close_link(refund.close_href),
            class_name="two",
        ),
        rx.el.form(
            _amount(state),
            facts(refund.effects, "facts effects", aria_live="polite"),
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
