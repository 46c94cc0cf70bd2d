"""What is bought again by itself, as parts of the credits page and the buy page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import reflex as rx

from billing_app.domain.common.access import MONEY_ROLES
from billing_app.domain.common.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from billing_app.services.overview.views_frame import ShellView
from billing_app.services.purchases import read_recurring, recurring_changes, saved_cards, top_ups
from billing_app.services.purchases.top_ups import TopUpEntries
from billing_app.services.subscriptions.views_recurring import RenewalsView
from billing_app.ui.access.session import Frame, Visit, guarded
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.kit.formats import Formats
from billing_app.ui.purchases.renewals_text import RenewalsShown, at_once, renewals_shown

Shown = TypeVar("Shown")
Done = TypeVar("Done")

TYPED = ("threshold", "count", "pack", "cap")
"""Amounts of the dialog that decide whether it buys right away."""


class RenewalsState(Frame):
    """What renews and what tops up. The page around it reads it; what is changed here is shown at once."""

    shown: RenewalsShown = RenewalsShown()
    editing: bool = False
    changing: str = ""
    """The recurring pack whose quantity is being chosen."""
    count: int = 1
    busy: bool = False
    refusal: str = ""
    """Why what was asked for was not done."""
    card_url: str = ""
    _typed: dict[str, str] = {}  # noqa: RUF012  Reflex copies defaults

    @rx.event(background=True)
    @guarded(roles=MONEY_ROLES)
    async def arrive(self, visit: Visit) -> None:
        """Keeps a card that was just saved on the page that the browser comes back from."""
        async with self:
            self.card_url, self.editing, self.changing, self.refusal = "", False, "", ""
        session_id = visit.text("card")
        if session_id:
            await visit.call(lambda: saved_cards.finish(visit.enter, visit.payments, session_id))
            await reread(self, visit)

    @rx.event
    @guarded(roles=MONEY_ROLES)
    async def edit(self, visit: Visit, opened: bool) -> None:
        """Opens or closes the dialog of the auto top-up."""
        self.editing, self.refusal, self._typed = opened, "", {}
        await self._weigh(visit)

    @rx.event
    @guarded(roles=MONEY_ROLES)
    async def weigh(self, visit: Visit, name: str, text: str) -> None:
        """Says what the amounts that are being typed would buy right away."""
        if name in TYPED:
            self._typed = {**self._typed, name: text}
            await self._weigh(visit)

    async def _weigh(self, visit: Visit) -> None:
        metric, typed = self.shown.top_up.metric, dict(self._typed)

        view = await visit.read(lambda at: renewals_of(at, metric))
        found = at_once(view.top_up, typed, visit.formats) if view and view.top_up else ""
        self.shown = replace(self.shown, top_up=replace(self.shown.top_up, at_once=found))

    @rx.event
    @guarded(roles=MONEY_ROLES)
    async def switch(self, visit: Visit, on: bool) -> None:
        """Turning it on needs amounts and consent; turning it off is done at once."""
        if on:
            self.editing, self.refusal, self._typed = True, "", {}
            await self._weigh(visit)
            return
        metric = self.shown.top_up.metric
        await visit.write(lambda at: top_ups.turn_off(at.session, at.organization, metric, at.now, actor=at.actor))
        self.shown = renewals_shown(await visit.read(lambda at: renewals_of(at, metric)), visit.formats)

    @rx.event(background=True)
    @guarded(roles=MONEY_ROLES)
    async def agree(self, visit: Visit, entries: dict) -> None:
        """Turns the auto top-up on with what was typed; goes on to save a card where there is none."""
        async with self:
            if self.busy:
                return
            self.busy, self.refusal, metric = True, "", self.shown.top_up.metric
        typed = TopUpEntries(
            entries.get("threshold", ""), entries.get("pack", ""), entries.get("count", ""), entries.get("cap", ""),
            bool(entries.get("consent")),
        )  # fmt: skip
        url = await attempt(self, visit, partial(turned_on, visit, metric, typed))
        if url is not None:
            async with self:
                self.editing, self.card_url = False, url
            await reread(self, visit)

    @rx.event(background=True)
    @guarded(roles=MONEY_ROLES)
    async def card(self, visit: Visit) -> None:
        """Goes to the page on which another card is saved."""
        async with self:
            if self.busy:
                return
            self.busy, self.refusal, metric = True, "", self.shown.top_up.metric
        url = await attempt(self, visit, partial(card_page, visit, metric))
        async with self:
            self.card_url = url or ""

    @rx.event
    @guarded(roles=MONEY_ROLES)
    async def choose(self, visit: Visit, pack: str, count: int) -> None:
        """Opens the dialog in which a pack's quantity is chosen; empty closes it."""
        self.changing, self.count, self.refusal = pack, max(1, min(count, 99)), ""

    @rx.event(background=True)
    @guarded(roles=MONEY_ROLES)
    async def renew(self, visit: Visit, pack: str, count: int) -> None:
        """From its next renewal on it is so many; 0 ends it then."""
        async with self:
            if self.busy:
                return
            self.busy, self.refusal = True, ""
        done = await attempt(self, visit, lambda: recurring_changes.change(visit.enter, visit.payments, pack, count))
        if done is not None:
            async with self:
                self.changing = ""
            await reread(self, visit)


def renewals_of(at: PageContext, metric: str) -> RenewalsView | None:
    """What renews and what tops up; nothing for who may not buy, whose pages show everything but that."""
    return read_recurring.renewals(at.session, at.organization, metric, at.now) if at.access.may_buy else None


def turned_on(visit: Visit, metric: str, typed: TopUpEntries) -> str:
    """Turns the auto top-up on; where a card is missing, the URL of the page to save one."""
    with visit.enter() as at:
        found = top_ups.put_typed(at.session, at.organization, metric, typed, at.now, actor=at.actor)
    return card_page(visit, metric) if found.card is None else ""


def card_page(visit: Visit, metric: str) -> str:
    """The URL of the page on which a card is saved."""
    return saved_cards.begin(visit.enter, visit.payments, visit.settings.public_url, metric).url


async def attempt(state: Any, visit: Visit, work: Callable[[], Done]) -> Done | None:
    """Does what talks to the outside; what it gives, or None where it was refused, which the dialog then says."""
    refusal = ""
    try:
        return await visit.call(work)
    except (ConflictError, InvalidError, NotFoundError, UnavailableError) as error:
        refusal = error.detail
        return None
    finally:
        async with state:
            state.busy, state.refusal = False, refusal


async def reread(state: Any, visit: Visit) -> None:
    """Shows what has just been changed."""
    async with state:
        metric = state.shown.top_up.metric
    shown = renewals_shown(await visit.read(lambda at: renewals_of(at, metric)), visit.formats)
    async with state:
        state.shown = shown


def with_renewals(
    present: Callable[[Any, ShellView, Formats], Shown],
) -> Callable[[tuple[Any, RenewalsView | None], ShellView, Formats], tuple[Shown, RenewalsShown]]:
    """Makes of a page's view, and of what is bought again, what the screen shows."""

    def both(views: tuple[Any, RenewalsView | None], shell: ShellView, formats: Formats) -> tuple[Shown, RenewalsShown]:
        view, renewals = views
        return present(view, shell, formats), renewals_shown(renewals, formats)

    return both
