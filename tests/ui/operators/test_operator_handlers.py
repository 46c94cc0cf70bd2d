"""Operators' handlers: nobody else gets through any of them, whatever a browser sends."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
import reflex as rx

from billing_app.domain.common.access import Role
from billing_app.ui.access.operator_session import OperatorFrame
from billing_app.ui.access.session import GUARD
from billing_app.ui.operators.organizations.customer import CustomerState
from billing_app.ui.operators.organizations.page import OrganizationsState
from billing_app.ui.operators.organizations.refunds_text import cents_of
from billing_app.ui.operators.recounts.page import RecountsState
from billing_app.ui.operators.stripe.events import StripeEventsState
from billing_app.ui.operators.stripe.reconciliation import ReconciliationState
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


@pytest.fixture(autouse=True)
def held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A background handler takes its state with `async with`; here nobody else wants it."""

    async def nothing(*_arguments: Any) -> None: ...

    monkeypatch.setattr(rx.State, "__aenter__", nothing, raising=False)
    monkeypatch.setattr(rx.State, "__aexit__", nothing, raising=False)


def call(state: Any, name: str) -> Any:
    """Calls a handler with what a browser might send: an empty value for each of its arguments."""
    found = vars(type(state))[name].fn  # Reflex lets nobody call a background handler as a method
    wanted = list(inspect.signature(found).parameters)[1:]
    return asyncio.run(found(state, **dict.fromkeys(wanted, "")))


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


def test_events_are_listed_and_what_was_given_up_stands_out() -> None:
    state = opened(StripeEventsState, "/admin/stripe-events?event=evt_1&type=refund.created&state=nonsense", OPERATOR)
    asyncio.run(state.load())
    assert [(row.type, row.state) for row in state.screen.rows] == [("refund.created", "Given up")]
    assert state.around.given_up == "An event of Stripe was given up"
    assert state.around.given_up_href == "/admin/stripe-events?state=given_up"
    assert (state.screen.event.state, state.screen.event.tone) == ("Given up", "blocked")
    assert '"id": "evt_1"' in state.screen.event.payload


def test_an_event_that_is_not_there_is_said_beside_the_list() -> None:
    state = opened(StripeEventsState, "/admin/stripe-events?event=evt_none", OPERATOR)
    asyncio.run(state.load())
    assert (state.problem, len(state.screen.rows)) == ("", 2)
    assert "evt_none" in state.screen.event.missing


def test_the_report_begins_with_the_answer_and_keeps_what_needs_somebody_apart() -> None:
    state = opened(ReconciliationState, "/admin/reconciliation", OPERATOR)
    asyncio.run(state.load())
    assert (state.screen.sentence, state.screen.tone) == ("1 difference needs you", "blocked")
    assert [row.title for row in state.screen.needs_you] == ["Order unknown"]
    assert [row.detail.endswith("known here. And 1 more like it.") for row in state.screen.repaired] == [True]


def test_recounts_say_whether_anybody_is_behind() -> None:
    state = opened(RecountsState, "/admin/recounts", OPERATOR)
    asyncio.run(state.load())
    assert (state.screen.sentence, state.screen.rows[0].took) == ("Every ledger is up to date", "210 ms")


def test_a_refund_says_what_it_does_before_it_is_done() -> None:
    state = opened(CustomerState, "/admin/organizations/meridian?grant=gr_1", OPERATOR)
    asyncio.run(state.load())
    assert state.screen.refund.button == "Give back $6.50"
    assert [(each.label, each.value) for each in state.screen.refund.effects] == [
        ("Taken back, not used yet", "20\N{NO-BREAK SPACE}SMS"),
        ("Used already: becomes debt", "80\N{NO-BREAK SPACE}SMS"),
    ]
    asyncio.run(call_with(state, "reckon", amount="3.25"))
    assert state.screen.refund.button == "Give back $3.25"
    asyncio.run(call_with(state, "reckon", amount="lots"))
    assert (state.screen.refund.button, state.screen.refund.why_not) == ("", "Type an amount, such as 6.50.")
    asyncio.run(call_with(state, "reckon", amount="7"))
    assert (state.screen.refund.button, state.screen.refund.why_not) == ("", "Give back between 1 and 650.")


def test_an_unknown_organization_is_not_found() -> None:
    state = opened(CustomerState, "/admin/organizations/nobody", OPERATOR)
    asyncio.run(state.load())
    assert (state.problem, state.screen.ready) == ("not_found", False)


@pytest.mark.parametrize(
    ("text", "currency", "cents"),
    [("6.50", "usd", 650), ("6,5", "EUR", 650), (" 7 ", "usd", 700), ("700", "jpy", 700), ("1.005", "usd", None),
     ("-1", "usd", None), ("0", "usd", None), ("NaN", "usd", None), ("Infinity", "usd", None), ("1e99", "usd", None),
     ("", "usd", None), ("six", "usd", None)],
)  # fmt: skip
def test_amounts_as_people_type_them(text: str, currency: str, cents: int | None) -> None:
    assert cents_of(text, currency) == cents


def call_with(state: Any, name: str, **arguments: Any) -> Any:
    """A handler with what a browser sends."""
    return getattr(state, name)(**arguments)
