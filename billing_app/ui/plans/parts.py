"""The parts of the plan page: the plan in force, limits, all plans side by side, invoices, and the question."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import (
    choice_switch,
    lucide,
    panel_head,
    plain_link,
    primary_button,
    quiet_button,
    refused_button,
    state_badge,
)
from billing_app.ui.kit.records import Field
from billing_app.ui.kit.skeletons import bone
from billing_app.ui.plans.cards import CardLine, PlanCard
from billing_app.ui.plans.dialogs import DialogScreen
from billing_app.ui.plans.text import InvoiceRow, LimitRow, PlanScreen

GHOSTS = 3
"""Grey lines while Stripe is asked what was billed."""


def special(screen: rx.Var[PlanScreen], busy: rx.Var[str], manage: Any, ask: Any) -> rx.Component | rx.Var:
    """What is special about the subscription, with the one thing to do about it."""
    state = screen.state
    icon = rx.match(
        state.icon,
        ("triangle-alert", lucide("triangle-alert", 18)),
        ("circle-pause", lucide("circle-pause", 18)),
        lucide("info", 18),
    )
    button = rx.cond(
        state.deed == "portal",
        rx.button(
            state.action, type="button", size="2", class_name="button", on_click=manage, loading=busy == "portal"
        ),
        quiet_button(state.action, on_click=ask(state.deed)),
    )
    banner = rx.el.section(
        rx.el.div(
            icon,
            rx.el.div(rx.el.strong(state.title), rx.el.span(state.text, class_name="text"), class_name="banner-words"),
            rx.cond(state.deed != "", rx.el.div(button, class_name="banner-actions")),
            class_name="banner-line",
        ),
        class_name=rx.cond(state.tone == "", "banner remark", "banner"),
        custom_attrs={"data-tone": state.tone, "aria-label": "What is special about the plan"},
    )
    return rx.cond(state.visible, banner)


def current_plan(screen: rx.Var[PlanScreen], busy: rx.Var[str], manage: Any, ask: Any) -> rx.Component:
    """The plan in force: its name, what it costs, and its dates."""
    return rx.el.section(
        rx.el.div(
            rx.el.div(
                rx.el.h2(screen.title),
                rx.el.p(
                    rx.el.span(screen.name, class_name="plan-title"),
                    rx.cond(screen.badge != "", state_badge(screen.badge, screen.badge_tone)),
                    class_name="plan-line",
                ),
                rx.el.p(screen.description, class_name="quiet"),
                class_name="plan-words",
            ),
            rx.el.p(
                rx.el.span(screen.price, class_name="plan-price"),
                rx.el.small(screen.price_note),
                class_name="plan-cost",
            ),
            class_name="plan-top",
        ),
        rx.el.dl(rx.foreach(screen.dates, _date), class_name="plan-dates"),
        rx.cond(
            screen.can_manage | screen.can_pause | screen.can_cancel,
            rx.el.div(
                rx.cond(
                    screen.can_manage,
                    quiet_button(
                        lucide("credit-card", 14),
                        "Cards and billing details",
                        on_click=manage,
                        loading=busy == "portal",
                    ),
                ),
                rx.el.span(class_name="plan-gap"),
                rx.cond(screen.can_pause, _text_button("Pause", ask("pause"))),
                rx.cond(screen.can_cancel, _text_button("Cancel plan", ask("cancel"))),
                class_name="plan-foot",
            ),
        ),
        class_name="panel plan-panel",
    )


def _date(one: rx.Var[Field]) -> rx.Component:
    return rx.el.div(
        rx.el.dt(one.label),
        rx.el.dd(one.value, rx.cond(one.hint != "", rx.el.small(one.hint)), custom_attrs={"data-tone": one.tone}),
    )


def _text_button(label: str, on_click: Any) -> rx.Component:
    return rx.button(
        label, type="button", size="2", variant="ghost", color_scheme="gray", class_name="button text-button",
        on_click=on_click,
    )  # fmt: skip


def limits_panel(screen: rx.Var[PlanScreen]) -> rx.Component:
    """How much of each limit is taken."""
    return rx.el.section(
        rx.el.h2("Limits"),
        rx.el.ul(rx.foreach(screen.limits, _limit), class_name="plan-limits"),
        rx.cond(screen.limits_note != "", rx.el.p(screen.limits_note, class_name="quiet-note")),
        class_name="panel side-panel",
    )


def _limit(one: rx.Var[LimitRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(one.name),
            rx.el.span(
                rx.el.strong(one.figure, custom_attrs={"data-tone": one.tone}),
                rx.cond(one.note != "", rx.el.small(" ", one.note)),
                class_name="figure",
            ),
            class_name="limit-line",
        ),
        rx.cond(
            one.width != "",
            rx.el.div(
                rx.el.i(style={"width": one.width}, custom_attrs={"data-tone": one.tone}),
                class_name="limit-bar",
                aria_hidden="true",
            ),
        ),
    )


def compare(screen: rx.Var[PlanScreen], busy: rx.Var[str], choose: Any) -> rx.Component:
    """All plans side by side, by the month or by the year."""
    return rx.el.section(
        panel_head(
            screen.compare_title,
            rx.el.small(screen.compare_note, class_name="wide-only"),
            tools=[choice_switch(screen.intervals, screen.interval, screen.interval_base, "Paid", size="1")],
        ),
        rx.el.div(
            rx.foreach(screen.cards, lambda card: _card(card, busy, choose)),
            class_name="plan-cards",
        ),
        class_name="panel",
    )


def _card(card: rx.Var[PlanCard], busy: rx.Var[str], choose: Any) -> rx.Component:
    head = rx.el.header(
        rx.el.h3(card.name, rx.cond(card.current, rx.badge("Your plan", color_scheme="indigo", class_name="state"))),
        rx.el.p(rx.el.strong(card.price), rx.el.small(" ", card.per), class_name="card-price"),
        rx.el.small(rx.cond(card.note != "", card.note, "\N{NO-BREAK SPACE}"), class_name="card-note"),
        rx.el.p(card.description, class_name="quiet card-words"),
        rx.el.div(_action(card, busy, choose), class_name="card-action"),
    )
    lines = rx.el.dl(rx.foreach(card.lines, _line), class_name="card-lines")
    return rx.el.article(
        head,
        rx.el.details(
            rx.el.summary("What it includes", lucide("chevron-down", 14)),
            lines,
            class_name="phone-only card-more",
        ),
        rx.el.div(lines, class_name="wide-only"),
        class_name="plan-card",
        custom_attrs={"data-current": rx.cond(card.current, "yes", "no")},
    )


def _action(card: rx.Var[PlanCard], busy: rx.Var[str], choose: Any) -> rx.Component | rx.Var:
    solid = primary_button(card.action, on_click=choose(card.id), loading=busy == card.id)  # fmt: skip
    quiet = quiet_button(card.action, on_click=choose(card.id), loading=busy == card.id)
    offered = rx.cond(card.primary, solid, quiet)
    return rx.cond(card.deed != "", rx.cond(card.refusal != "", refused_button(card.action, card.refusal), offered))


def _line(line: rx.Var[CardLine]) -> rx.Component | rx.Var:
    mark = rx.match(
        line.mark,
        ("yes", rx.icon("check", size=15, class_name="mark-yes", aria_label="included")),
        (
            "no",
            rx.el.span(
                "\N{EN DASH}", class_name="mark-no", title="not included", role="img", aria_label="not included"
            ),
        ),
        rx.el.span(line.value),
    )
    return rx.cond(
        line.head,
        rx.el.div(rx.el.dt(line.label), rx.el.dd(class_name="unseen"), class_name="card-group"),
        rx.el.div(rx.el.dt(line.label), rx.el.dd(mark)),
    )


def invoices(billed: rx.Var[list[InvoiceRow]], known: rx.Var[bool], billed_to: rx.Var[str]) -> rx.Component:
    """What was billed, and to whom; the pages of an invoice are Stripe's."""
    heads = ("Invoice", "Date", "Status", "Amount", "")
    table = rx.el.table(
        rx.el.thead(rx.el.tr(*[rx.el.th(one, scope="col") for one in heads])),
        rx.el.tbody(rx.foreach(billed, _invoice)),
        class_name="numbers invoices",
    )
    ghosts = rx.el.div(
        *[rx.el.div(bone("96px"), bone("80px"), bone("64px"), class_name="ghost ghost-line") for _ in range(GHOSTS)],
        aria_busy="true",
    )
    empty = rx.el.p(
        "Nothing was billed yet. Invoices are listed here as soon as there are any.", class_name="no-invoices"
    )
    return rx.el.section(
        panel_head("Invoices", rx.cond(billed_to != "", rx.el.small("to ", billed_to, class_name="billed-to"))),
        rx.cond(known, rx.cond(billed.length() > 0, rx.el.div(table, class_name="scroll"), empty), ghosts),
        class_name="panel",
    )


def _invoice(one: rx.Var[InvoiceRow]) -> rx.Component:
    def away(label: str, href: rx.Var[str]) -> rx.Component:
        return plain_link(
            label, rx.el.span(" of invoice ", one.number, class_name="unseen"), href=href, target="_blank",
            rel="noopener", class_name="more",
        )  # fmt: skip

    return rx.el.tr(
        rx.el.th(one.number, scope="row"),
        rx.el.td(one.date),
        rx.el.td(state_badge(one.status, one.tone)),
        rx.el.td(one.amount),
        rx.el.td(
            rx.cond(one.href != "", away("View", one.href)), rx.cond(one.pdf != "", away("PDF", one.pdf)),
            class_name="links",
        ),
    )  # fmt: skip


def question(dialog: rx.Var[DialogScreen], busy: rx.Var[str], confirm: Any, close: Any) -> rx.Component:
    """Asks before something happens, and says what."""
    amounts = rx.el.dl(
        rx.foreach(dialog.lines, lambda one: rx.el.div(rx.el.dt(one.label), rx.el.dd(one.value))),
        rx.el.div(rx.el.dt(dialog.total_label), rx.el.dd(dialog.total), class_name="result"),
        class_name="sum",
    )
    facts = rx.el.ul(
        rx.foreach(dialog.facts, lambda one: rx.el.li(lucide("check", 14), rx.el.span(one))),
        class_name="facts",
    )
    return rx.alert_dialog.root(
        rx.alert_dialog.content(
            rx.alert_dialog.title(dialog.title, size="4", margin_bottom="8px"),
            rx.alert_dialog.description(
                rx.el.div(rx.cond(dialog.lines.length() > 0, amounts), facts), as_child=True
            ),
            rx.el.div(
                quiet_button(dialog.back, on_click=close, disabled=busy == "confirm"),
                rx.button(
                    dialog.confirm, type="button", size="2", class_name="button", on_click=confirm,
                    loading=busy == "confirm", color_scheme=rx.cond(dialog.tone == "danger", "red", "indigo"),
                    variant=rx.cond(dialog.tone == "danger", "soft", "solid"),
                ),
                class_name="dialog-foot",
            ),
            max_width="480px",
            class_name="dialog plan-dialog",
        ),
        open=dialog.visible,
        on_open_change=lambda opened: rx.cond(opened, rx.noop(), close()),
    )  # fmt: skip
