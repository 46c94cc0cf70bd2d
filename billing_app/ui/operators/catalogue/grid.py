"""The table of the catalogue editor: every cell is edited in place, and says what it was."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import lucide, metric_tile
from billing_app.ui.operators.catalogue.text import CellScreen, ColumnScreen, GridScreen, GroupScreen, LineScreen


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
