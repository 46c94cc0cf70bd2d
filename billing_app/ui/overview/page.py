"""/o/{address}: will I be cut off, how much have I used, where did this month's credits go."""

from __future__ import annotations

from functools import partial

import reflex as rx

from billing_app.services.overview import overview
from billing_app.services.overview.views import OverviewView
from billing_app.ui import routes
from billing_app.ui.access.session import PageAccess, guarded
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.frame.banner import action_strip, banner, notice
from billing_app.ui.frame.organization import frame, page, paid_by
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.basics import (
    button_link,
    choice_switch,
    figure,
    head,
    link,
    lucide,
    metric_tile,
    more_link,
    panel_head,
    plain_link,
    recount_line,
    refused_button,
    state_badge,
)
from billing_app.ui.kit.chart import months_legend, plot, table_below
from billing_app.ui.kit.skeletons import overview_skeleton
from billing_app.ui.overview.meters_text import BarScreen, MeterScreen
from billing_app.ui.overview.text import CreditLine, OverviewScreen, overview_screen


def meter_bar(bar: rx.Var[BarScreen], hue: rx.Var[str]) -> rx.Component:
    """Tint: the plan pays. Solid: credits pay. Hatch: nobody paid. The tick is what the plan includes; the end is the
    cut-off."""
    return rx.el.div(
        rx.el.i(class_name="plan", style={"width": bar.plan}),
        rx.el.i(class_name="credits", style={"width": bar.credits}),
        rx.el.i(class_name="unpaid", style={"width": bar.unpaid}),
        rx.cond(bar.mark != "", rx.el.b(style={"left": bar.mark})),
        rx.cond(bar.stop, rx.el.u()),
        role="img",
        aria_label=bar.label,
        class_name=rx.cond(bar.unlimited, "bar unlimited", "bar"),
        custom_attrs={"data-hue": hue},
    )


def meters(rows: rx.Var[list[MeterScreen]], used_head: rx.Var[str]) -> rx.Component:
    """All metrics of the running period."""
    return rx.el.section(
        rx.el.div(
            rx.el.div(_head(used_head), role="rowgroup"),
            rx.el.div(rx.foreach(rows, meter_row), role="rowgroup"),
            role="table",
            aria_label="Metrics",
            class_name="meters",
        ),
        class_name="panel",
    )


def _head(used_head: rx.Var[str]) -> rx.Component:
    legend = rx.el.div(
        rx.el.span(rx.el.i(class_name="key plan neutral"), "plan"),
        rx.el.span(rx.el.i(class_name="key credits neutral"), "credits"),
        rx.el.span(rx.el.i(class_name="key tick"), "included"),
        rx.el.span("cut-off", lucide("arrow-right-to-line", 12), class_name="cut-off"),
        role="columnheader",
        class_name="meter-key",
    )
    return rx.el.div(
        rx.el.div("Metric", role="columnheader"),
        legend,
        rx.el.div(used_head, role="columnheader", class_name="number"),
        rx.el.div("Credits left", role="columnheader", class_name="number"),
        rx.el.div("Lasts until", role="columnheader"),
        rx.el.div("State", role="columnheader"),
        role="row",
        class_name="meter-head",
    )


def meter_row(row: rx.Var[MeterScreen]) -> rx.Component:
    """One metric. The whole row leads to its use."""
    name = rx.el.div(
        metric_tile(row.metric.hue, row.metric.icon),
        rx.el.div(
            link(row.metric.name, href=row.href, class_name="cover"),
            rx.cond(row.own != "", rx.el.small(row.own, class_name="own"), rx.el.small(row.metric.caption)),
            class_name="lines",
        ),
        role="rowheader",
        class_name="meter-name",
    )
    used = rx.el.div(
        figure(row.used, row.used_exact),
        rx.el.small(row.included),
        role="cell",
        class_name="number lines meter-used",
    )
    left = rx.el.div(
        figure(row.left, row.left_exact, tone=row.left_tone),
        rx.el.small(row.left_note, class_name="wide-only", custom_attrs={"data-tone": row.left_note_tone}),
        rx.el.small("credits left", class_name="phone-only"),
        role="cell",
        class_name="number lines meter-left",
    )
    until = rx.el.div(
        rx.cond(row.until_dated, rx.el.small("until ", class_name="phone-only")),
        rx.el.span(row.until, class_name="figure", custom_attrs={"data-tone": row.until_tone}),
        rx.el.small(row.until_note, class_name="wide-only"),
        role="cell",
        class_name="lines meter-until",
    )
    return rx.el.div(
        name,
        rx.el.div(meter_bar(row.bar, row.metric.hue), role="cell", class_name="meter-bar"),
        used,
        left,
        until,
        rx.el.div(state_badge(row.state, row.state_tone), role="cell", class_name="meter-state"),
        lucide("chevron-right", 16, class_name="chevron"),
        role="row",
        class_name="meter-row",
    )


class OverviewState(OrganizationPage):
    """What the overview shows."""

    screen: OverviewScreen = OverviewScreen()

    @guarded()
    async def load(self, access: PageAccess) -> None:
        """Reads the page. The chart's metric is the URL's."""
        metric = access.text("metric")
        self.screen = await access.show(self, partial(overview_of, metric=metric), overview_screen)


def overview_of(at: PageContext, metric: str) -> OverviewView:
    """The overview, its chart of `metric`; empty for the first one."""
    return at.once(lambda: overview.overview(at, metric), "overview", metric)


screen = OverviewState.screen


def overview_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head(
            "Overview",
            rx.el.span(screen.period, class_name="head-note wide-only"),
            tools=[
                rx.el.span(screen.period_short, class_name="head-note phone-only"),
                rx.el.span(recount_line(screen.recount, screen.recount_failed), class_name="wide-only"),
                _buy(),
            ],
        ),
        rx.cond(
            screen.banner.visible,
            banner(
                screen.banner,
                screen.others,
                rx.cond(screen.actions.length() > 0, action_strip(screen.actions)),
            ),
        ),
        paid_by(),
        rx.cond(screen.empty, _empty()),
        meters(screen.meters, screen.used_head),
        rx.el.div(_months(), rx.cond(screen.blocked, _takes(), _spent_or_own()), class_name="pair grow"),
    )
    return page(
        content, active="overview", ready=screen.ready, skeleton=overview_skeleton(_head(rx.Var.create("Used")))
    )


def _buy() -> rx.Component:
    label = rx.fragment(lucide("plus", 16), "Buy credits")
    return rx.el.span(
        rx.cond(
            frame.buying != "",
            refused_button(label, frame.buying),
            button_link(label, href=frame.buy_href),
        ),
        class_name="wide-only",
    )


def _empty() -> rx.Component:
    return notice(
        "chart-column",
        "No use has been reported yet",
        "As soon as your product reports usage, this page shows how much of each metric is used, "
        "until when it lasts, and where credits go.",
        rx.button(
            plain_link("How to report usage", href=routes.API_DOCS),
            as_child=True,
            size="2",
            class_name="button primary",
        ),
    )


def _months() -> rx.Component:
    chart = screen.chart
    return rx.el.section(
        panel_head(
            chart.title,
            rx.el.small(chart.caption),
            tools=[choice_switch(screen.choices, screen.metric.id, screen.metric_base, "Metric", size="1")],
        ),
        plot(chart, class_name="fill"),
        rx.el.div(months_legend(chart, screen.metric.hue), table_below(chart.table), class_name="chart-foot"),
        class_name="panel chart-panel",
    )


def _spent_or_own() -> rx.Component | rx.Var:
    return rx.cond(frame.payer != "", _own(), _credits())


def _own() -> rx.Component:
    """What this organization used of a plan that others use, too."""
    return rx.el.section(
        rx.el.h2(screen.spent_title),
        rx.el.ul(rx.foreach(screen.own, _line), class_name="lines-list last"),
        rx.el.div(more_link("Month by month", frame.usage_href), class_name="panel-foot"),
        class_name="panel side-panel",
    )


def _credits() -> rx.Component:
    """Where this month's credits went, what ends soon, what is not yet posted."""
    return rx.el.section(
        rx.el.h2(screen.spent_title),
        rx.cond(
            screen.spent.length() > 0,
            rx.el.ul(rx.foreach(screen.spent, _line), class_name="lines-list"),
            rx.el.p("The plan has paid for everything so far.", class_name="quiet-note"),
        ),
        rx.cond(
            screen.ending.length() > 0,
            rx.fragment(
                rx.el.h2("Ends soon"),
                rx.el.ul(rx.foreach(screen.ending, _ending_line), class_name="lines-list last"),
            ),
        ),
        rx.el.div(
            rx.el.p(screen.unposted, class_name="quiet-note"),
            rx.cond(frame.money, more_link("Open ledger", frame.ledger_href)),
            class_name="panel-foot",
        ),
        class_name="panel side-panel",
    )


def _line(line: rx.Var[CreditLine]) -> rx.Component:
    return rx.el.li(
        metric_tile(line.metric.hue, line.metric.icon),
        rx.el.div(rx.el.span(line.metric.name), rx.el.small(line.note), class_name="lines"),
        figure(line.figure, line.hint),
    )


def _ending_line(line: rx.Var[CreditLine]) -> rx.Component:
    return rx.el.li(
        rx.el.span(lucide("hourglass", 16), class_name="tile soon"),
        rx.el.div(rx.el.span(line.metric.name), rx.el.small(line.note), class_name="lines"),
        figure(line.figure, line.hint),
    )


def _takes() -> rx.Component:
    """For a blocked metric: the sum that blocks it, and what it takes."""
    takes = screen.takes
    return rx.el.section(
        rx.el.h2("What it takes"),
        rx.el.dl(
            rx.foreach(takes.lines, lambda line: rx.el.div(rx.el.dt(line.label), rx.el.dd(line.value))),
            rx.el.div(rx.el.dt(takes.result.label), rx.el.dd(takes.result.value), class_name="result"),
            class_name="sum",
        ),
        rx.el.p(takes.text, class_name="quiet-note"),
        rx.el.div(more_link("Compare packs", takes.href), class_name="panel-foot"),
        class_name="panel side-panel",
    )
