"""/admin/recounts: when ledgers were brought up to date, and doing it now."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app import clock
from billing_app.services.operators import operations
from billing_app.services.usage import recounts
from billing_app.ui.access.session import OperatorAccess, for_operators
from billing_app.ui.frame.operators import operator_page
from billing_app.ui.frame.state import OperatorPage
from billing_app.ui.kit.basics import head, lucide, primary_button, state_badge
from billing_app.ui.kit.listing import answer, pager, table, unless_empty
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.operators.recounts.text import RecountRow, RecountsScreen, recounts_screen


class RecountsState(OperatorPage):
    """What the page shows."""

    screen: RecountsScreen = RecountsScreen()
    running: bool = False

    @for_operators()
    async def load(self, access: OperatorAccess) -> None:
        """Reads a page of runs."""
        cursor = access.text("cursor")
        self.screen = await access.show(
            self,
            lambda at: operations.recount_runs(at.session, cursor, at.now),
            lambda view, formats: recounts_screen(view, formats, cursor),
        )

    @for_operators(background=True)
    async def run(self, access: OperatorAccess) -> Any:
        """Recounts now, and shows the run."""
        await access.check()
        async with self:
            self.running = True
        try:
            await access.call(lambda: recounts.demand(access.outside(), clock.now))
        finally:
            async with self:
                self.running = False
        return RecountsState.load


screen = RecountsState.screen


def recounts_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head("Recounts"),
        answer(
            screen.sentence,
            screen.note,
            primary_button(
                lucide("refresh-cw", 14),
                rx.cond(RecountsState.running, "Recounting", "Recount now"),
                on_click=RecountsState.run,
                disabled=RecountsState.running,
            ),
        ),
        rx.el.section(
            unless_empty(
                screen.rows,
                table(
                    "Recounts, the newest first",
                    (
                        "Begun",
                        ("Why", "wide-cell"),
                        ("Organizations", "number"),
                        ("Changed", "number"),
                        ("Entries", "number wide-cell"),
                        ("Took", "number wide-cell"),
                        "State",
                    ),
                    screen.rows,
                    _row,
                    "rows list runs",
                ),
                "Nothing was recounted yet.",
            ),
            pager(screen.newest_href, screen.older_href, "Pages of recounts"),
            class_name="panel",
        ),
    )
    return operator_page(content, active="recounts", ready=screen.ready, skeleton=list_skeleton("Recounts"))


def _row(row: rx.Var[RecountRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(row.when, scope="row"),
        rx.el.td(row.trigger, class_name="quiet wide-cell"),
        rx.el.td(row.seen, class_name="number"),
        rx.el.td(row.changed, class_name="number"),
        rx.el.td(row.written, class_name="number wide-cell"),
        rx.el.td(row.took, class_name="number quiet wide-cell"),
        rx.el.td(
            rx.cond(row.state != "", state_badge(row.state, row.tone)),
            rx.cond(row.error != "", rx.el.small(row.error, class_name="event-note")),
        ),
    )
