"""The dialogs of the credits page: redeem a gift card, convert tokens."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import reflex as rx

from billing_app.domain.common.access import MONEY_ROLES
from billing_app.domain.common.errors import BillingError, UnauthenticatedError
from billing_app.services.credits import gift_cards, tokens
from billing_app.services.credits.views_cards import BroughtView, TokensAnswer
from billing_app.ui.access.session import PageAccess, guarded
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.basics import tool_button
from billing_app.ui.kit.dialogs import dialog, dialog_form, done
from billing_app.ui.kit.formats import Formats
from billing_app.ui.kit.forms import select_field, text_field
from billing_app.ui.kit.records import Choice
from billing_app.ui.kit.values import Kind, Spec, typed


@dataclass(frozen=True)
class CardsScreen:
    """The dialog that is open ("redeem", "convert" or none), what it says, and what came of it."""

    asking: str = ""
    refused: str = ""
    done: str = ""
    left: str = ""
    rates: list[Choice] = field(default_factory=list)


class CardsState(OrganizationPage):
    """Its own state, so that the page around it is read anew only when its figures change."""

    screen: CardsScreen = CardsScreen()
    _key: str = ""

    @guarded(MONEY_ROLES)
    async def ask(self, access: PageAccess, what: str) -> None:
        """Opens a dialog."""
        view = await access.read(lambda at: tokens.look(at))
        left, rates = rate_rows(view, access.formats)
        self._key = secrets.token_hex(12)
        self.screen = CardsScreen(what if what in ("redeem", "convert") else "", left=left, rates=rates)

    @guarded(MONEY_ROLES)
    async def close(self, access: PageAccess, opened: bool) -> None:
        """Closes it."""
        await access.read(lambda at: None)
        if not opened:
            self.screen = CardsScreen()

    @guarded(MONEY_ROLES)
    async def redeem(self, access: PageAccess, form: dict) -> None:
        """Redeems the code that was typed."""
        await self._try(access, lambda: gift_cards.redeem_counted(access.writing, form.get("code", "")))

    @guarded(MONEY_ROLES)
    async def convert(self, access: PageAccess, form: dict) -> None:
        """Converts tokens; sending the form twice converts once."""
        count = typed(form.get("tokens", ""), Spec(Kind.NUMBER))
        metric, number, key = form.get("metric", ""), count if isinstance(count, int) else 0, f"page {self._key}"

        def convert() -> BroughtView:
            with access.writing() as at:
                done = tokens.convert(at, metric, number, key=key)
                return tokens.brought(at.session, done, at.now)

        await self._try(access, convert)

    async def _try(self, access: PageAccess, work: Callable[[], BroughtView]) -> None:
        """Does it, and says in the dialog what came of it or why not."""
        try:
            brought = await access.call(work)
        except UnauthenticatedError:
            raise
        except BillingError as error:
            if not self.screen.asking:
                raise
            self.screen = CardsScreen(
                self.screen.asking, refused=error.detail, left=self.screen.left, rates=self.screen.rates
            )
            return
        self._key = secrets.token_hex(12)
        self.screen = CardsScreen(self.screen.asking, done=brought_words(brought, access.formats))


def rate_rows(view: TokensAnswer, formats: Formats) -> tuple[str, list[Choice]]:
    """How many are left, and what each rate is."""
    rates = [
        Choice(
            rate.metric.id,
            f"{rate.metric.name}: {formats.number(rate.tokens)} become {formats.size(rate.metric, rate.quantity)}",
        )
        for rate in view.rates
    ]
    return formats.number(view.left), rates


def brought_words(view: BroughtView, formats: Formats) -> str:
    """`Welcome: 500 MAU and 3 Tokens`."""
    parts = [
        f"{formats.size(metric, quantity)} {metric.name if metric.counts else f'of {metric.name}'}"
        for metric, quantity in view.quantities
    ]
    return f"{view.name}: {' and '.join(parts)}"


screen = CardsState.screen


def card_buttons(tokens: Any) -> rx.Component:
    """For who may buy: a gift card, and tokens where there are any."""
    return rx.fragment(
        rx.cond(tokens, tool_button("Convert tokens", CardsState.ask("convert"), "coins")),
        tool_button("Redeem gift card", CardsState.ask("redeem"), "gift"),
        _redeem_dialog(),
        _convert_dialog(),
    )


def _redeem_dialog() -> rx.Component:
    form = dialog_form(
        screen.refused,
        text_field(
            "Code",
            name="code",
            placeholder="XXXX-XXXX-XXXX-XXXX",
            auto_complete="off",
            spell_check=False,
            required=True,
            max_length=60,
            auto_focus=True,
            class_name="input large secret",
        ),
        close=CardsState.close(False),
        go="Redeem",
        on_submit=CardsState.redeem,
    )
    return dialog(
        screen.asking == "redeem",
        CardsState.close,
        "Redeem a gift card",
        "Its credits are valid for a year from today. An organization redeems a card once.",
        rx.cond(screen.done != "", done(screen.done, CardsState.close(False)), form),
    )


def _convert_dialog() -> rx.Component:
    form = dialog_form(
        screen.refused,
        select_field("Into", "metric", screen.rates, class_name="input large"),
        text_field(
            "Tokens", name="tokens", input_mode="numeric", required=True, max_length=20, class_name="input large"
        ),
        close=CardsState.close(False),
        go="Convert",
        on_submit=CardsState.convert,
    )
    return dialog(
        screen.asking == "convert",
        CardsState.close,
        "Convert tokens",
        screen.left + " tokens are left. What they become ends when they would have ended.",
        rx.cond(screen.done != "", done(screen.done, CardsState.close(False)), form),
    )
