"""Pages before their data: the final shape in grey, never a spinner."""

from __future__ import annotations

import reflex as rx


def bone(width: str, height: str = "14px", class_name: str = "") -> rx.Component:
    """One grey bar."""
    return rx.el.span(class_name=f"bone {class_name}", style={"width": width, "height": height})


def _head(title: str) -> rx.Component:
    return rx.el.header(
        rx.el.div(rx.el.h1(title), bone("140px"), class_name="head-title"),
        rx.el.div(bone("112px", "32px"), class_name="head-tools"),
        class_name="head",
    )


def _rows(count: int, class_name: str) -> list[rx.Component]:
    widths = ("42%", "36%", "48%", "39%", "44%", "33%", "40%")
    return [
        rx.el.div(
            bone("28px", "28px"), bone(widths[index % len(widths)]), bone("96px"), class_name=f"ghost {class_name}"
        )
        for index in range(count)
    ]


def _bars(**style: str) -> rx.Component:
    bars = [bone("5%", f"{share}%") for share in (18, 20, 22, 25, 31, 36, 43, 52, 60, 66, 74, 80, 92)]
    return rx.el.div(*bars, class_name="ghost-plot", style=style)


def _plot(height: str) -> rx.Component:
    return rx.el.section(bone("150px", "16px"), _bars(height=height), class_name="panel")


def overview_skeleton(meter_head: rx.Component) -> rx.Component:
    """Five meters under their head, the chart and the panel beside it, each as large as what comes."""
    chart = rx.el.section(
        rx.el.div(bone("150px", "24px"), bone("236px", "24px", "panel-tools"), class_name="panel-head"),
        rx.el.div(_bars(), class_name="plot fill"),
        rx.el.div(bone("300px", "16px"), bone("64px", "16px"), class_name="chart-foot"),
        class_name="panel chart-panel",
    )
    side = rx.el.section(bone("150px", "24px"), *_rows(4, "ghost-line"), class_name="panel side-panel")
    title = rx.el.div(rx.el.h1("Overview"), bone("140px", class_name="wide-only"), class_name="head-title")
    tools = rx.el.div(
        bone("112px", "32px", "wide-only"),
        rx.el.span(bone("96px", "12px"), class_name="head-note phone-only"),
        class_name="head-tools",
    )
    return rx.fragment(
        rx.el.header(title, tools, class_name="head"),
        rx.el.section(rx.el.div(meter_head, aria_hidden="true"), *_rows(5, "ghost-meter"), class_name="panel"),
        rx.el.div(chart, side, class_name="pair grow"),
    )


def page_skeleton(title: str, rows: int = 8) -> rx.Component:
    """A chart and a table under it: usage, credits, explain."""
    return rx.fragment(_head(title), _plot("280px"), rx.el.section(*_rows(rows, "ghost-line"), class_name="panel"))


def list_skeleton(title: str, rows: int = 12) -> rx.Component:
    """A table: the ledger."""
    return rx.fragment(_head(title), rx.el.section(*_rows(rows, "ghost-line"), class_name="panel"))
