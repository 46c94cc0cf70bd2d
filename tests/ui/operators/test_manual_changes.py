"""What an operator does by hand in the dialogs of an organization's page."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from billing_app.ui.operators.organizations.manual_changes import HandsState
from tests.ui.states import opened


def dialog(what: str) -> Any:
    state: Any = opened(HandsState, "/admin/organizations/meridian", "sample_role=operator")
    asyncio.run(state.ask(what))
    return state


@pytest.mark.parametrize(
    ("what", "form", "said"),
    [
        ("give", {"metric": "mau", "quantity": "5k", "reason": "an outage"}, "The credits are there."),
        ("void", {"grant": "gr_1", "reason": "a mistake"}, "What was left of it is void."),
        ("plan", {"plan": "pro", "reason": "agreed"}, "The plan holds from now on."),
        ("override", {"what": "limit memberships", "value": "unlimited", "reason": "x"}, "It stands in place"),
        ("end", {"what": "limit memberships"}, "The plan holds again."),
    ],
)
def test_each_dialog_does_one_thing_and_says_so(what: str, form: dict[str, str], said: str) -> None:
    state = dialog(what)
    asyncio.run(state.act(form))
    assert state.screen.done.startswith(said)


@pytest.mark.parametrize(
    ("what", "form", "refused"),
    [
        ("give", {"metric": "mau", "quantity": "many", "reason": "x"}, "Type a quantity"),
        ("give", {"metric": "mau", "quantity": "5", "reason": "x", "until": "soon"}, "A day is written"),
        ("plan", {"plan": "pro"}, "Say why"),
        ("override", {"what": "limit memberships", "value": "some", "reason": "x"}, "Type a number"),
    ],
)
def test_a_mistake_is_told_in_the_dialog(what: str, form: dict[str, str], refused: str) -> None:
    state = dialog(what)
    asyncio.run(state.act(form))
    assert state.screen.refused.startswith(refused)
    assert (state.screen.asking, state.screen.done) == (what, "")


def test_it_offers_what_there_is() -> None:
    state = dialog("override")
    assert [choice.label for choice in state.screen.overrides] == ["Members: 25"]
    assert [choice.value for choice in state.screen.choices] == ["limit memberships", "feature whiteLabel"]
    assert dialog("anything").screen.asking == ""
