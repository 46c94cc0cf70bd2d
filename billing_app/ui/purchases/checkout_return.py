"""/o/{address}/credits/bought: where the payment page sends back, and what became of the payment."""

from __future__ import annotations

import asyncio
from typing import Any

import reflex as rx

from billing_app.domain.common.access import MONEY_ROLES
from billing_app.services.purchases import buying
from billing_app.services.purchases.views_buying import CheckoutView
from billing_app.ui import routes
from billing_app.ui.access.session import PageAccess, guarded
from billing_app.ui.frame.organization import frame, page
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.basics import button_link, head, link, lucide, metric_tile
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.purchases.checkout_return_text import CheckoutReturnScreen, ReceivedRow, checkout_return_screen
from billing_app.ui.purchases.page import BuyState

ASK_EVERY_SECONDS = 1.5
ASK_TIMES = 20
"""Half a minute; a payment that takes longer shows on the credits page by itself."""


class CheckoutReturnState(OrganizationPage):
    """What became of a payment."""

    screen: CheckoutReturnScreen = CheckoutReturnScreen()
    ready: bool = False

    @guarded(MONEY_ROLES)
    async def load(self, access: PageAccess) -> Any:
        """Shows the frame, and asks about the payment in the background."""
        waiting = CheckoutView("open", 0, "", ())
        self.screen = await access.show(
            self,
            lambda at: waiting,
            lambda view, frame, formats: (
                self.screen
                if self.screen.status != "waiting"
                else checkout_return_screen(view, frame.organization.address, formats, patient=False)
            ),
        )
        self.ready = True
        return CheckoutReturnState.settle

    @guarded(MONEY_ROLES, background=True)
    async def settle(self, access: PageAccess) -> None:
        """Asks until it is paid or failed. Asking fulfils: the page and the webhook may come in any order."""
        if not access.path.startswith(routes.organization(access.address, "credits/bought")):
            return  # the tab has gone on since `load` asked for this
        session_id = access.text("session_id")
        for attempt in range(ASK_TIMES):
            view = await access.call(
                lambda: buying.returned(access.writing, access.reading, access.payments, session_id)
            )
            screen = checkout_return_screen(view, access.address, access.formats, patient=attempt + 1 == ASK_TIMES)
            async with self:
                if screen != self.screen:
                    self.screen = screen
                if view.status == "paid":
                    (await self.get_state(BuyState))._paid(session_id)
            if view.status != "open":
                return
            await asyncio.sleep(ASK_EVERY_SECONDS)


screen = CheckoutReturnState.screen


def checkout_return_page() -> rx.Component:
    """The page."""
    sign = rx.match(
        screen.status,
        ("paid", lucide("circle-check", 24, class_name="good")),
        ("failed", lucide("circle-x", 24, class_name="bad")),
        ("expired", lucide("clock-alert", 24)),
        lucide("hourglass", 24),
    )
    done = screen.status == "paid"
    content = rx.fragment(
        head("Payment", crumb=link("Credits", href=frame.credits_href, class_name="crumb")),
        rx.el.section(
            sign,
            rx.el.h2(screen.title),
            rx.el.p(screen.text),
            rx.cond(screen.rows.length() > 0, rx.el.ul(rx.foreach(screen.rows, _row), class_name="lines-list last")),
            rx.el.div(
                rx.cond(
                    done | (screen.status == "waiting"),
                    button_link("See credits", href=screen.credits_href, primary=True),
                    button_link("Try again", href=screen.buy_href, primary=True),
                ),
                class_name="notice-actions",
            ),
            class_name="panel notice returned",
            role="status",
        ),
    )
    return page(content, active="buy", ready=CheckoutReturnState.ready, skeleton=list_skeleton("Payment", 4))


def _row(row: rx.Var[ReceivedRow]) -> rx.Component:
    return rx.el.li(
        metric_tile(row.metric.hue, row.metric.icon),
        rx.el.div(rx.el.span("+", row.name), rx.el.small(row.note), class_name="lines"),
        rx.el.span(row.balance, class_name="figure"),
    )
