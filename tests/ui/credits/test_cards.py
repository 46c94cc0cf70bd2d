"""Redeeming and converting in the dialogs of the credits page."""

from __future__ import annotations

import asyncio
from typing import Any

from billing_app.ui.credits.cards import CardsState
from tests.ui.states import opened


def dialog(what: str) -> Any:
    state: Any = opened(CardsState, "/o/meridian/credits")
    asyncio.run(state.ask(what))
    return state


def test_a_wrong_code_is_told_in_the_dialog_and_the_right_one_says_what_it_brought() -> None:
    state = dialog("redeem")
    asyncio.run(state.redeem({"code": "WRONG"}))
    assert (state.screen.asking, state.screen.refused[:24]) == ("redeem", "There is no gift card wi")
    asyncio.run(state.redeem({"code": "RIGHT"}))
    assert (state.screen.refused, state.screen.done) == ("", "Welcome: 500 MAU and 3 Tokens")


def test_tokens_say_what_they_become() -> None:
    state = dialog("convert")
    assert (state.screen.left, state.screen.rates[0].words) == ("10", "MAU: 1 become 100")
    asyncio.run(state.convert({"metric": "mau", "tokens": "4"}))
    assert state.screen.done == "Increase MAU limit by 400: 400 MAU"


def test_nothing_else_can_be_opened() -> None:
    assert dialog("everything").screen.asking == ""
    state = dialog("redeem")
    asyncio.run(state.close(False))
    assert state.screen.asking == ""
