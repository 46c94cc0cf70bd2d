"""The wizard of a process, step by step, and what is shown of one that was published."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import (
    button_link,
    figure,
    head,
    link,
    lucide,
    metric_tile,
    panel_head,
    primary_button,
    state_badge,
)
from billing_app.ui.kit.dialogs import asking, refusal
from billing_app.ui.kit.records import Field
from billing_app.ui.processes.process_text import STEPS, UseRow, WizardStep
from billing_app.ui.processes.wizard_steps import census, confirm, features, information, questions


def wizard(state: Any) -> rx.Component:
    """A draft."""
    screen = state.screen
    return rx.fragment(
        head(
            screen.title,
            state_badge(screen.state, screen.tone),
            crumb=link("Processes", href=screen.list_href),
            tools=[
                rx.el.span(
                    rx.cond(state.unsaved, lucide("triangle-alert", 13)),
                    state.saved,
                    class_name="recount",
                    role="status",
                    custom_attrs={"data-tone": rx.cond(state.unsaved, "soon", "")},
                )
            ],
        ),
        refusal(state.error),
        rx.el.ol(
            rx.foreach(screen.steps, lambda one: _step(one, state)), class_name="wizard-steps", aria_label="Steps"
        ),
        rx.el.div(
            rx.el.section(
                rx.match(
                    screen.step,
                    ("questions", questions(state)),
                    ("census", census(state)),
                    ("features", features(state)),
                    ("confirm", confirm(state)),
                    information(state),
                ),
                _moves(state),
                class_name="panel wizard-panel",
                aria_label="This step",
            ),
            _costs(screen),
            class_name="wizard",
        ),
    )


def published(state: Any) -> rx.Component:
    """One that is running, or has ended."""
    screen = state.screen
    return rx.fragment(
        head(
            screen.title,
            state_badge(screen.state, screen.tone),
            crumb=link("Processes", href=screen.list_href),
            tools=[rx.cond(screen.may_change & (screen.tone == "good"), _ends(state))],
        ),
        refusal(state.error),
        rx.el.section(
            panel_head("What was published"),
            rx.el.dl(rx.foreach(screen.summary, _fact), class_name="fact-grid"),
            rx.cond(screen.description != "", rx.el.p(screen.description, class_name="process-text")),
            class_name="panel",
        ),
        rx.el.section(
            panel_head("Questions"),
            rx.el.ol(
                rx.foreach(
                    screen.questions,
                    lambda one: rx.el.li(
                        rx.el.strong(one.title), rx.el.ul(rx.foreach(one.answers, rx.el.li), class_name="answer-list")
                    ),
                ),
                class_name="ballot",
            ),
            class_name="panel",
        ),
    )


def _step(one: rx.Var[WizardStep], state: Any) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            rx.cond(
                one.done & ~one.here,
                rx.el.span(rx.icon("check", size=13, aria_label="complete"), class_name="step-number"),
                rx.el.span(one.number, class_name="step-number"),
            ),
            rx.el.span(one.name, rx.cond(one.lacks != "", rx.el.small(one.lacks)), class_name="lines"),
            type="button",
            on_click=state.go(one.id),
            custom_attrs={"aria-current": rx.cond(one.here, "step", "false")},
        )
    )


def _moves(state: Any) -> rx.Component:
    """Back, save, on."""
    order = [key for key, _ in STEPS]
    back = {key: order[max(0, place - 1)] for place, key in enumerate(order)}
    on = {key: order[min(len(order) - 1, place + 1)] for place, key in enumerate(order)}
    screen = state.screen
    quiet = {"type": "button", "size": "2", "variant": "outline", "color_scheme": "gray", "class_name": "button quiet"}
    return rx.el.div(
        rx.cond(
            screen.step != order[0],
            rx.button("Back", on_click=state.go(rx.match(screen.step, *back.items(), order[0])), **quiet),
        ),
        rx.cond(
            screen.may_change,
            asking(
                rx.button("Discard", **(quiet | {"class_name": "button quiet discard"})),
                "Discard this draft?",
                "What was filled in is deleted. Nothing was published and nothing was used.",
                "Discard it",
                state.discard,
            ),
        ),
        rx.el.span(class_name="side-space"),
        rx.cond(screen.may_change, rx.button("Save draft", on_click=state.save, **quiet)),
        rx.cond(
            screen.step != order[-1],
            primary_button("Continue", on_click=state.go(rx.match(screen.step, *on.items(), order[-1]))),
        ),
        class_name="wizard-moves",
    )


def _costs(screen: Any) -> rx.Component:
    """What this process will use and cost."""
    return rx.el.aside(
        rx.el.h2("This process uses"),
        rx.el.div(
            rx.el.span(
                lucide("list-checks", 16),
                class_name="tile",
                custom_attrs={"data-hue": "gray"},
            ),
            rx.el.div(
                rx.el.strong("1 process"),
                rx.el.small(screen.after, custom_attrs={"data-tone": screen.limit.tone}),
                class_name="lines",
            ),
            class_name="use-line",
        ),
        rx.foreach(screen.uses, _use),
        rx.cond(
            screen.no_messages, rx.el.p("No messages: reminders are chosen under Census.", class_name="quiet-note")
        ),
        class_name="panel side-panel wizard-costs",
        aria_label="What this process uses",
    )


def _use(one: rx.Var[UseRow]) -> rx.Component:
    return rx.el.div(
        metric_tile(one.metric.hue, one.metric.icon),
        rx.el.div(
            rx.el.strong(one.needed, " ", one.metric.name),
            rx.cond(one.split != "", rx.el.small(one.split)),
            rx.cond(one.short != "", rx.el.small(one.short, custom_attrs={"data-tone": "blocked"})),
            rx.cond(one.offer != "", button_link(one.offer, href=one.offer_href)),
            class_name="lines",
        ),
        class_name="use-line",
    )


def _fact(one: rx.Var[Field]) -> rx.Component:
    return rx.el.div(rx.el.dt(one.label), rx.el.dd(figure(one.value, one.hint)))


def _ends(state: Any) -> rx.Component:
    return rx.fragment(
        _end(state, "cancelled", "Cancel process", "Cancel this process?", "It ends now and does not count any more. "
             "Messages that were not sent are given back.", "0"),
        _end(state, "closed", "Close process", "Close this process?", "It ends now and does not count any more. "
             "Messages that were not sent are given back.", ""),
    )  # fmt: skip


def _end(state: Any, outcome: str, label: str, title: str, text: str, start: str) -> rx.Component:
    """The question before it ends, with how many messages went out."""
    sent = state.screen.sent

    def asked(one: rx.Var[Field]) -> rx.Component:
        return rx.el.label(
            rx.el.span(one.label, " sent, of ", one.value),
            rx.el.input(
                name=one.hint, default_value=start or one.value, input_mode="numeric", class_name="input", required=True
            ),
            class_name="field",
        )

    quiet = {"size": "2", "variant": "outline", "color_scheme": "gray", "class_name": "button quiet"}
    return rx.dialog.root(
        rx.dialog.trigger(rx.button(label, type="button", **quiet)),
        rx.dialog.content(
            rx.dialog.title(title, size="3"),
            rx.dialog.description(text, size="2"),
            rx.el.form(
                rx.foreach(sent, asked),
                rx.el.div(
                    rx.dialog.close(rx.button("Keep it running", type="button", **quiet)),
                    rx.dialog.close(
                        rx.button(label, type="submit", size="2", color_scheme="red", class_name="button danger")
                    ),
                    class_name="dialog-actions",
                ),
                on_submit=lambda form: state.end(outcome, form),
                class_name="form",
            ),
            max_width="420px",
            class_name="ask",
        ),
    )
