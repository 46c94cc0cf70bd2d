"""Operators' handlers: nobody else gets through any of them, whatever a browser sends."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
import reflex as rx

from billing_app.domain.common.access import Role
from billing_app.services.operators import read_customer
from billing_app.store.tables.stripe import InboxEvent
from billing_app.ui.access.session import GUARD
from billing_app.ui.frame.state import OperatorPage
from billing_app.ui.kit.formats import Formats
from billing_app.ui.operators.organizations.customer import CustomerState
from billing_app.ui.operators.organizations.customer_text import cents_of
from billing_app.ui.operators.organizations.page import OrganizationsState
from billing_app.ui.operators.recounts.page import RecountsState
from billing_app.ui.operators.recounts.text import recounts_screen
from billing_app.ui.operators.stripe.events import StripeEventsState
from billing_app.ui.operators.stripe.reconciliation import ReconciliationState
from billing_app.ui.operators.stripe.reconciliation_text import reconciliation_screen
from tests.support.builders import NOON
from tests.ui.conftest import Meridian
from tests.ui.records import operations
from tests.ui.states import pages


def operator_pages() -> list[type[OperatorPage]]:
    """Every state of an operator's page."""
    return [state for state in pages() if issubclass(state, OperatorPage) and state is not OperatorPage]


def handlers() -> list[tuple[type[OperatorPage], str]]:
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
def test_nobody_but_operators_gets_through(meridian: Meridian, page: type[OperatorPage], name: str, role: str) -> None:
    state = meridian.open(page, "/admin/organizations", role)
    empty = state.screen
    answer = call(state, name)
    assert state.screen == empty
    assert state.frame.person == ""
    if role == "none":
        assert "/sign-in?next=%2Fadmin%2Forganizations" in str(answer)
    else:
        assert (answer, state.problem) == (None, "forbidden")


@pytest.mark.parametrize(("page", "name"), handlers(), ids=lambda value: getattr(value, "__name__", value))
def test_every_handler_asks_for_an_operator(page: type[OperatorPage], name: str) -> None:
    assert getattr(vars(page)[name].fn, GUARD) == frozenset({Role.OPERATOR})


def loaded(meridian: Meridian, page: type[OperatorPage], url: str) -> Any:
    state = meridian.open(page, url, "operator")
    asyncio.run(state.load())
    return state


def test_an_operator_finds_organizations(meridian: Meridian) -> None:
    state = loaded(meridian, OrganizationsState, "/admin/organizations?search=stopped")
    assert [row.name for row in state.screen.rows] == ["Stopped Studio"]
    assert (state.frame.person, state.frame.home_href) == ("Oda", "/o/meridian")


def an_event(name: str, kind: str, state: str) -> InboxEvent:
    """What Stripe has sent."""
    return InboxEvent(
        source="stripe", id=name, type=kind, object_id="re_1", subject="cus_1", livemode=False,
        payload=f'{{"id": "{name}"}}', created_at=NOON, received_at=NOON, state=state, attempts=25,
        error="Given up after 25 tries: Stripe cannot be reached now." if state == "failed" else "",
    )  # fmt: skip


@pytest.fixture
def events(meridian: Meridian) -> Meridian:
    """One event that was given up, and one that was handled."""
    with meridian.database.writing() as session:
        session.add(an_event("evt_1", "refund.created", "failed"))
        session.add(an_event("evt_2", "checkout.session.completed", "handled"))
    return meridian


def test_events_are_listed_and_what_was_given_up_stands_out(events: Meridian) -> None:
    url = "/admin/stripe-events?event=evt_1&type=refund.created&state=nonsense"
    state = loaded(events, StripeEventsState, url)
    assert [(row.type, row.state) for row in state.screen.rows] == [("refund.created", "Given up")]
    assert state.frame.given_up == "A Stripe event was given up"
    assert state.frame.given_up_href == "/admin/stripe-events?state=given_up"
    assert (state.screen.event.state, state.screen.event.tone) == ("Given up", "blocked")
    assert '"id": "evt_1"' in state.screen.event.payload


def test_an_event_that_is_not_there_is_said_beside_the_list(events: Meridian) -> None:
    state = loaded(events, StripeEventsState, "/admin/stripe-events?event=evt_none")
    assert (state.problem, len(state.screen.rows)) == ("", 2)
    assert "evt_none" in state.screen.event.missing


def test_the_report_begins_with_the_answer_and_keeps_what_needs_somebody_apart() -> None:
    screen = reconciliation_screen(operations.reconciliation(), Formats(), "")
    assert (screen.sentence, screen.tone) == ("1 difference needs you", "blocked")
    assert [row.title for row in screen.needs_you] == ["Order unknown"]
    assert [row.detail.endswith("known here. And 1 more like it.") for row in screen.repaired] == [True]


def test_recounts_say_whether_anybody_is_behind(meridian: Meridian) -> None:
    screen = recounts_screen(operations.recounts(), Formats(), "")
    assert (screen.sentence, screen.rows[0].took) == ("Every ledger is up to date", "210 ms")
    state = loaded(meridian, RecountsState, "/admin/recounts")
    asyncio.run(vars(RecountsState)["run"].fn(state))
    asyncio.run(state.load())
    assert (state.running, state.screen.sentence) == (False, "Every ledger is up to date")
    assert len(state.screen.rows) == 1


def test_without_stripe_there_is_nothing_to_compare_with(meridian: Meridian) -> None:
    state = loaded(meridian, ReconciliationState, "/admin/reconciliation")
    asyncio.run(state.run())
    assert (state.problem, state.screen.ready) == ("refused", True)
    assert state.problem_detail == "There is nothing to compare with: Stripe is not set up."


def test_a_refund_says_what_it_does_before_it_is_done(meridian: Meridian, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_customer, "customer", lambda *asked, **_more: operations.customer(asked[3]))
    state = loaded(meridian, CustomerState, "/admin/organizations/meridian?grant=gr_1")
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
    assert (state.screen.refund.button, state.screen.refund.why_not) == ("", "Refund between 1 and 650.")


def test_one_organization_is_read_with_everything(meridian: Meridian) -> None:
    screen = loaded(meridian, CustomerState, "/admin/organizations/meridian").screen
    assert (screen.ready, screen.name) == (True, "Meridian Apps")


def test_an_unknown_organization_is_not_found(meridian: Meridian) -> None:
    state = loaded(meridian, CustomerState, "/admin/organizations/nobody")
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
