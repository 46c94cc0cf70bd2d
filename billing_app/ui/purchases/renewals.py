"""What is bought again by itself, as parts of the credits page and the buy page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from billing_app.domain.common.access import MONEY_ROLES
from billing_app.domain.common.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from billing_app.services.overview.views_frame import FrameView
from billing_app.services.purchases import read_recurring, recurring_changes, saved_cards, top_ups
from billing_app.services.purchases.top_ups import TopUpEntries
from billing_app.services.subscriptions.views_recurring import RenewalsView
from billing_app.ui.access.session import PageAccess, guarded
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.formats import Formats
from billing_app.ui.purchases.renewals_text import RenewalsScreen, at_once, renewals_screen

Screen = TypeVar("Screen")
Done = TypeVar("Done")

TYPED = ("threshold", "count", "pack", "cap")
"""Amounts of the dialog that decide whether it buys right away."""


class RenewalsState(OrganizationPage):
    """What renews and what tops up. The page around it reads it; what is changed here is shown at once."""

    screen: RenewalsScreen = RenewalsScreen()
    editing: bool = False
    changing: str = ""
    """The recurring pack whose quantity is being chosen."""
    count: int = 1
    busy: bool = False
    refusal: str = ""
    """Why what was asked for was not done."""
    card_url: str = ""
    _typed: dict[str, str] = {}  # noqa: RUF012  Reflex copies defaults

    @guarded(MONEY_ROLES, background=True)
    async def arrive(self, access: PageAccess) -> None:
        """Keeps a card that was just saved on the page that the browser comes back from."""
        async with self:
            self.card_url, self.editing, self.changing, self.refusal = "", False, "", ""
        session_id = access.text("card")
        if session_id:
            await access.call(lambda: saved_cards.finish(access.writing, access.payments, session_id))
            await reread(self, access)

    @guarded(MONEY_ROLES)
    async def edit(self, access: PageAccess, opened: bool) -> None:
        """Opens or closes the dialog of the auto top-up."""
        self.editing, self.refusal, self._typed = opened, "", {}
        await self._weigh(access)

    @guarded(MONEY_ROLES)
    async def weigh(self, access: PageAccess, name: str, text: str) -> None:
        """Says what the amounts that are being typed would buy right away."""
        if name in TYPED:
            self._typed = {**self._typed, name: text}
            await self._weigh(access)

    async def _weigh(self, access: PageAccess) -> None:
        metric, typed = self.screen.top_up.metric, dict(self._typed)

        view = await access.read(lambda at: renewals_of(at, metric))
        found = at_once(view.top_up, typed, access.formats) if view and view.top_up else ""
        self.screen = replace(self.screen, top_up=replace(self.screen.top_up, at_once=found))

    @guarded(MONEY_ROLES)
    async def switch(self, access: PageAccess, on: bool) -> None:
        """Turning it on needs amounts and consent; turning it off is done at once."""
        if on:
            self.editing, self.refusal, self._typed = True, "", {}
            await self._weigh(access)
            return
        metric = self.screen.top_up.metric
        await access.write(lambda at: top_ups.turn_off(at, metric))
        self.screen = renewals_screen(await access.read(lambda at: renewals_of(at, metric)), access.formats)

    @guarded(MONEY_ROLES, background=True)
    async def agree(self, access: PageAccess, entries: dict) -> None:
        """Turns the auto top-up on with what was typed; goes on to save a card where there is none."""
        async with self:
            if self.busy:
                return
            self.busy, self.refusal, metric = True, "", self.screen.top_up.metric
        typed = TopUpEntries(
            entries.get("threshold", ""), entries.get("pack", ""), entries.get("count", ""), entries.get("cap", ""),
            bool(entries.get("consent")),
        )  # fmt: skip
        url = await attempt(self, access, partial(turned_on, access, metric, typed))
        if url is not None:
            async with self:
                self.editing, self.card_url = False, url
            await reread(self, access)

    @guarded(MONEY_ROLES, background=True)
    async def card(self, access: PageAccess) -> None:
        """Goes to the page on which another card is saved."""
        async with self:
            if self.busy:
                return
            self.busy, self.refusal, metric = True, "", self.screen.top_up.metric
        url = await attempt(self, access, partial(card_page, access, metric))
        async with self:
            self.card_url = url or ""

    @guarded(MONEY_ROLES)
    async def choose(self, access: PageAccess, pack: str, count: int) -> None:
        """Opens the dialog in which a pack's quantity is chosen; empty closes it."""
        self.changing, self.count, self.refusal = pack, max(1, min(count, 99)), ""

    @guarded(MONEY_ROLES, background=True)
    async def renew(self, access: PageAccess, pack: str, count: int) -> None:
        """From its next renewal on it is so many; 0 ends it then."""
        async with self:
            if self.busy:
                return
            self.busy, self.refusal = True, ""
        done = await attempt(
            self, access, lambda: recurring_changes.change(access.writing, access.payments, pack, count)
        )
        if done is not None:
            async with self:
                self.changing = ""
            await reread(self, access)


def renewals_of(at: PageContext, metric: str) -> RenewalsView | None:
    """What renews and what tops up; nothing for who may not buy, whose pages show everything but that."""
    return read_recurring.renewals(at, metric) if at.access.may_buy else None


def turned_on(access: PageAccess, metric: str, typed: TopUpEntries) -> str:
    """Turns the auto top-up on; where a card is missing, the URL of the page to save one."""
    with access.writing() as at:
        found = top_ups.put_typed(at, metric, typed)
    return card_page(access, metric) if found.card is None else ""


def card_page(access: PageAccess, metric: str) -> str:
    """The URL of the page on which a card is saved."""
    return saved_cards.begin(access.writing, access.payments, access.settings.public_url, metric).url


async def attempt(state: Any, access: PageAccess, work: Callable[[], Done]) -> Done | None:
    """Does what talks to the outside; what it gives, or None where it was refused, which the dialog then says."""
    refusal = ""
    try:
        return await access.call(work)
    except (ConflictError, InvalidError, NotFoundError, UnavailableError) as error:
        refusal = error.detail
        return None
    finally:
        async with state:
            state.busy, state.refusal = False, refusal


async def reread(state: Any, access: PageAccess) -> None:
    """Shows what has just been changed."""
    async with state:
        metric = state.screen.top_up.metric
    screen = renewals_screen(await access.read(lambda at: renewals_of(at, metric)), access.formats)
    async with state:
        state.screen = screen


def with_renewals(
    to_screen: Callable[[Any, FrameView, Formats], Screen],
) -> Callable[[tuple[Any, RenewalsView | None], FrameView, Formats], tuple[Screen, RenewalsScreen]]:
    """Makes of a page's view, and of what is bought again, what the screen shows."""

    def both(
        views: tuple[Any, RenewalsView | None], frame: FrameView, formats: Formats
    ) -> tuple[Screen, RenewalsScreen]:
        view, renewals = views
        return to_screen(view, frame, formats), renewals_screen(renewals, formats)

    return both
