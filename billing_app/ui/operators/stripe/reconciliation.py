"""/admin/reconciliation: whether everything agrees with Stripe, what was repaired, and what needs a person."""

from __future__ import annotations

import asyncio
from typing import Any

import reflex as rx

from billing_app.services.operators import operations
from billing_app.services.stripe import reconciliation
from billing_app.ui import operator_routes
from billing_app.ui.access.session import OperatorAccess, for_operators
from billing_app.ui.frame.banner import notice
from billing_app.ui.frame.operators import operator_page
from billing_app.ui.frame.state import OperatorPage
from billing_app.ui.kit.basics import (
    button_link,
    head,
    link,
    lucide,
    panel_head,
    primary_button,
    refused_button,
    state_badge,
)
from billing_app.ui.kit.listing import answer, table
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.operators.stripe.reconciliation_text import (
    FindingRow,
    ReconciliationScreen,
    RunRow,
    reconciliation_screen,
)

LOOK_EVERY_SECONDS = 1.0
LOOK_TIMES = 1_800
"""Half an hour; a run that takes longer is screen by opening the page again."""

PATIENT_LOOKS = 15
"""How long a run that was asked for may take to begin: a job looks every five seconds."""


class ReconciliationState(OperatorPage):
    """What the page shows. An earlier run that was opened lives in the URL."""

    screen: ReconciliationScreen = ReconciliationScreen()
    watching: bool = False

    @for_operators()
    async def load(self, access: OperatorAccess) -> Any:
        """Reads the report, and follows it while it runs."""
        self.screen = await access.show(self, *_view(access))
        return ReconciliationState.watch if self.screen.running and not self.watching else None

    @for_operators()
    async def run(self, access: OperatorAccess) -> Any:
        """Has everything compared now."""
        await access.write(lambda at: reconciliation.ask(at.session, at.now, selling=at.settings.selling))
        self.screen = await access.show(self, *_view(access, latest=True))
        return [rx.redirect(operator_routes.RECONCILIATION), ReconciliationState.watch]

    @for_operators(background=True)
    async def watch(self, access: OperatorAccess) -> None:
        """Shows how far the run is until it is done, or until the tab has gone on."""
        await access.check()
        read, to_screen = _view(access, latest=True)
        async with self:
            if self.watching:
                return
            self.watching = True
        try:
            for look in range(LOOK_TIMES):
                await asyncio.sleep(LOOK_EVERY_SECONDS)
                screen = to_screen(await access.read(read), access.formats)
                async with self:
                    if not self.router.url.path.startswith(operator_routes.RECONCILIATION):
                        return
                    if screen != self.screen:
                        self.screen = screen
                if not screen.running and look >= (PATIENT_LOOKS if screen.empty else 0):
                    return
        finally:
            async with self:
                self.watching = False


def _view(access: OperatorAccess, *, latest: bool = False) -> tuple[Any, Any]:
    """What is read and how it is screen."""
    run, cursor = access.text("run"), access.text("cursor")
    number = int(run[:18]) if run.isascii() and run.isdigit() and not latest else 0
    return (
        lambda at: operations.reconciliations(at.session, number, cursor, at.now, selling=at.settings.selling),
        lambda view, formats: reconciliation_screen(view, formats, cursor),
    )


screen = ReconciliationState.screen


def reconciliation_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head("Reconciliation", tools=[rx.el.span(screen.next_run, class_name="recount wide-only")]),
        rx.cond(
            screen.empty,
            notice(
                "scale",
                "Nothing was compared yet",
                "Payments, refunds, disputes, subscriptions and invoices at Stripe are held against what is here, "
                "every six hours. What Stripe decides is repaired, the rest is listed for you.",
                _run_button(),
            ),
            rx.fragment(
                answer(screen.sentence, screen.note, _run_button(), tone=screen.tone),
                rx.cond(screen.running, _progress()),
                rx.cond(
                    screen.problem != "", rx.el.p(screen.problem, class_name="panel inset event-error", role="status")
                ),
                rx.cond(
                    screen.needs_you.length() > 0,
                    _needs_you(),
                ),
                rx.cond(screen.repaired.length() > 0, _repaired()),
                _history(),
            ),
        ),
    )
    return operator_page(
        content, active="reconciliation", ready=screen.ready, skeleton=list_skeleton("Reconciliation", rows=8)
    )


def _run_button() -> rx.Component:
    reason = "Payments are not set up on this server, so there is nothing to compare with."
    return rx.cond(
        screen.selling,
        primary_button(
            lucide("scale", 14),
            rx.cond(screen.running, "Running", "Run now"),
            on_click=ReconciliationState.run,
            disabled=screen.running,
        ),
        refused_button("Run now", reason, primary=True),
    )


def _progress() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.i(class_name="done", style={"width": screen.share}),
            role="progressbar",
            aria_label="How far the comparison is",
            custom_attrs={"aria-valuetext": screen.stage},
            class_name="bar thin progress",
        ),
        rx.el.p(screen.stage, class_name="quiet-note"),
        class_name="panel side-panel",
    )


def _needs_you() -> rx.Component:
    return _findings("Needs you", screen.needs_you.length().to_string(), screen.needs_you, "blocked")


def _repaired() -> rx.Component:
    return _findings(screen.repaired_title, screen.repaired_count, screen.repaired, "good")


def _findings(title: Any, count: Any, rows: rx.Var[list[FindingRow]], tone: str) -> rx.Component:
    sign = {"blocked": "circle-alert", "good": "circle-check"}[tone]
    return rx.el.section(
        panel_head(title, rx.el.small(count)),
        rx.el.ul(
            rx.foreach(
                rows,
                lambda row: rx.el.li(
                    lucide(sign, 16),
                    rx.el.div(
                        rx.el.strong(row.title),
                        rx.el.span(row.detail),
                        rx.el.small(row.object_id),
                        class_name="lines",
                    ),
                    rx.cond(row.href != "", link(row.organization, href=row.href, class_name="more")),
                    custom_attrs={"data-tone": tone},
                ),
            ),
            class_name="findings",
        ),
        class_name="panel",
    )


def _history() -> rx.Component:
    return rx.el.section(
        panel_head("Runs"),
        table(
            "Comparisons, the newest first",
            (
                "Begun",
                ("Why", "wide-cell"),
                ("Compared", "number wide-cell"),
                ("Repaired", "number"),
                ("Needs you", "number"),
                "State",
            ),
            screen.runs,
            _run,
            "rows list runs",
        ),
        rx.cond(screen.older_href != "", rx.el.nav(button_link("Older", href=screen.older_href), class_name="pager")),
        class_name="panel",
    )


def _run(row: rx.Var[RunRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(link(row.when, href=row.href, class_name="cover"), scope="row"),
        rx.el.td(row.trigger, class_name="quiet wide-cell"),
        rx.el.td(row.compared, class_name="number wide-cell"),
        rx.el.td(row.repaired, class_name="number"),
        rx.el.td(row.remaining, class_name="number", custom_attrs={"data-tone": rx.cond(row.needs_you, "blocked", "")}),
        rx.el.td(rx.cond(row.state != "", state_badge(row.state, row.tone))),
        custom_attrs={"data-chosen": rx.cond(row.chosen, "yes", "no")},
    )
