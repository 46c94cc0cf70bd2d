"""Any browser can call any handler with any arguments: none does without its guard, and a guard believes nobody."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
import reflex as rx

from billing_app.domain.common.access import MONEY_ROLES
from billing_app.domain.processes import processes
from billing_app.services.organizations import profiles
from billing_app.ui.access import live
from billing_app.ui.access.session import GUARD, MAX_ARGUMENT, MAX_TEXT, access_of
from billing_app.ui.access.transactions import transactions
from billing_app.ui.credits.explain import ExplainState
from billing_app.ui.credits.ledger import LedgerState, filters_of
from billing_app.ui.credits.page import CreditsState
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.overview.page import OverviewState
from billing_app.ui.purchases.page import BuyState, basket_in
from billing_app.ui.usage.page import UsageState
from tests.ui.conftest import Meridian
from tests.ui.states import pages


def handlers() -> list[tuple[type[rx.State], str, Any]]:
    """Every handler of every state of ours, by the state that defines it."""
    return [(state, name, value) for state in pages() for name, value in vars(state).items() if is_handler(value)]


def is_handler(value: Any) -> bool:
    """Whether a browser can call it."""
    return type(value).__name__ == "EventHandler"


def handler(state: rx.State, name: str) -> Any:
    """A handler as a browser calls it: with whatever arguments."""
    return getattr(state, name)


def run(work: Any) -> Any:
    """Runs one handler to its end."""
    return asyncio.run(work)


def test_there_are_handlers_to_look_at() -> None:
    assert len(handlers()) >= 14


@pytest.mark.parametrize(("state", "name", "found"), handlers(), ids=lambda value: getattr(value, "__name__", ""))
def test_every_handler_is_guarded_or_says_why_not(state: type[rx.State], name: str, found: Any) -> None:
    guard = guard_of(found)
    assert isinstance(guard, frozenset | str), f"{state.__name__}.{name} has no guard"
    assert guard, f"{state.__name__}.{name}: an empty guard lets nobody or everybody in"


def test_only_the_entrance_and_the_failure_message_are_public() -> None:
    public = {f"{state.__name__}.{name}" for state, name, found in handlers() if isinstance(guard_of(found), str)}
    assert public == {
        "GuardedPage.fail",
        "EntranceState.sign_in",
        "EntranceState.open_link",
        "EntranceState.go_home",
        "CreateOrganizationState.open",
        "CreateOrganizationState.propose",
        "CreateOrganizationState.create_organization",
    }


def test_a_browser_cannot_pass_its_access() -> None:
    for state, name, found in handlers():
        assert "access" not in inspect.signature(found.fn).parameters, f"{state.__name__}.{name}"


def test_what_is_private_stays_on_the_server(meridian: Meridian) -> None:
    state = meridian.open(BuyState, "/o/meridian/credits/buy?basket=mau-50k:1")
    run(state.load())
    sent = state.dict()[BuyState.get_full_name()]
    assert any(name.startswith("screen") for name in sent)
    assert not [name for name in sent if name.startswith("_")]


def guard_of(found: Any) -> object:
    """Its roles, or the reason for being public."""
    return getattr(found.fn, GUARD, None)


@pytest.mark.parametrize("page", [OverviewState, UsageState, CreditsState, ExplainState, BuyState, LedgerState])
def test_nobody_signed_in_sees_nothing_and_is_asked_to_sign_in(
    meridian: Meridian, page: type[OrganizationPage]
) -> None:
    state = meridian.open(page, "/o/meridian/usage?metric=sms", "none")
    answer = run(state.load())
    assert state.screen.ready is False
    assert state.frame.name == ""
    assert "/sign-in?next=%2Fo%2Fmeridian%2Fusage%3Fmetric%3Dsms" in str(answer)


def test_signing_out_forgets_what_the_tab_had_screen(meridian: Meridian) -> None:
    state = meridian.open(OverviewState, "/o/meridian")
    run(state.load())
    assert state.screen.ready
    again = meridian.open(OverviewState, "/o/meridian", "none")
    again.screen, again.frame = state.screen, state.frame
    run(again.load())
    assert again.screen.ready is False
    assert again.frame.organizations == []


@pytest.mark.parametrize("address", ["nobody", "..", "a/b", "%2e%2e", "", "x" * 65, "meridian%00"])
def test_an_unknown_organization_is_nothing(meridian: Meridian, address: str) -> None:
    state = meridian.open(OverviewState, f"/o/{address}")
    run(state.load())
    assert state.problem == "not_found"
    assert state.screen.ready is False


def test_the_organization_is_the_paths_and_not_the_querys(meridian: Meridian) -> None:
    state = meridian.open(OverviewState, "/o/meridian?address=stopped")
    run(state.load())
    assert state.frame.address == "meridian"


def test_two_tabs_on_two_organizations_do_not_mix(meridian: Meridian) -> None:
    one = meridian.open(OverviewState, "/o/meridian", token="one")
    two = meridian.open(OverviewState, "/o/stopped", token="two")
    run(one.load())
    run(two.load())
    assert (one.frame.name, two.frame.name) == ("Meridian Apps", "Stopped Studio")
    assert (one.screen.blocked, two.screen.blocked) == (False, True)


@pytest.mark.parametrize("page", [ExplainState, BuyState, LedgerState])
def test_a_member_does_not_open_pages_about_money_but_keeps_the_frame(
    meridian: Meridian, page: type[OrganizationPage]
) -> None:
    state = meridian.open(page, "/o/meridian/ledger", "member")
    run(state.load())
    assert state.problem == "forbidden"
    assert "admin or billing" in state.problem_detail
    assert state.screen.ready is False
    assert (state.frame.name, state.frame.money) == ("Meridian Apps", False)


def test_money_handlers_ask_for_a_money_role() -> None:
    for page in (ExplainState, BuyState, LedgerState):
        for state, name, found in handlers():
            if state is page:
                assert guard_of(found) == MONEY_ROLES, name


def test_a_page_that_works_again_says_no_more_that_it_did_not(meridian: Meridian) -> None:
    state = meridian.open(OverviewState, "/o/meridian")
    state._say("broken", "")
    run(state.load())
    assert (state.problem, state.screen.ready) == ("", True)


def test_arguments_of_other_types_become_empty_ones(meridian: Meridian) -> None:
    state = meridian.open(BuyState, "/o/meridian/credits/buy")
    run(handler(state, "change")(pack={"$ne": 1}, step="many"))
    run(handler(state, "change")(pack="mau-50k", step=1, access="me", roles=["operator"]))
    assert [row.name for row in state.screen.basket] == ["50,000\N{NO-BREAK SPACE}MAU"]


def test_a_text_that_was_cut_is_longer_than_any_that_is_kept() -> None:
    assert profiles.LONGEST["description"] < processes.MAX_DESCRIPTION < MAX_ARGUMENT


def test_long_texts_are_cut(meridian: Meridian) -> None:
    state = meridian.open(LedgerState, f"/o/meridian/ledger?search={'x' * 5000}")
    assert len(filters_of(access_of(state, MONEY_ROLES)).search) == MAX_TEXT


def test_a_month_outside_the_chart_leads_nowhere(meridian: Meridian) -> None:
    state = meridian.open(UsageState, "/o/meridian/usage")
    run(state.load())
    assert run(handler(state, "pick")(10_000)) is None
    assert run(handler(state, "pick")(-1)) is None
    assert "month=2026-01-01" in str(run(handler(state, "pick")(10)))


def test_a_shown_page_hears_of_changes(meridian: Meridian) -> None:
    state = meridian.open(UsageState, "/o/meridian/usage", token="follows")
    run(state.load())
    tab = live._tabs.pop("follows")
    assert tab.revisions == transactions().revisions(["meridian"])
    assert tab.handler == f"{UsageState.get_full_name()}.load"


def test_a_basket_of_the_url_is_put_in_once(meridian: Meridian) -> None:
    state = meridian.open(
        BuyState, "/o/meridian/credits/buy?basket=mau-50k:1,sms-500:2,rubbish,mau-10k:0,x:-3,y:999999"
    )
    run(state.load())
    run(handler(state, "change")("mau-50k", -1))
    run(state.load())
    assert state.screen.count == "2 packs"
    assert basket_in("a:1,b:99,c:100,d:1.5") == {"a": 1, "b": 99}
