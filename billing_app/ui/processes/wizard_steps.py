"""The steps of a process's wizard. Fields are saved a moment after the last key, and when they are left."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.domain.processes.processes import MAX_DESCRIPTION, MAX_TITLE
from billing_app.ui.kit.basics import figure, link, lucide, primary_button, quiet_button
from billing_app.ui.kit.forms import labelled, text_field
from billing_app.ui.kit.records import Field
from billing_app.ui.processes.process_text import ChoiceRow, QuestionRow

PAUSE_MS = 700
"""After the last key."""


def information(state: Any) -> rx.Component:
    """Title, text, and when."""
    screen = state.screen
    return _step(
        "Information",
        "What voters see first.",
        _text(state, "Title", "title", screen.name, max_length=MAX_TITLE, placeholder="Board election"),
        labelled(
            "Description",
            rx.el.textarea(
                default_value=screen.description,
                max_length=MAX_DESCRIPTION,
                rows="4",
                on_change=lambda value: state.fill("description", value).debounce(PAUSE_MS),
                on_blur=lambda value: state.fill("description", value),
                disabled=~screen.may_change,
                class_name="input area",
            ),
            wide=True,
        ),
        _text(state, "Opens (UTC)", "starts_at", screen.starts, kind="datetime-local"),
        _text(state, "Ends (UTC)", "ends_at", screen.ends, kind="datetime-local"),
    )


def questions(state: Any) -> rx.Component:
    """What is asked."""
    screen = state.screen
    return _step(
        "Questions",
        "Each with at least two answers.",
        rx.el.ol(rx.foreach(screen.questions, lambda one: _question(state, one)), class_name="question-list wide"),
        rx.cond(
            screen.may_change,
            quiet_button(lucide("plus", 14), "Add a question", on_click=state.add(-1)),
        ),
    )


def census(state: Any) -> rx.Component:
    """Who is asked, and how often they are written to."""
    screen = state.screen
    return _step(
        "Census",
        "How many voters there are, and how often each of them is written to.",
        rx.el.div(
            _text(state, "Voters", "census", screen.census, input_mode="numeric", placeholder="0"),
            rx.el.small(screen.census_note, custom_attrs={"data-tone": screen.census_tone}),
            class_name="with-note",
        ),
        rx.el.span(class_name="wide rule"),
        _reminders(
            state, "E-mails to each voter", "email_reminders", screen.emails, screen.emails_open, screen.emails_note
        ),
        _reminders(state, "SMS to each voter", "sms_reminders", screen.sms, screen.sms_open, screen.sms_note),
    )


def features(state: Any) -> rx.Component:
    """How votes are given, and what else voters get."""
    screen = state.screen
    return _step(
        "Features",
        "What your plan does not have is locked, and says which plan has it.",
        rx.el.fieldset(
            rx.el.legend("Way of voting"),
            rx.foreach(screen.voting_types, lambda one: _radio(state, one)),
            class_name="choice-grid wide",
        ),
        rx.el.fieldset(
            rx.el.legend("Features"),
            rx.foreach(screen.features, lambda one: _check(state, one)),
            class_name="choice-grid wide",
        ),
    )


def confirm(state: Any) -> rx.Component:
    """Everything at a glance, what is missing, and the one button."""
    screen = state.screen
    return _step(
        "Confirm",
        "Publishing counts the process against your plan and takes its messages, all or nothing.",
        rx.el.dl(rx.foreach(screen.summary, _fact), class_name="fact-grid wide"),
        rx.cond(
            screen.missing.length() > 0,
            rx.el.ul(
                rx.foreach(
                    screen.missing,
                    lambda text: rx.el.li(lucide("circle-alert", 14), rx.el.span(text)),
                ),
                class_name="missing wide",
                aria_label="What is missing",
            ),
        ),
        rx.cond(
            screen.may_change,
            rx.cond(
                screen.missing.length() > 0,
                rx.tooltip(
                    rx.button(
                        "Publish",
                        type="button",
                        size="2",
                        custom_attrs={"aria-disabled": "true"},
                        class_name="button off",
                    ),
                    content="The list above says what is missing.",
                ),
                primary_button("Publish", on_click=state.publish),
            ),
        ),
    )


def _step(title: str, text: str, *content: Any) -> rx.Component:
    return rx.fragment(
        rx.el.div(rx.el.div(rx.el.h2(title), rx.el.small(text), class_name="lines"), class_name="panel-head"),
        rx.el.div(*content, class_name="wizard-fields"),
    )


def _text(state: Any, label: str, name: str, value: Any, *, kind: str = "text", **props: Any) -> rx.Component:
    return rx.el.label(
        rx.el.span(label),
        rx.el.input(
            type=kind,
            default_value=value,
            on_change=lambda given: state.fill(name, given).debounce(PAUSE_MS),
            on_blur=lambda given: state.fill(name, given),
            disabled=~state.screen.may_change,
            class_name="input",
            **props,
        ),
        class_name="field wide" if name == "title" else "field",
    )


def _question(state: Any, one: rx.Var[QuestionRow]) -> rx.Component:
    def answer(value: Any, place: Any) -> rx.Component:
        return rx.el.li(
            rx.el.input(
                default_value=value,
                max_length=MAX_TITLE,
                placeholder="Answer",
                on_change=lambda given: state.ask(one.place, place, given).debounce(PAUSE_MS),
                on_blur=lambda given: state.ask(one.place, place, given),
                disabled=~state.screen.may_change,
                class_name="input",
                custom_attrs={"aria-label": f"{one.name}, answer {place + 1}"},
            ),
            _drop(state, one.place, place, f"Take away answer {place + 1} of {one.name}"),
        )

    return rx.el.li(
        rx.el.div(
            text_field(
                one.name,
                default_value=one.title,
                max_length=MAX_TITLE,
                placeholder="Who should sit on the board?",
                on_change=lambda given: state.ask(one.place, -1, given).debounce(PAUSE_MS),
                on_blur=lambda given: state.ask(one.place, -1, given),
                disabled=~state.screen.may_change,
            ),
            _drop(state, one.place, -1, f"Take away {one.name}"),
            class_name="question-head",
        ),
        rx.el.ul(rx.foreach(one.answers, answer), class_name="answer-fields"),
        rx.cond(
            state.screen.may_change,
            rx.el.button("Add an answer", type="button", on_click=state.add(one.place), class_name="others add-answer"),
        ),
        # A question that goes takes its fields along: the next one must not inherit what was typed into them.
        key=f"{one.place}-{state.screen.questions.length()}-{one.answers.length()}",
    )


def _drop(state: Any, place: Any, answer: Any, label: Any) -> rx.Component:
    return rx.cond(
        state.screen.may_change,
        rx.el.button(
            lucide("x", 15),
            type="button",
            on_click=state.drop(place, answer),
            class_name="icon-button",
            custom_attrs={"aria-label": label, "title": label},
        ),
    )


def _reminders(state: Any, label: str, name: str, value: Any, is_open: Any, note: Any) -> rx.Component:
    return rx.el.div(
        text_field(
            label,
            input_mode="numeric",
            default_value=value,
            on_change=lambda given: state.fill(name, given).debounce(PAUSE_MS),
            on_blur=lambda given: state.fill(name, given),
            disabled=~state.screen.may_change | ~is_open,
        ),
        rx.cond(note != "", _locked(state, note), rx.el.small("One message to every voter, each time.")),
        class_name="with-note",
    )


def _radio(state: Any, one: rx.Var[ChoiceRow]) -> rx.Component:
    return _choice(
        state, one, rx.el.input(
            type="radio", name="voting_type", value=one.id, default_checked=one.chosen,
            disabled=~one.open | ~state.screen.may_change, on_change=state.fill("voting_type", one.id),
        ),
    )  # fmt: skip


def _check(state: Any, one: rx.Var[ChoiceRow]) -> rx.Component:
    return _choice(
        state, one, rx.el.input(
            type="checkbox", default_checked=one.chosen, on_change=state.choose(one.id, ~one.chosen),
            disabled=(~one.open & ~one.chosen) | ~state.screen.may_change,
        ),
    )  # fmt: skip


def _choice(state: Any, one: rx.Var[ChoiceRow], field: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.label(
            field,
            rx.el.span(rx.el.strong(one.name), rx.el.small(one.description), class_name="lines"),
            class_name="pick",
        ),
        rx.cond(one.note != "", _locked(state, one.note)),
        class_name="choice-line",
        custom_attrs={"data-open": rx.cond(one.open, "yes", "no")},
    )


def _locked(state: Any, note: Any) -> rx.Component:
    """Why it can't be chosen, with the way to change that."""
    screen = state.screen
    href = rx.cond(note.to(str).startswith("switched"), screen.features_href, screen.plan_href)
    return link(lucide("lock", 12), note, href=href, class_name="option-note")


def _fact(one: rx.Var[Field]) -> rx.Component:
    return rx.el.div(rx.el.dt(one.label), rx.el.dd(figure(one.value, one.hint)))
