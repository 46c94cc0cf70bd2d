"""What an operator does by hand in the dialogs of an organization's page."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.limits import overrides
from billing_app.services.limits.overrides import Kind
from billing_app.ui.operators.organizations.manual_changes import ManualChangesState
from tests.support.builders import NOON
from tests.ui.conftest import Meridian


def dialog(meridian: Meridian, what: str) -> Any:
    state = meridian.open(ManualChangesState, "/admin/organizations/meridian", "operator")
    asyncio.run(state.ask(what))
    return state


def overridden(meridian: Meridian) -> None:
    """The operator has set how many members there may be."""
    with meridian.database.writing() as session:
        organization = organizations.by_address(session, "meridian")
        overrides.put(
            Context(session, organization, NOON, "tests"), Kind.LIMIT, "memberships", 25, ends_at=None, reason="x"
        )


@pytest.mark.parametrize(
    ("what", "form", "said"),
    [
        ("give", {"metric": "mau", "quantity": "5k", "reason": "an outage"}, "The credits are there."),
        ("void", {"grant": "the first", "reason": "a mistake"}, "What was left of it is void."),
        ("plan", {"plan": "pro", "reason": "agreed"}, "The plan holds from now on."),
        ("override", {"what": "limit memberships", "value": "unlimited", "reason": "x"}, "It stands in place"),
        ("end", {"what": "limit memberships"}, "The plan holds again."),
    ],
)
def test_each_dialog_does_one_thing_and_says_so(meridian: Meridian, what: str, form: dict[str, str], said: str) -> None:
    overridden(meridian)
    state = dialog(meridian, what)
    asyncio.run(state.act(form | ({"grant": state.screen.grants[0].value} if "grant" in form else {})))
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
def test_a_mistake_is_told_in_the_dialog(meridian: Meridian, what: str, form: dict[str, str], refused: str) -> None:
    state = dialog(meridian, what)
    asyncio.run(state.act(form))
    assert state.screen.refused.startswith(refused)
    assert (state.screen.asking, state.screen.done) == (what, "")


def test_it_offers_what_there_is(meridian: Meridian) -> None:
    overridden(meridian)
    state = dialog(meridian, "override")
    assert [choice.label for choice in state.screen.overrides] == ["Members: 25"]
    assert {"limit memberships", "feature whiteLabel"} <= {choice.value for choice in state.screen.choices}
    assert dialog(meridian, "anything").screen.asking == ""
