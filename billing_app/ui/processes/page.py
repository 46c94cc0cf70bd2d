"""/o/{address}/processes: the list of processes, and how many the plan still has room for."""

from __future__ import annotations

from functools import partial

import reflex as rx

from billing_app.services.processes import read
from billing_app.services.processes.views import ProcessesView
from billing_app.ui.access.session import PageAccess, guarded
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.frame.banner import notice
from billing_app.ui.frame.organization import page
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.basics import button_link, choice_switch, head, link, lucide, state_badge
from billing_app.ui.kit.listing import table, unless_empty
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.processes.text import LimitRow, ProcessesScreen, ProcessRow, processes_screen


class ProcessesState(OrganizationPage):
    """What the list shows. Filter and place live in the URL."""

    screen: ProcessesScreen = ProcessesScreen()

    @guarded()
    async def load(self, access: PageAccess) -> None:
        """Reads a page of the list."""
        state, cursor = access.text("state"), access.text("cursor")

        def listed(at: PageContext) -> ProcessesView:
            may = at.access.may_change
            return read.listed(at, state=state, cursor=cursor, may_change=may)

        self.screen = await access.show(self, listed, partial(processes_screen, state=state))


screen = ProcessesState.screen


def processes_page() -> rx.Component:
    """The page."""
    new = button_link(lucide("plus", 16), "New process", href=screen.new_href, primary=True)
    content = rx.fragment(
        head("Processes", tools=[rx.cond(screen.may_change, rx.cond(screen.empty, rx.fragment(), new))]),
        rx.el.dl(rx.foreach(screen.limits, limit_bar), class_name="limit-bars"),
        rx.cond(
            screen.empty,
            notice(
                "list-checks",
                "No process yet",
                "A process asks your voters something. It is filled in step by step, saved as you go, "
                "and counts against the plan when it is published.",
                rx.cond(screen.may_change, button_link("New process", href=screen.new_href, primary=True)),
            ),
            _list(),
        ),
    )
    return page(content, active="processes", ready=screen.ready, skeleton=list_skeleton("Processes"))


def limit_bar(one: rx.Var[LimitRow]) -> rx.Component:
    """A limit and how full it is."""
    return rx.el.div(
        rx.el.dt(one.label),
        rx.el.dd(
            rx.el.span(one.value, class_name="figure", custom_attrs={"data-tone": one.tone}),
            rx.cond(
                one.unlimited,
                rx.el.small("unlimited"),
                rx.el.span(
                    rx.el.i(style={"width": one.share}),
                    class_name="bar thin limit",
                    custom_attrs={"data-tone": one.tone},
                ),
            ),
        ),
    )


def _list() -> rx.Component:
    heads = ("Process", "State", "Way of voting", "Voters", "When")
    return rx.el.section(
        rx.el.div(
            choice_switch(screen.filters, screen.filter, screen.filter_base, "State", size="1"),
            class_name="filters",
        ),
        unless_empty(
            screen.rows,
            table(
                "Processes", heads, screen.rows, _row, "numbers process-table",
                tab_index=0, role="region", aria_label="Processes as a table",
            ),
            "None in this state.",
        ),
        rx.cond(
            screen.older_href != "",
            rx.el.nav(button_link("Older processes", href=screen.older_href), aria_label="Pages", class_name="pager"),
        ),
        class_name="panel",
    )  # fmt: skip


def _row(row: rx.Var[ProcessRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(link(row.title, href=row.href, class_name="cover"), scope="row"),
        rx.el.td(state_badge(row.state, row.tone)),
        rx.el.td(row.voting_type),
        rx.el.td(row.census),
        rx.el.td(row.when),
    )
