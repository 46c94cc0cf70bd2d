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
    lucide,
    metric_tile,
    more_link,
    panel_head,
    plain_link,
    recount_line,
    refused_button,
)
from billing_app.ui.kit.chart import months_legend, plot, table_below
from billing_app.ui.kit.skeletons import overview_skeleton
from billing_app.ui.overview.meters import meters
from billing_app.ui.overview.text import CreditLine, OverviewScreen, overview_screen


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
    return page(content, active="overview", ready=screen.ready, skeleton=overview_skeleton())


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
