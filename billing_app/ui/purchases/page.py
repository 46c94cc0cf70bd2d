"""/o/{address}/credits/buy: how much is needed, what it costs, and a basket of packs to pay."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import reflex as rx

from billing_app.domain.common.access import MONEY_ROLES
from billing_app.domain.common.errors import InvalidError, NotFoundError
from billing_app.services.purchases import buying, orders
from billing_app.services.purchases.views_buying import BuyView
from billing_app.services.subscriptions.views_recurring import RenewalsView
from billing_app.ui.access.session import PageAccess, guarded
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.frame.banner import remark
from billing_app.ui.frame.organization import elsewhere, page
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.basics import choice_switch, head, link, lucide, panel_head, quiet_button, recount_line
from billing_app.ui.kit.chart import legend_item, plot
from billing_app.ui.kit.external_redirect import external_redirect
from billing_app.ui.kit.skeletons import page_skeleton
from billing_app.ui.purchases.basket import basket_bar, basket_panel, packs_table
from billing_app.ui.purchases.renewals import RenewalsState, renewals_of, with_renewals
from billing_app.ui.purchases.renewals_parts import top_up_panel
from billing_app.ui.purchases.text import MAX_COUNT, BuyScreen, buy_screen
from billing_app.ui.usage.page import day_in

MAX_PACKS = 20
"""Different packs in one basket."""


class BuyState(OrganizationPage):
    """What the buy page shows. Metric and kind live in the URL, the basket in this tab."""

    screen: BuyScreen = BuyScreen()
    paying: bool = False
    cancelled: bool = False
    payment_url: str = ""

    _basket: dict[str, int] = {}  # noqa: RUF012  Reflex copies it for each tab
    _offered: str = ""
    _begun: str = ""
    _until: datetime | None = None

    @guarded(MONEY_ROLES)
    async def load(self, access: PageAccess) -> None:
        """Reads the page; a basket in the URL is put in once."""
        offered = access.text("basket")
        if offered != self._offered:
            self._offered = offered
            self._basket = self._basket | basket_in(offered)
        self.cancelled, self.payment_url = access.text("cancelled") != "", ""
        await self._show(access)

    @guarded(MONEY_ROLES)
    async def change(self, access: PageAccess, pack: str, step: int) -> None:
        """One more or one less of a pack."""
        count = max(0, min(self._basket.get(pack, 0) + (1 if step > 0 else -1), MAX_COUNT))
        kept = {name: other for name, other in self._basket.items() if name != pack}
        self._basket = (kept | {pack: count}) if count and len(kept) < MAX_PACKS else kept
        await self._show(access)

    @guarded(MONEY_ROLES)
    async def cover(self, access: PageAccess, until: str) -> None:
        """Asks the calculator for another day."""
        self._until = day_in(until)
        await self._show(access)

    @guarded(MONEY_ROLES)
    async def take(self, access: PageAccess) -> None:
        """Puts the calculator's set of packs into the basket."""
        self._basket = self._basket | basket_in(self.screen.need.basket)
        await self._show(access)

    @guarded(MONEY_ROLES, background=True)
    async def pay(self, access: PageAccess) -> None:
        """Begins the payment and goes to its page."""
        async with self:
            if self.paying or not self._basket:
                return
            self.paying, basket = True, dict(self._basket)
        url = ""
        try:
            url = await access.call(
                lambda: (
                    orders.start_checkout(
                        access.writing, access.payments, basket.items(), access.settings.public_url
                    ).url
                )
            )
        finally:
            async with self:
                self.paying, self.payment_url, self._begun = False, url, url

    def _paid(self, session_id: str) -> None:
        """Empties the basket that this payment was begun with: it must not lie there to be paid again."""
        if session_id and session_id in self._begun:
            self._basket, self._offered, self._begun = {}, "", ""

    async def _show(self, access: PageAccess) -> None:
        """Reads the page; a basket with a pack that is not sold (an old link) is emptied instead of refused."""
        try:
            await self._read(access)
        except (NotFoundError, InvalidError):
            if not self._basket:
                raise
            self._basket = {}
            await self._read(access)

    async def _read(self, access: PageAccess) -> None:
        metric, until, basket = access.text("metric"), self._until, dict(self._basket)

        def read(at: PageContext) -> tuple[BuyView, RenewalsView | None]:
            view = at.once(
                lambda: buying.buy(at, metric=metric, until=until, basket=basket),
                "buy", metric, until, tuple(sorted(basket.items())),
            )  # fmt: skip
            return view, renewals_of(at, view.need.metric.id if view.need else metric)

        renewals = await self.get_state(RenewalsState)
        to_screen = with_renewals(partial(buy_screen, kind=access.text("kind")))
        self.screen, screen = await access.show(self, read, to_screen)
        if screen != renewals.screen:
            renewals.screen = screen


def basket_in(text: str) -> dict[str, int]:
    """A basket of the URL, "mau-50k:1,sms-500:2"; what is not a basket is left out."""
    basket: dict[str, int] = {}
    for part in text.split(",")[:MAX_PACKS]:
        pack, _, count = part.partition(":")
        if pack and count.isascii() and count.isdigit() and 1 <= int(count[:4]) <= MAX_COUNT:
            basket[pack] = int(count[:4])
    return basket


screen = BuyState.screen


def buy_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head(
            "Buy",
            crumb=link("Credits", href=screen.credits_href, class_name="crumb"),
            tools=[
                rx.el.span(recount_line(screen.recount, screen.recount_failed), class_name="wide-only"),
                choice_switch(screen.choices, screen.metric.id, screen.metric_base, "Metric"),
            ],
        ),
        rx.cond(
            BuyState.cancelled,
            remark("info", "Nothing was paid.", "Your credits are as they were. You can choose again."),
        ),
        rx.el.div(
            rx.el.div(rx.cond(screen.need.visible, _need()), _packs(), class_name="column"),
            rx.el.div(
                basket_panel(screen, BuyState.paying, BuyState.pay, BuyState.change),
                top_up_panel(RenewalsState),
                class_name="column sticky",
            ),
            class_name="pair top",
        ),
        basket_bar(screen, BuyState.paying, BuyState.pay),
        external_redirect(url=BuyState.payment_url),
    )
    content = elsewhere(
        content,
        "Buy credits",
        "coins",
        "Credits are bought where they count",
        " pays for this organization: an admin there, or somebody with the role billing, buys credits, and they count "
        "here at once.",
        keeps=False,
    )
    return page(content, active="buy", ready=screen.ready, skeleton=page_skeleton("Buy"))


def _need() -> rx.Component:
    """The calculator, and the balance with and without the basket."""
    need, chart = screen.need, screen.chart
    calculator = rx.el.section(
        rx.el.h2("How much do I need?"),
        rx.el.small(need.pace),
        rx.cond(
            need.choices.length() > 0,
            rx.fragment(
                rx.el.small(need.label, class_name="gap"),
                rx.segmented_control.root(
                    rx.foreach(need.choices, lambda one: rx.segmented_control.item(one.label, value=one.value)),
                    value=need.until,
                    on_change=lambda chosen: BuyState.cover(chosen.to(str)),
                    size="1",
                    class_name="switch",
                    custom_attrs={"aria-label": need.label},
                ),
            ),
        ),
        rx.el.small(need.answer, class_name="gap"),
        rx.cond(
            need.offer != "",
            rx.fragment(
                rx.el.p(rx.el.strong(need.offer), " ", rx.el.span(need.price, class_name="quiet"), class_name="offer"),
                _take(need.in_basket),
            ),
        ),
        class_name="calculator",
    )
    picture = rx.el.section(
        panel_head(
            chart.title,
            rx.el.small(chart.caption),
            rx.el.div(
                rx.cond(need.nothing.length() > 0, rx.fragment(), legend_item("dotted", "As it is")),
                rx.cond(screen.with_basket, legend_item("line", "With the basket", screen.metric.hue)),
                class_name="legend panel-tools",
            ),
        ),
        rx.cond(need.nothing.length() > 0, _nothing(), plot(chart, "184px")),
        class_name="split-main",
    )
    return rx.el.div(calculator, picture, class_name="panel split needs")


def _nothing() -> rx.Component:
    """In place of a drawing that would be empty."""
    return rx.el.div(
        rx.el.dl(
            rx.foreach(
                screen.need.nothing,
                lambda one: rx.el.div(rx.el.dt(one.label), rx.el.dd(one.value, custom_attrs={"data-tone": one.tone})),
            ),
            class_name="sum",
        ),
        rx.el.p(screen.need.nothing_note, class_name="quiet-note"),
        class_name="nothing",
    )


def _take(in_basket: rx.Var[bool]) -> rx.Component:
    return rx.cond(
        in_basket,
        rx.el.p(lucide("check", 14), "In your basket", class_name="taken", role="status"),
        quiet_button("Put into the basket", on_click=BuyState.take),
    )  # fmt: skip


def _packs() -> rx.Component:
    return rx.el.section(
        panel_head(
            "Packs",
            rx.el.small(screen.kind_note),
            rx.cond(
                screen.kinds.length() > 0,
                rx.el.div(
                    choice_switch(screen.kinds, screen.kind, screen.kind_base, "How often", size="1"),
                    class_name="panel-tools",
                ),
            ),
        ),
        packs_table(screen.rows, BuyState.change),
        class_name="panel",
    )
