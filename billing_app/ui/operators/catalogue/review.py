"""What the catalogue editor is made of: its tables, edited in place, the bar of an edit, the review, the history."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import lucide, metric_tile, primary_button, state_badge, tool_button
from billing_app.ui.kit.dialogs import dialog
from billing_app.ui.operators.catalogue.review_text import AffectedRow, ChangeRow, ReviewScreen, VersionRow
from billing_app.ui.operators.catalogue.text import CellScreen, ColumnScreen, GridScreen, GroupScreen, LineScreen


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


def grid_table(state: Any, grid: rx.Var[GridScreen], first: str, label: str, part: str) -> rx.Component:
    """One table; `first` is the head of its first column, `part` its name."""
    return rx.el.div(
        rx.el.table(
            rx.el.caption(label, class_name="unseen"),
            rx.el.thead(
                rx.el.tr(
                    rx.el.th(first, scope="col", class_name="m-what"),
                    rx.foreach(grid.columns, lambda column: _column(state, column)),
                )
            ),
            rx.foreach(grid.groups, lambda group: _group(state, group, grid.span)),
            class_name="matrix",
            custom_attrs={"data-part": part},
        ),
        class_name="scroll",
        tab_index=0,
        role="region",
        aria_label=label,
    )


def _column(state: Any, column: rx.Var[ColumnScreen]) -> rx.Component:
    return rx.el.th(
        rx.el.span(
            rx.cond(column.hue != "", metric_tile(column.hue, column.icon)),
            rx.el.span(column.title, class_name="strong"),
            class_name="m-title",
        ),
        rx.cond(column.note != "", rx.el.small(column.note)),
        _tools(state, column.item, column.moves, column.title, "left"),
        scope="col",
    )


def _group(state: Any, group: rx.Var[GroupScreen], span: Any) -> rx.Component:
    return rx.el.tbody(
        rx.cond(
            group.label != "",
            rx.el.tr(rx.el.th(rx.el.span(group.label), scope="rowgroup", col_span=span), class_name="topic"),
        ),
        rx.foreach(group.lines, lambda line: _line(state, line)),
    )


def _tools(state: Any, item: Any, moves: Any, title: Any, way: str) -> rx.Component:
    """What can be done with a whole item: a place further to the front, or out."""

    def button(icon: str, words: str, on_click: Any) -> rx.Component:
        return rx.el.button(
            lucide(icon, 13),
            type="button",
            class_name="icon-button tiny",
            title=words,
            aria_label=f"{words}: {title}",
            on_click=on_click,
        )

    return rx.cond(
        item != "",
        rx.el.span(
            rx.cond(moves, button(f"arrow-{way}", "Move it to the front", state.move(item))),
            button("x", "Take it out", state.take_out(item)),
            class_name="m-tools",
        ),
    )


def _line(state: Any, line: rx.Var[LineScreen]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            rx.el.span(
                rx.cond(line.own.key != "", _input(state, line.own), rx.el.span(line.label)),
                rx.cond(line.hint != "", rx.el.small(line.hint)),
                _tools(state, line.item, line.moves, line.label, "up"),
                class_name="m-line",
            ),
            _mistake(line.own),
            scope="row",
            class_name="m-what",
        ),
        rx.foreach(line.cells, lambda cell: _cell(state, cell)),
    )


def _input(state: Any, cell: rx.Var[CellScreen]) -> rx.Component:
    """A line of text, or a figure."""
    return rx.el.input(
        default_value=cell.value,
        key=cell.key + cell.value,
        on_blur=lambda value: state.edit(cell.key, value),
        aria_label=cell.label,
        aria_invalid=rx.cond(cell.mistake != "", "true", "false"),
        class_name="m-input",
        auto_complete="off",
        spell_check=False,
        max_length=300,
    )


def _mistake(cell: rx.Var[CellScreen]) -> rx.Component:
    return rx.cond(cell.mistake != "", rx.el.p(cell.mistake, class_name="m-mistake", role="alert"))


def _cell(state: Any, cell: rx.Var[CellScreen]) -> rx.Component:
    long = rx.el.textarea(
        default_value=cell.value,
        key=cell.key + cell.value,
        on_blur=lambda value: state.edit(cell.key, value),
        aria_label=cell.label,
        aria_invalid=rx.cond(cell.mistake != "", "true", "false"),
        class_name="m-input long",
        max_length=600,
        rows=2,
    )
    tick = rx.el.label(
        rx.el.input(
            type="checkbox",
            checked=cell.on,
            on_change=lambda _on: state.edit(cell.key, rx.cond(cell.on, "no", "yes")),
            aria_label=cell.label,
        ),
        class_name="tick",
    )
    choice = rx.el.select(
        rx.foreach(cell.options, lambda option: rx.el.option(option, value=option)),
        value=cell.value,
        on_change=lambda value: state.edit(cell.key, value),
        aria_label=cell.label,
        class_name="m-input",
    )
    still = rx.el.span(cell.value, class_name="m-still")
    return rx.el.td(
        rx.el.div(
            rx.cond(
                (cell.was != "") & (cell.kind != "flag") & (cell.kind != "long"),
                rx.el.s(cell.was, class_name="m-was", title="was"),
            ),
            rx.match(
                cell.kind, ("flag", tick), ("choice", choice), ("long", long), ("still", still), _input(state, cell)
            ),
            class_name="m-cell",
        ),
        _mistake(cell),
        custom_attrs={
            "data-kind": cell.kind,
            "data-changed": rx.cond(cell.changed, "yes", "no"),
            "data-wrong": rx.cond(cell.mistake != "", "yes", "no"),
        },
    )
