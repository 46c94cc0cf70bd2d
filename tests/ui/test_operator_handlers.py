"""Operators' handlers: nobody else gets through any of them, whatever a browser sends."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from billing_app.domain.access import Role
from billing_app.ui.operator_session import OperatorFrame
from billing_app.ui.pages.operator.organizations import OrganizationsState
from billing_app.ui.session import GUARD
from tests.ui.states import opened, pages

OPERATOR = "sample_role=operator"


def operator_pages() -> list[type[OperatorFrame]]:
    """Every state of an operator's page."""
    return [state for state in pages() if issubclass(state, OperatorFrame) and state is not OperatorFrame]


def handlers() -> list[tuple[type[OperatorFrame], str]]:
    """Every handler of theirs."""
    return [
        (state, name)
        for state in operator_pages()
        for name, value in vars(state).items()
        if type(value).__name__ == "EventHandler" and name != "setvar"
    ]


def call(state: Any, name: str) -> Any:
    """Calls a handler with what a browser might send: an empty value for each of its arguments."""
    found = getattr(state, name)
    wanted = list(inspect.signature(vars(type(state))[name].fn).parameters)[1:]
    return asyncio.run(found(**dict.fromkeys(wanted, "")))


@pytest.mark.parametrize(("page", "name"), handlers(), ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize("role", ["admin", "billing", "member", "none"])
def test_nobody_but_operators_gets_through(page: type[OperatorFrame], name: str, role: str) -> None:
    state: Any = opened(page, "/admin/organizations", f"sample_role={role}")
    empty = state.screen
    answer = call(state, name)
    assert state.screen == empty
    assert state.around.person == ""
    if role == "none":
        assert "/sign-in?next=%2Fadmin%2Forganizations" in str(answer)
    else:
        assert (answer, state.problem) == (None, "forbidden")


@pytest.mark.parametrize(("page", "name"), handlers(), ids=lambda value: getattr(value, "__name__", value))
def test_every_handler_asks_for_an_operator(page: type[OperatorFrame], name: str) -> None:
    assert getattr(vars(page)[name].fn, GUARD) == frozenset({Role.OPERATOR})


def test_an_operator_finds_organizations() -> None:
    state = opened(OrganizationsState, "/admin/organizations?search=stopped", OPERATOR)
    asyncio.run(state.load())
    assert [row.name for row in state.screen.rows] == ["Stopped Studio"]
    assert (state.around.person, state.around.home_href) == ("Oda Berg", "/o/meridian")
