"""What stands around the editor's tables: the bar of an edit, the review before saving, the history."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import lucide, primary_button, state_badge, tool_button
from billing_app.ui.kit.dialogs import dialog
from billing_app.ui.operators.catalogue.changes_text import AffectedRow, ChangeRow
from billing_app.ui.operators.catalogue.review_text import ReviewScreen, VersionRow


def remarks(state: Any) -> rx.Component:
    """What plans.json says meanwhile, and what was saved."""
    screen = state.screen
    return rx.fragment(
        rx.cond(
            screen.file.title != "",
            rx.el.section(
                rx.el.div(
                    lucide("triangle-alert", 18),
                    rx.el.div(
                        rx.el.strong(screen.file.title),
                        rx.el.span(screen.file.text),
                        class_name="banner-words",
                    ),
                    rx.cond(
                        screen.file.opens,
                        rx.el.div(tool_button("Open it as an edit", state.open_file), class_name="banner-actions"),
                    ),
                    class_name="banner-line",
                ),
                class_name="banner",
                custom_attrs={"data-tone": screen.file.tone},
            ),
        ),
        rx.cond(
            screen.saved != "",
            rx.el.section(
                lucide("circle-check", 16),
                rx.el.strong(screen.saved),
                rx.cond(screen.push, tool_button("Push prices to Stripe", state.push), rx.el.span(screen.pushed)),
                class_name="panel saved",
                role="status",
            ),
        ),
    )


def edit_bar(state: Any) -> rx.Component:
    """What the edit comes to so far, always in sight."""
    screen = state.screen
    words = rx.cond(
        screen.mistakes.length() > 0,
        rx.el.ul(rx.foreach(screen.mistakes, rx.el.li), class_name="edit-mistakes"),
        rx.cond(
            screen.newer != "",
            rx.el.span(screen.newer, class_name="strong", custom_attrs={"data-tone": "soon"}),
            rx.el.span(
                rx.el.strong(screen.changes),
                rx.el.span(" \N{MIDDLE DOT} ", aria_hidden="true"),
                rx.el.span(screen.affected),
                rx.cond(screen.both != "", rx.el.small(screen.both)),
                class_name="edit-sum",
            ),
        ),
    )
    go = rx.cond(
        screen.newer != "",
        primary_button("Put my changes on top", on_click=state.take_newer),
        primary_button("Review", disabled=~screen.sound, on_click=state.review(False)),
    )
    return rx.cond(
        screen.dirty,
        rx.el.section(
            rx.el.div(words, class_name="edit-words", aria_live="polite"),
            rx.el.div(tool_button("Discard", state.discard), go, class_name="banner-actions"),
            class_name="edit-bar",
            aria_label="Your edit",
        ),
    )


def review_dialog(state: Any) -> rx.Component:
    """Everything that saving does, before it is done."""
    review = state.screen.review
    return dialog(
        review.open,
        state.close_review,
        review.title,
        "Nothing is saved yet.",
        rx.segmented_control.root(
            rx.segmented_control.item("From now on", value="dated"),
            rx.segmented_control.item("As a correction", value="correction"),
            value=rx.cond(review.correcting, "correction", "dated"),
            on_change=lambda chosen: state.review(chosen.to(str) == "correction"),
            size="1",
            class_name="switch",
            custom_attrs={"aria-label": "From when it counts"},
        ),
        rx.el.p(
            rx.cond(
                review.correcting,
                "The version in force is replaced as if it had never held: balances are computed anew.",
                "More counts at once, less from the next period on.",
            ),
            class_name="quiet-note",
        ),
        rx.el.ul(rx.foreach(review.changes, change_line), class_name="edits"),
        rx.el.h3(review.affected_title),
        _affected(review),
        rx.cond(review.prices != "", rx.el.p(review.prices, class_name="quiet-note")),
        rx.cond(review.kept != "", rx.el.p(review.kept, class_name="quiet-note")),
        rx.el.div(
            tool_button("Back", state.close_review(False)),
            primary_button(review.save, on_click=state.save),
            class_name="dialog-foot",
        ),
        width="680px",
    )


def change_line(change: rx.Var[ChangeRow]) -> rx.Component:
    """One change: whose, what, before, after."""
    return rx.el.li(
        rx.el.span(change.subject, class_name="strong"),
        rx.el.span(change.what),
        rx.cond(
            change.after != "",
            rx.el.span(
                rx.el.s(change.before, class_name="m-was"),
                rx.icon("arrow-right", size=12, aria_label="becomes"),
                rx.el.strong(change.after),
                class_name="change-values",
            ),
        ),
        custom_attrs={"data-kind": change.kind},
    )


def _affected(review: rx.Var[ReviewScreen]) -> rx.Component:
    return rx.cond(
        review.affected.length() > 0,
        rx.el.div(
            rx.el.ul(rx.foreach(review.affected, _organization), class_name="affected"),
            rx.cond(review.more != "", rx.el.p(review.more, class_name="quiet-note")),
            class_name="affected-box",
            tab_index=0,
            role="region",
            aria_label="Affected organizations",
        ),
    )


def _organization(one: rx.Var[AffectedRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(one.name),
            rx.el.small(one.plan),
            rx.cond(one.blocked, state_badge("Gets blocked", "blocked")),
            class_name="affected-who",
        ),
        rx.el.ul(
            rx.foreach(one.lines, lambda text: rx.el.li(text)),
            rx.foreach(one.effects, lambda text: rx.el.li(text, class_name="strong")),
        ),
    )


def history_list(state: Any) -> rx.Component:
    """Every version, what it changed, and the way back to it."""
    return rx.el.ol(rx.foreach(state.screen.history, lambda one: _version(state, one)), class_name="versions")


def _version(state: Any, one: rx.Var[VersionRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.div(
                rx.el.strong(one.title),
                rx.cond(one.in_force, state_badge("In force", "")),
                rx.cond(one.corrected, state_badge("Corrected", "soon")),
                class_name="version-title",
            ),
            rx.el.small(one.note),
            class_name="lines",
        ),
        rx.cond(
            one.changes.length() > 0,
            rx.el.ul(
                rx.foreach(one.changes, change_line),
                rx.cond(one.more != "", rx.el.li(one.more, class_name="quiet")),
                class_name="edits",
            ),
            rx.el.p("The first version.", class_name="quiet-note"),
        ),
        rx.cond(~one.in_force, tool_button("Open as an edit", state.restore(one.number), "history")),
    )
