"""A chart on a page: the picture, its legend, its text alternative and its numbers."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import reflex as rx
from reflex_components_plotly.plotly import PlotlyBasic

from billing_app.ui.kit.basics import lucide
from billing_app.ui.kit.records import Chart, Table

QUIET_CONFIG = {"displayModeBar": False, "responsive": False, "doubleClick": False, "showTips": False}


class Plot(PlotlyBasic):
    """Plotly's basic build, loaded beside the page's data, and drawn once both and the page's fonts are there.

    Labels are placed by their measured width: drawn before the fonts, they would sit wrong. assets/drawing.js keeps the
    drawing as large as its place, and its words off each other at every width.
    """

    def _get_dynamic_imports(self) -> str:
        return (
            "\nconst drawn = typeof document === 'undefined' ? undefined : Promise.all("
            "[import('plotly.js-basic-dist-min'), import('$/public/drawing.js'), document.fonts.ready])"
            f"\nconst {self.tag} = ClientSide(() => drawn.then("
            f"([mod, drawing]) => drawing.inItsPlace(createPlotlyComponent(mod), mod)), '{self.tag}')\n"
        )


def plot(chart: rx.Var[Chart], height: str = "", class_name: str = "", **events: Any) -> rx.Component:
    """The picture, by appearance; without a height it fills its panel.

    Screen readers get its sentence; the numbers are in a table on the page.
    """
    figure = rx.color_mode_cond(light=chart.pictures.light, dark=chart.pictures.dark)
    return rx.el.div(
        Plot.create(
            data=figure.to(go.Figure),
            template=None,
            config=QUIET_CONFIG,
            width="100%",
            height="100%",
            # It would draw every chart a second time at once; assets/drawing.js follows the chart's place instead.
            use_resize_handler=False,
            **events,
        ),
        role="img",
        aria_label=chart.alt,
        class_name=f"plot {class_name}",
        style={"height": height} if height else {},
    )


def legend_item(kind: str, label: Any, hue: Any = "") -> rx.Component:
    """One entry: `kind` is plan, credits, unpaid, others, included, line, dotted, granted or left."""
    return rx.el.span(
        rx.el.i(class_name=f"key {kind}", custom_attrs={"data-hue": hue}, aria_hidden="true"),
        label,
        class_name="legend-item",
    )


def months_legend(chart: rx.Var[Chart], hue: rx.Var[str]) -> rx.Component:
    """Of the months chart: one grammar everywhere."""
    paid = (
        legend_item("plan", "Covered by plan", hue),
        legend_item("credits", "Covered by credits", hue),
        legend_item("unpaid", chart.unpaid),
    )
    shared = (legend_item("plan", "This organization", hue), legend_item("others", "Others together"))
    return rx.el.div(
        rx.cond(chart.shared, rx.fragment(*shared), rx.fragment(*paid)),
        rx.cond(chart.included != "", legend_item("included", chart.included)),
        class_name="legend",
    )


def plain_table(table: rx.Var[Table], class_name: str = "numbers") -> rx.Component:
    """A chart's numbers as a table; the first cell of a row is its head."""
    return rx.el.table(
        rx.el.caption(table.caption, class_name="unseen"),
        rx.el.thead(rx.el.tr(rx.foreach(table.heads, lambda text: rx.el.th(text, scope="col")))),
        rx.el.tbody(
            rx.foreach(
                table.rows,
                lambda row: rx.el.tr(
                    rx.foreach(
                        row, lambda cell, place: rx.cond(place == 0, rx.el.th(cell, scope="row"), rx.el.td(cell))
                    )
                ),
            )
        ),
        class_name=class_name,
    )


def table_below(table: rx.Var[Table]) -> rx.Component:
    """The numbers behind a chart that has no table beside it."""
    return rx.el.details(
        rx.el.summary("Numbers", lucide("chevron-down", 14)),
        rx.el.div(plain_table(table), class_name="scroll", tab_index=0, role="region", aria_label=table.caption),
        class_name="numbers-below",
    )
