"""/o/{address}/credits/explain: any balance as the sum of what made it."""

from __future__ import annotations

from datetime import datetime

import reflex as rx

from billing_app.domain.common.access import MONEY_ROLES
from billing_app.domain.common.moments import moment
from billing_app.services.credits import explaining
from billing_app.services.credits.views import ExplainView
from billing_app.ui import routes
from billing_app.ui.access.session import PageAccess, guarded
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.credits.explain_text import ExplainScreen, StepRow, explain_screen
from billing_app.ui.credits.grants import where_row
from billing_app.ui.frame.banner import notice
from billing_app.ui.frame.organization import elsewhere, page
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.basics import choice_switch, download, head, link, lucide, quiet_button
from billing_app.ui.kit.chart import legend_item, plot
from billing_app.ui.kit.listing import go_cell, table
from billing_app.ui.kit.records import Field
from billing_app.ui.kit.skeletons import page_skeleton


class ExplainState(OrganizationPage):
    """What the explanation shows. Metric and moment live in the URL."""

    screen: ExplainScreen = ExplainScreen()

    @guarded(MONEY_ROLES)
    async def load(self, access: PageAccess) -> None:
        """Reads the page."""
        metric, at = access.text("metric"), moment_in(access.text("at"))

        def read(context: PageContext) -> ExplainView:
            return context.once(
                lambda: explaining.explain(context, metric, at or context.now),
                "explain", metric, at,
            )  # fmt: skip

        self.screen = await access.show(self, read, explain_screen)

    @guarded(MONEY_ROLES)
    async def choose(self, access: PageAccess, form: dict) -> rx.event.EventSpec:
        """Explains another moment."""
        at = moment_in(form.get("at", ""))
        return rx.redirect(
            routes.explain(access.address, metric=access.text("metric"), at=f"{at:%Y-%m-%dT%H:%M}" if at else "")
        )


def moment_in(text: str) -> datetime | None:
    """A moment of the URL or of a field for one, in UTC; None for nothing. Raises InvalidError `invalid_moment`."""
    return moment(text if text.upper().endswith("Z") else f"{text}Z") if text else None


screen = ExplainState.screen


def explain_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head(
            "Explain a balance",
            crumb=link("Credits", href=screen.credits_href, class_name="crumb"),
            tools=[
                choice_switch(screen.choices, screen.metric.id, screen.metric_base, "Metric"),
                _moment(),
                download("CSV", screen.csv_href),
            ],
        ),
        rx.cond(
            screen.empty,
            notice("coins", "Nothing to explain yet", "There have been no credits of this metric up to this moment."),
            rx.fragment(
                _sum(),
                rx.el.div(_steps(), rx.el.div(_where(), _later(), class_name="column"), class_name="pair wide-side"),
            ),
        ),
    )
    content = elsewhere(
        content,
        "Explain a balance",
        "coins",
        "There is no balance of its own here",
        " pays for this organization. Its balance is explained on its own pages.",
    )
    return page(content, active="credits", ready=screen.ready, skeleton=page_skeleton("Explain a balance"))


def _moment() -> rx.Component:
    """The moment that is explained; opens to choose another."""
    return rx.popover.root(
        rx.popover.trigger(
            quiet_button(lucide("calendar", 14), screen.at)
        ),
        rx.popover.content(
            rx.el.form(
                rx.el.label("Balance at (UTC)", html_for="at"),
                rx.el.input(
                    type="datetime-local", id="at", name="at", default_value=screen.at_input, max=screen.at_max,
                    class_name="input",
                ),
                rx.popover.close(rx.button("Explain", type="submit", size="2")),
                on_submit=ExplainState.choose,
                class_name="small-form",
            ),
            size="1",
        ),
    )  # fmt: skip


def _sum() -> rx.Component:
    """The sum as an equation, and as a picture."""
    return rx.el.section(
        rx.el.div(
            rx.el.p(
                rx.foreach(screen.terms, _term),
                rx.el.span("=", class_name="sign"),
                rx.el.strong(screen.left, class_name="hero"),
                rx.el.span(screen.left_name, class_name="strong"),
                class_name="equation",
            ),
            rx.el.div(
                legend_item("granted", "Granted", screen.metric.hue),
                legend_item("credits", "Burned", screen.metric.hue),
                rx.cond(screen.owes, legend_item("unpaid", "Owed"), legend_item("left", "Left")),
                class_name="legend wide-only",
            ),
            class_name="panel-head",
        ),
        plot(screen.chart, "236px"),
        class_name="panel chart-panel sum-panel",
    )


def _term(one: rx.Var[Field], place: rx.Var[int]) -> rx.Component:
    return rx.fragment(
        rx.cond(place > 0, rx.el.span("\N{MINUS SIGN}", class_name="sign")),
        rx.el.span(one.value, " ", one.label, class_name="term"),
    )


def _steps() -> rx.Component:
    return rx.el.section(
        table(
            "Every step, the newest first",
            ("When", "What", ("Change", "number"), ("Balance", "number"), ("Trace", "unseen")),
            screen.steps,
            _step,
            "rows steps",
        ),
        rx.cond(screen.left_out != "", rx.el.p(screen.left_out, class_name="quiet-note inset")),
        class_name="panel",
    )


def _step(row: rx.Var[StepRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(row.when, class_name="quiet"),
        rx.el.th(row.what, " ", rx.el.small(row.note), scope="row"),
        rx.el.td(row.change, class_name=rx.cond(row.grew, "number strong", "number")),
        rx.el.td(row.balance, class_name="number strong"),
        go_cell(row.href, f"Entry: {row.what}, {row.when}"),
    )


def _where() -> rx.Component:
    return rx.cond(
        screen.where.length() > 0,
        rx.el.section(
            rx.el.h2(screen.where_title),
            rx.el.ul(rx.foreach(screen.where, lambda row: where_row(row, screen.metric.hue)), class_name="where"),
            class_name="panel side-panel",
        ),
    )


def _later() -> rx.Component:
    later = screen.later
    return rx.cond(
        later.visible,
        rx.el.section(
            rx.el.h2("What changed afterwards"),
            rx.el.dl(
                rx.foreach(
                    later.lines, lambda one: rx.el.div(rx.el.dt(one.label, title=one.hint), rx.el.dd(one.value))
                ),
                rx.el.div(rx.el.dt(later.result.label), rx.el.dd(later.result.value), class_name="result"),
                class_name="sum tight",
            ),
            class_name="panel side-panel",
        ),
    )
