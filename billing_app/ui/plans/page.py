"""/o/{address}/plan: the plan, its dates and limits, all plans side by side, and what was billed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import reflex as rx

from billing_app.domain.common.access import MONEY_ROLES
from billing_app.domain.common.errors import BillingError, UnavailableError
from billing_app.domain.purchases.subscriptions import PlanDeed, interval_in
from billing_app.services.plans import changes, orders, read
from billing_app.services.purchases import buying
from billing_app.services.subscriptions.views_plan import PlanView
from billing_app.ui.access.session import PageAccess, guarded
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.frame.banner import remark
from billing_app.ui.frame.organization import page
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.basics import head
from billing_app.ui.kit.external_redirect import external_redirect
from billing_app.ui.kit.skeletons import page_skeleton
from billing_app.ui.plans.dialogs import DialogScreen, change_dialog, deed_dialog
from billing_app.ui.plans.parts import compare, current_plan, invoices, limits_panel, question, special
from billing_app.ui.plans.text import InvoiceRow, PlanScreen, invoice_rows, plan_screen


class PlanState(OrganizationPage):
    """What the page shows. The compared interval lives in the URL, the question that is asked in this tab."""

    screen: PlanScreen = PlanScreen()
    dialog: DialogScreen = DialogScreen()
    billed: list[InvoiceRow] = []  # noqa: RUF012  Reflex copies it for each tab
    billed_known: bool = False
    welcome: str = ""
    busy: str = ""
    """What is being done: a plan's id, "confirm" or "portal"."""
    away: str = ""

    _path: str = ""
    _choice: tuple[str, str] = ("", "")
    _at: datetime | None = None

    @guarded(MONEY_ROLES)
    async def load(self, access: PageAccess) -> None:
        """Reads the page. It is also read anew when something changed: a question that is asked stays open then."""
        if access.path != self._path:
            self._path = access.path
            self.away, self.busy, self.welcome, self.dialog = "", "", "", DialogScreen()
        await self._show(access)

    @guarded(MONEY_ROLES, background=True)
    async def arrive(self, access: PageAccess) -> Any:
        """Asks Stripe: how a payment went that the browser comes back from, and what was billed."""
        session_id = access.text("session_id")
        if session_id:
            came = await access.call(
                lambda: buying.returned(access.writing, access.reading, access.payments, session_id)
            )
            async with self:
                self.welcome = came.status
        await self._ask_what_was_billed(access)
        return await self._again(access) if session_id else None

    @guarded(MONEY_ROLES, background=True)
    async def choose(self, access: PageAccess, plan: str) -> None:
        """The button under a plan: to the payment page, or to the question that says what a change costs."""
        async with self:
            card = next((each for each in self.screen.cards if each.id == plan), None)
            if self.busy or card is None or not card.deed or card.refusal:
                return
            self.busy, interval = plan, self.screen.interval
        try:
            await self._chosen(access, card.deed, plan, interval)
        finally:
            async with self:
                self.busy = ""

    async def _chosen(self, access: PageAccess, deed: str, plan: str, interval: str) -> None:
        if deed == "subscribe":
            url = await access.call(
                lambda: (
                    orders.start(
                        access.writing, access.payments, plan, interval_in(interval), access.settings.public_url
                    ).url
                )
            )
            async with self:
                self.away = url
            return
        view: PlanView | None = None
        if deed == "change":
            seen = await access.call(
                lambda: changes.preview(access.writing, access.payments, plan, interval_in(interval))
            )
            view = await access.read(plan_of)
            async with self:
                self._choice, self._at = (plan, interval), seen.at
                self.dialog = change_dialog(seen, view, access.formats)
            return
        view = await access.read(plan_of)
        async with self:
            self.dialog = deed_dialog(PlanDeed.CANCEL, view)

    @guarded(MONEY_ROLES)
    async def ask(self, access: PageAccess, deed: str) -> None:
        """Asks before something is done to the subscription."""
        if deed in set(PlanDeed):
            self.dialog = deed_dialog(PlanDeed(deed), await access.read(plan_of))

    @guarded(MONEY_ROLES)
    async def close(self, access: PageAccess) -> None:
        """The question is not answered."""
        self.dialog = DialogScreen()

    @guarded(MONEY_ROLES, background=True)
    async def confirm(self, access: PageAccess) -> Any:
        """The answer is yes."""
        async with self:
            deed, (plan, interval), at = self.dialog.deed, self._choice, self._at
            if self.busy or not deed:
                return None
            self.busy = "confirm"
        problem = ""
        try:
            if deed == "change" and at is not None:
                await access.call(
                    lambda: changes.change(access.writing, access.payments, plan, interval_in(interval), at)
                )
            elif deed in set(PlanDeed):
                await access.call(lambda: changes.DEEDS[PlanDeed(deed)](access.writing, access.payments))
        except BillingError as error:
            problem = error.detail
        async with self:
            self.busy, self.dialog = "", DialogScreen()
            if problem:
                self._say("refused", problem)
        if problem:
            return None
        await self._ask_what_was_billed(access)
        return await self._again(access)

    @guarded(MONEY_ROLES, background=True)
    async def manage(self, access: PageAccess) -> None:
        """To Stripe's own pages."""
        async with self:
            if self.busy:
                return
            self.busy = "portal"
        url = ""
        try:
            url = await access.call(lambda: changes.portal(access.writing, access.payments, access.settings.public_url))
        finally:
            async with self:
                self.busy, self.away = "", url

    async def _ask_what_was_billed(self, access: PageAccess) -> None:
        """Stripe may be slow or away; the page is there meanwhile."""
        try:
            billed = await access.call(lambda: changes.invoices(access.writing, access.payments))
            found = invoice_rows([read.invoice_link(each) for each in billed], access.formats)
        except UnavailableError:
            found = []
        async with self:
            self.billed, self.billed_known = found, True

    async def _again(self, access: PageAccess) -> Any:
        """Reads the page anew, if the tab still shows it."""
        async with self:
            return PlanState.load if access.still_on(self) else None

    async def _show(self, access: PageAccess) -> None:
        interval = access.text("interval")
        self.screen = await access.show(
            self, plan_of, lambda view, frame, formats: plan_screen(view, frame, formats, interval)
        )


def plan_of(at: PageContext) -> PlanView:
    """The plan in force, its subscription, limits and all plans."""
    return read.plan_view(at, at.settings)


screen = PlanState.screen


def plan_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head("Plan"),
        rx.cond(
            PlanState.welcome == "paid",
            remark("circle-check", "Welcome to " + screen.name + ".", "Everything it includes is there already."),
        ),
        rx.cond(
            PlanState.welcome == "open",
            remark("info", "The payment is on its way.", "The plan changes by itself as soon as it has arrived."),
        ),
        special(screen, PlanState.busy, PlanState.manage, PlanState.ask),
        rx.el.div(
            current_plan(screen, PlanState.busy, PlanState.manage, PlanState.ask),
            limits_panel(screen),
            class_name="pair",
        ),
        compare(screen, PlanState.busy, PlanState.choose),
        rx.cond(screen.billed, invoices(PlanState.billed, PlanState.billed_known, screen.billed_to)),
        question(PlanState.dialog, PlanState.busy, PlanState.confirm, PlanState.close),
        external_redirect(url=PlanState.away),
    )
    return page(content, active="plan", ready=screen.ready, skeleton=page_skeleton("Plan"))
