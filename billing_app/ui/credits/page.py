"""/o/{address}/credits: what is left of a metric's credits, until when, and which grants and months made it so."""

from __future__ import annotations

from functools import partial

import reflex as rx

from billing_app.services.credits import read as reading
from billing_app.services.credits.views import CreditsView
from billing_app.services.subscriptions.views_recurring import RenewalsView
from billing_app.ui.access.session import PageAccess, guarded
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.credits.cards import card_buttons
from billing_app.ui.credits.grants import grants_table
from billing_app.ui.credits.text import DEFAULT_RANGE, RANGES, CreditsScreen, credits_screen
from billing_app.ui.frame.banner import notice
from billing_app.ui.frame.organization import elsewhere, frame, page
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.basics import (
    button_link,
    choice_switch,
    download,
    figure,
    head,
    lucide,
    more_link,
    panel_head,
    refused_button,
)
from billing_app.ui.kit.chart import legend_item, plot, table_below
from billing_app.ui.kit.records import Field
from billing_app.ui.kit.skeletons import page_skeleton
from billing_app.ui.purchases.renewals import RenewalsState, renewals_of, with_renewals
from billing_app.ui.purchases.renewals_parts import renewing_panel, top_up_panel


class CreditsState(OrganizationPage):
    """What the credits page shows. Metric, range and filter live in the URL."""

    screen: CreditsScreen = CreditsScreen()

    @guarded()
    async def load(self, access: PageAccess) -> None:
        """Reads the page."""
        metric, months = access.text("metric"), access.choice("months", RANGES, DEFAULT_RANGE)
        to_screen = partial(credits_screen, months=months, only_left=access.text("show") == "left")

        def read(at: PageContext) -> tuple[CreditsView, RenewalsView | None]:
            view = at.once(
                lambda: reading.credits(at, metric, months=months),
                "credits", metric, months,
            )  # fmt: skip
            return view, renewals_of(at, view.metric.id)

        renewals = await self.get_state(RenewalsState)
        self.screen, renewals.screen = await access.show(self, read, with_renewals(to_screen))


screen = CreditsState.screen


def credits_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head(
            "Credits",
            tools=[choice_switch(screen.choices, screen.metric.id, screen.metric_base, "Metric"), _buy()],
        ),
        rx.el.div(_left(), _balance(), class_name="panel split"),
        rx.cond(
            RenewalsState.screen.visible,
            rx.el.div(renewing_panel(RenewalsState), top_up_panel(RenewalsState), class_name="renewals"),
        ),
        rx.cond(screen.empty, _empty(), _grants()),
    )
    content = elsewhere(
        content,
        "Credits",
        "coins",
        "Credits are kept where they count",
        " pays for this organization, and its credits for what goes beyond the plan. What is left stands on the "
        "overview; its admins see and buy them.",
    )
    return page(content, active="credits", ready=screen.ready, skeleton=page_skeleton("Credits"))


def _buy() -> rx.Component:
    label = rx.fragment(lucide("plus", 16), "Buy credits")
    return rx.cond(
        frame.buying != "",
        refused_button(label, frame.buying, primary=True),
        button_link(label, href=screen.buy_href, primary=True),
    )


def _left() -> rx.Component:
    until = rx.el.p(
        rx.cond(
            screen.until != "",
            rx.el.strong(screen.until, class_name="strong", custom_attrs={"data-tone": screen.until_tone}),
        ),
        rx.el.span(screen.until_note, class_name="quiet"),
        class_name="until",
    )
    return rx.el.section(
        rx.el.h2(screen.metric.name, " credits left", class_name="small-head"),
        figure(screen.left, screen.left_exact, "hero"),
        until,
        rx.el.dl(rx.foreach(screen.sums, _sum), class_name="short-sum"),
        rx.cond(frame.money, more_link("Explain this balance", screen.explain_href)),
        class_name="split-side",
    )


def _sum(one: rx.Var[Field]) -> rx.Component:
    return rx.el.div(rx.el.dt(one.label), rx.el.dd(one.value), custom_attrs={"data-tone": one.tone})


def _balance() -> rx.Component:
    chart = screen.chart
    return rx.el.section(
        panel_head(
            chart.title,
            rx.el.small(chart.caption),
            tools=[
                rx.el.div(
                    legend_item("line", "Balance", screen.metric.hue),
                    rx.cond(screen.ahead, legend_item("dotted", "At this pace")),
                    class_name="legend wide-only",
                ),
                choice_switch(screen.ranges, screen.span, screen.span_base, "Range", size="1"),
            ],
        ),
        plot(chart, "276px"),
        rx.el.div(
            rx.el.div(
                legend_item("line", "Balance", screen.metric.hue),
                rx.cond(screen.ahead, legend_item("dotted", "At this pace")),
                class_name="legend phone-only",
            ),
            table_below(chart.table),
            class_name="chart-foot right",
        ),
        class_name="split-main",
    )


def _empty() -> rx.Component:
    return notice(
        "coins",
        "No credits yet",
        "Credits pay for what goes beyond the plan, and last a year. Packs that you buy, gift cards and "
        "what the operator grants are listed here, with the months that burned them.",
        _buy(),
        rx.cond(frame.money, card_buttons(screen.tokens)),
    )


def _grants() -> rx.Component:
    return rx.el.section(
        panel_head(
            "Grants",
            rx.el.small("what ends first pays first"),
            tools=[
                choice_switch(screen.filters, screen.kept, screen.kept_base, "Which grants", size="1"),
                rx.cond(frame.money, rx.fragment(card_buttons(screen.tokens), download("CSV", screen.csv_href))),
            ],
        ),
        grants_table(screen.grants, screen.metric.hue, screen.total_left, screen.total_granted, screen.total_burned),
        class_name="panel",
    )
