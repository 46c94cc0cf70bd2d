"""/o/{address}/ledger: every change of every balance, with filters, search and the trace of an entry."""

from __future__ import annotations

from functools import partial

import reflex as rx

from billing_app.domain.common.access import MONEY_ROLES
from billing_app.services.credits import read_ledger
from billing_app.services.credits.views_ledger import LedgerFilters, LedgerView, TraceView
from billing_app.ui import routes
from billing_app.ui.access.session import PageAccess, guarded
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.credits.grants import grant_bar
from billing_app.ui.credits.ledger_text import KINDS, LedgerRow, LedgerScreen, ledger_screen, query_of
from billing_app.ui.frame.banner import notice
from billing_app.ui.frame.organization import elsewhere, page
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.basics import (
    close_link,
    download,
    figure,
    head,
    link,
    metric_tile,
    more_link,
    recount_line,
)
from billing_app.ui.kit.listing import facts, go_cell, pager, search_field, select, table, unless_empty
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.usage.page import day_in


class LedgerState(OrganizationPage):
    """What the ledger shows. Filters, page and opened entry live in the URL."""

    screen: LedgerScreen = LedgerScreen()

    @guarded(MONEY_ROLES)
    async def load(self, access: PageAccess) -> None:
        """Reads a page of the ledger, and the opened entry."""
        filters, cursor = filters_of(access), access.text("cursor")
        entry = access.text("entry")
        number = int(entry[:18]) if entry.isascii() and entry.isdigit() else 0

        def read(at: PageContext) -> tuple[LedgerView, TraceView | None]:
            view = at.once(
                lambda: read_ledger.ledger(at, filters, cursor),
                "ledger", filters, cursor,
            )  # fmt: skip
            return view, read_ledger.trace(at, number) if number else None

        self.screen = await access.show(
            self,
            read,
            partial(ledger_screen, filters=filters, cursor=cursor),
        )

    @guarded(MONEY_ROLES)
    async def search(self, access: PageAccess, text: str) -> rx.event.EventSpec:
        """Searches within the filters that are set."""
        query = query_of(filters_of(access)) | {"search": text}
        return rx.redirect(routes.ledger(access.address, **query), replace=True)


def filters_of(access: PageAccess) -> LedgerFilters:
    """The filters of the URL; what is not a filter is left out."""
    kind, metric = access.text("kind"), access.text("metric")
    return LedgerFilters(
        metric="" if metric == "all" else metric,
        kind=kind if kind in KINDS else "",
        starting=day_in(access.text("from")),
        ending=day_in(access.text("to")),
        search=access.text("search"),
        grant=access.text("grant"),
    )


screen = LedgerState.screen


def ledger_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head(
            "Ledger",
            tools=[
                rx.el.span(recount_line(screen.recount, screen.recount_failed), class_name="wide-only"),
                download("CSV", screen.csv_href),
            ],
        ),
        rx.cond(
            screen.empty,
            notice(
                "scroll-text",
                "The ledger is empty",
                "Every grant, and everything that burns, ends or is given back, is written here and never changed.",
            ),
            rx.el.div(_list(), rx.cond(screen.trace.visible, _trace()), class_name="ledger-layout"),
        ),
    )
    content = elsewhere(
        content,
        "Ledger",
        "scroll-text",
        "The ledger is kept where credits are",
        " pays for this organization, so credits come and go in its ledger. Its admins read it there.",
    )
    return page(content, active="ledger", ready=screen.ready, skeleton=list_skeleton("Ledger"))


def _list() -> rx.Component:
    return rx.el.section(
        _filters(),
        unless_empty(screen.rows, _table(), "No entry fits these filters."),
        pager(screen.newest_href, screen.older_href, "Pages of the ledger", older="Older entries"),
        class_name="panel",
    )


def _filters() -> rx.Component:
    return rx.el.div(
        select(screen.metrics, screen.metric, screen.metric_base, "Metric"),
        select(screen.kinds, screen.kind, screen.kind_base, "Kind"),
        _date("Counts from", screen.starting, screen.starting_base),
        _date("to", screen.ending, screen.ending_base),
        search_field(screen.search, LedgerState.search, "Search reason or source"),
        rx.cond(screen.filtered, more_link("Clear", screen.clear_href)),
        class_name="filters",
    )


def _date(label: str, value: rx.Var[str], base: rx.Var[str]) -> rx.Component:
    return rx.el.label(
        rx.el.span(label),
        rx.el.input(
            type="date",
            default_value=value,
            key=value,
            class_name="input",
            on_change=lambda chosen: rx.redirect(base + chosen.to(str)),
        ),
        class_name="date",
    )


def _table() -> rx.Component:
    return table(
        "Entries in the order in which they were recorded, the newest first",
        ("Recorded", "Metric", "What", ("Change", "number"), ("Balance", "number"), ("Trace", "unseen")),
        screen.rows,
        _row,
        "rows ledger",
    )


def _row(row: rx.Var[LedgerRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(rx.el.div(rx.el.span(row.when), rx.el.small(row.when_note), class_name="lines"), class_name="l-when"),
        rx.el.td(
            rx.el.div(metric_tile(row.metric.hue, row.metric.icon), row.metric.name, class_name="group"),
            class_name="l-metric",
        ),
        rx.el.th(
            rx.el.div(rx.el.span(row.what), rx.el.small(row.note), class_name="lines"), scope="row", class_name="l-what"
        ),
        rx.el.td(row.change, class_name=rx.cond(row.grew, "number strong l-change", "number l-change")),
        rx.el.td(row.balance, class_name="number strong l-balance"),
        go_cell(row.href, f"Trace of entry {row.number}"),
        custom_attrs={
            "data-chosen": rx.cond(row.chosen, "yes", "no"),
            "data-unposted": rx.cond(row.unposted, "yes", "no"),
        },
    )


def _trace() -> rx.Component:
    """Why the entry is there: its facts, its grant, and what else that grant has seen."""
    trace = screen.trace
    grant = trace.grant
    return rx.el.section(
        rx.el.div(
            rx.el.h2(trace.title),
            close_link(screen.close_href),
            class_name="two",
        ),
        facts(trace.facts, "facts"),
        rx.cond(
            trace.grant_visible,
            rx.fragment(
                rx.el.h2("Its grant"),
                rx.el.div(
                    rx.el.div(rx.el.span(grant.name, class_name="strong"), figure(grant.left), class_name="two"),
                    rx.el.div(
                        rx.el.small(grant.note, ", ends ", grant.end),
                        rx.el.small("left of ", grant.quantity),
                        class_name="two",
                    ),
                    grant_bar(grant, trace.metric.hue),
                    rx.el.div(rx.foreach(grant.burns, lambda text: rx.el.span(text)), class_name="burns"),
                    class_name="trace-grant",
                ),
                more_link("All entries of this grant", grant.href),
            ),
        ),
        rx.cond(
            trace.others.length() > 0,
            rx.fragment(
                rx.el.h2("Other entries of this grant"),
                rx.el.ul(rx.foreach(trace.others, _other), class_name="others-seen"),
                rx.cond(trace.left_out != "", rx.el.p(trace.left_out, class_name="quiet-note")),
            ),
        ),
        class_name="panel side-panel trace",
        aria_label="Trace",
    )


def _other(row: rx.Var[LedgerRow]) -> rx.Component:
    return rx.el.li(
        link(
            rx.el.span(row.when, class_name="quiet"),
            rx.el.span(row.what),
            rx.el.span(row.change, class_name="figure"),
            href=row.href,
        ),
        custom_attrs={"data-chosen": rx.cond(row.chosen, "yes", "no")},
    )
