"""/o/{address}/usage: how much was used, month by month and day by day, and who paid."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import reflex as rx

from billing_app.domain.common.moments import day
from billing_app.services.overview import read_usage
from billing_app.services.overview.views import UsageView
from billing_app.ui.access.session import PageAccess, guarded
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.frame.banner import notice
from billing_app.ui.frame.organization import page, paid_by
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.basics import choice_switch, download, figure, head, link, lucide, panel_head
from billing_app.ui.kit.chart import months_legend, plot, table_below
from billing_app.ui.kit.records import Field
from billing_app.ui.kit.skeletons import page_skeleton
from billing_app.ui.usage.text import DEFAULT_RANGE, RANGES, MonthRow, SourceRow, UsageScreen, usage_screen


class UsageState(OrganizationPage):
    """What the usage page shows. Metric, range and month live in the URL."""

    screen: UsageScreen = UsageScreen()

    @guarded()
    async def load(self, access: PageAccess) -> None:
        """Reads the page."""
        metric, months = access.text("metric"), access.choice("months", RANGES, DEFAULT_RANGE)
        within = day_in(access.text("month"))

        def read(at: PageContext) -> UsageView:
            return at.once(
                lambda: read_usage.usage(at, metric, months=months, within=within),
                "usage", metric, months, within,
            )  # fmt: skip

        self.screen = await access.show(self, read, partial(usage_screen, months=months))

    @guarded()
    async def pick(self, access: PageAccess, place: int) -> rx.event.EventSpec | None:
        """A click on a month of the chart shows its days."""
        hrefs = self.screen.month_hrefs
        return rx.redirect(hrefs[place]) if 0 <= place < len(hrefs) else None


def day_in(text: str) -> datetime | None:
    """A day of the URL; None for nothing. Raises InvalidError `invalid_moment` for one that is none or out of range."""
    return day(text) if text else None


screen = UsageState.screen


def usage_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head(
            "Usage",
            tools=[
                choice_switch(screen.choices, screen.metric.id, screen.metric_base, "Metric"),
                choice_switch(screen.ranges, screen.span, screen.span_base, "Range"),
                download("CSV", screen.csv_href),
            ],
        ),
        paid_by(),
        rx.cond(screen.empty, _empty()),
        _months(),
        rx.el.div(rx.cond(screen.chart.shared, _sources(), _days()), _table(), class_name="halves grow tall"),
        rx.cond(screen.chart.shared, rx.fragment(), rx.cond(screen.sources.length() > 0, _sources())),
    )
    return page(content, active="usage", ready=screen.ready, skeleton=page_skeleton("Usage"))


def _empty() -> rx.Component:
    return notice(
        "chart-column",
        "No use has been reported yet",
        "Months, days and who paid for them appear here with the first report of usage.",
    )


def _months() -> rx.Component:
    chart = screen.chart
    return rx.el.section(
        rx.el.div(
            rx.el.div(rx.el.h2(chart.title), rx.el.small(chart.caption), class_name="lines"),
            rx.el.dl(rx.foreach(screen.stats, _stat), class_name="stats"),
            class_name="panel-head",
        ),
        plot(
            chart,
            "258px",
            "clickable",
            on_click=lambda points: UsageState.pick(points.to(list[dict[str, int]])[0]["x"]),
        ),
        rx.el.div(months_legend(chart, screen.metric.hue), class_name="chart-foot"),
        class_name="panel chart-panel",
    )


def _stat(one: rx.Var[Field]) -> rx.Component:
    return rx.el.div(rx.el.dt(one.label), rx.el.dd(figure(one.value, one.hint, tone=one.tone)))


def _days() -> rx.Component:
    days = screen.days
    return rx.el.section(
        panel_head(
            days.title,
            rx.el.small(days.caption),
            rx.el.div(
                _arrow("chevron-left", "Earlier month", screen.earlier_href),
                _arrow("chevron-right", "Later month", screen.later_href),
                class_name="panel-tools arrows",
            ),
        ),
        plot(days, class_name="fill"),
        rx.el.div(rx.el.p(screen.days_note, class_name="quiet-note"), table_below(days.table), class_name="chart-foot"),
        class_name="panel chart-panel",
    )


def _arrow(icon: str, label: str, href: rx.Var[str]) -> rx.Component:
    sign = lucide(icon, 16)
    return rx.cond(
        href != "",
        link(sign, href=href, class_name="icon-button", aria_label=label, title=label),
        rx.el.span(sign, class_name="icon-button off", title=f"{label}: none is shown"),
    )


def _table() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.table(
                rx.el.caption(screen.chart.table.caption, class_name="unseen"),
                rx.el.thead(rx.el.tr(rx.foreach(screen.chart.table.heads, lambda text: rx.el.th(text, scope="col")))),
                rx.el.tbody(rx.foreach(screen.rows, _row)),
                class_name=rx.cond(screen.chart.shared, "numbers months shared", "numbers months"),
            ),
            class_name="scroll fill",
            tab_index=0,
            role="region",
            aria_label="Months as a table",
        ),
        class_name="panel table-panel",
    )


def _row(row: rx.Var[MonthRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(link(row.name, href=row.href, class_name="cover"), scope="row"),
        rx.foreach(row.cells, rx.el.td),
        rx.foreach(row.unpaid, lambda one: rx.el.td(one.value, custom_attrs={"data-tone": one.tone})),
        custom_attrs={"data-chosen": rx.cond(row.chosen, "yes", "no")},
    )


def _sources() -> rx.Component:
    return rx.el.section(
        panel_head(
            screen.sources_title,
            rx.cond(
                screen.chart.shared,
                rx.el.div(
                    _arrow("chevron-left", "Earlier month", screen.earlier_href),
                    _arrow("chevron-right", "Later month", screen.later_href),
                    class_name="panel-tools arrows",
                ),
            ),
        ),
        rx.el.ul(rx.foreach(screen.sources, _source), class_name="sources"),
        class_name="panel",
    )


def _source(one: rx.Var[SourceRow]) -> rx.Component:
    bar = rx.el.span(
        rx.el.i(class_name=rx.cond(one.others, "others", "plan"), style={"width": one.share}),
        class_name="bar thin",
        custom_attrs={"data-hue": screen.metric.hue},
    )
    return rx.el.li(rx.el.span(one.name), bar, figure(one.used))
