"""Redeeming and converting in the dialogs of the credits page."""

from __future__ import annotations

import asyncio
from typing import Any

from billing_app.services.credits import gift_cards
from billing_app.ui.credits.cards import CardsState
from tests.support.builders import NOON
from tests.ui.conftest import Meridian


def dialog(meridian: Meridian, what: str) -> Any:
    state = meridian.open(CardsState, "/o/meridian/credits")
    asyncio.run(state.ask(what))
    return state


def a_card(meridian: Meridian) -> str:
    """The code of a gift card that there is."""
    with meridian.database.writing() as session:
        (card,) = gift_cards.create(session, "Welcome", {"mau": 500, "token": 3}, NOON, actor="tests")
    return card.code


def test_a_wrong_code_is_told_in_the_dialog_and_the_right_one_says_what_it_brought(meridian: Meridian) -> None:
    state = dialog(meridian, "redeem")
    asyncio.run(state.redeem({"code": "WRONG"}))
    assert (state.screen.asking, state.screen.refused[:24]) == ("redeem", "There is no gift card wi")
    asyncio.run(state.redeem({"code": a_card(meridian)}))
    assert (state.screen.refused, state.screen.done) == ("", "Welcome: 500 MAU and 3 Tokens")


def test_wrong_codes_are_counted_before_they_are_looked_at(meridian: Meridian) -> None:
    state, right = dialog(meridian, "redeem"), a_card(meridian)
    for _ in range(gift_cards.MAX_GUESSES):
        asyncio.run(state.redeem({"code": "WRONG"}))
    asyncio.run(state.redeem({"code": right}))
    assert state.screen.refused.startswith("Too many codes were wrong.")


def test_tokens_say_what_they_become(meridian: Meridian) -> None:
    state = dialog(meridian, "convert")
    assert (state.screen.left, state.screen.rates[0].label) == ("10", "MAU: 1 become 100")
    asyncio.run(state.convert({"metric": "mau", "tokens": "4"}))
    assert state.screen.done == "Increase MAU limit by 400: 400 MAU"


def test_nothing_else_can_be_opened(meridian: Meridian) -> None:
    assert dialog(meridian, "everything").screen.asking == ""
    state = dialog(meridian, "redeem")
    asyncio.run(state.close(False))
    assert state.screen.asking == ""
