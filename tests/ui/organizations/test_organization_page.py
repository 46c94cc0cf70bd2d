"""The organization's page: what an admin is shown, and what others are not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import reflex as rx

from billing_app.domain.common.access import ADMIN_ROLES
from billing_app.domain.organizations.limits import Limit, LimitUse
from billing_app.services.plans import stripe_endings
from billing_app.ui.access.session import GUARD
from billing_app.ui.kit.formats import Formats
from billing_app.ui.organizations.page import OrganizationState
from billing_app.ui.organizations.text import _why_full, organization_screen
from tests.ui.conftest import Meridian
from tests.ui.records import organizations
from tests.ui.records.overview import frame
from tests.ui.states import move

CHANGING = {
    "save",
    "invite",
    "renew",
    "change_role",
    "create_child",
    "create_key",
    "act",
    "end_organization",
    "keep_organization",
}


def shown(tab: str = "", role: str = "admin") -> Any:
    """What the screen says of the records."""
    return organization_screen(organizations.page("meridian", role), frame("meridian", role), Formats(), tab=tab)


def test_what_changes_something_asks_for_an_admin() -> None:
    handlers: dict[str, Any] = {
        name: value for name, value in vars(OrganizationState).items() if type(value).__name__ == "EventHandler"
    }
    guards = {name: getattr(value.fn, GUARD) for name, value in handlers.items()}
    assert {name for name, roles in guards.items() if roles == ADMIN_ROLES} == CHANGING


def test_an_admin_sees_everything() -> None:
    screen = shown()
    assert [(tab.label, tab.count) for tab in screen.tabs] == [
        ("Profile", ""), ("Members", "2"), ("Sub-organizations", "2"), ("API keys", ""), ("Audit log", ""),
    ]  # fmt: skip
    assert [(row.name, row.invited, row.last_admin) for row in screen.members] == [
        ("Ana Ruiz", False, True),
        ("kim@meridian.example", True, False),
    ]
    assert screen.members_taken == "2 of 2 places taken"
    assert screen.no_place == "The plan Pro allows 2 members, and 2 are taken. Choose a larger plan for more."
    assert (screen.children_taken, screen.no_child) == ("2, unlimited", "")
    assert [(row.name, row.plan, row.deeper) for row in screen.children] == [
        ("North", "paid for by this plan", False),
        ("Oslo", "Free plan of its own", True),
    ]
    assert [choice.value for choice in screen.parents] == ["meridian", "north"]
    assert screen.audit[0].did == "changed the role of kim@meridian.example from member to billing"
    assert screen.api_keys[0].revoked == "revoked 20 Nov"


def test_a_logo_of_another_host_is_only_text() -> None:
    assert shown().profile.logo_visible is False


def test_a_member_sees_no_money_no_keys_and_no_log() -> None:
    for tab in ("keys", "audit", "profile"):
        screen = shown(tab, "member")
        assert screen.tab == "profile"
        assert (screen.admin, screen.api_keys, screen.audit, screen.profile.money) == (False, [], [], [])
    assert [tab.label for tab in screen.tabs] == ["Profile", "Members", "Sub-organizations"]


def test_the_page_reads_what_the_role_may_see(meridian: Meridian) -> None:
    for role, admin in (("admin", True), ("member", False), ("operator", True)):
        state = meridian.open(OrganizationState, "/o/meridian/organization?tab=audit", role)
        asyncio.run(state.load())
        assert (state.screen.ready, state.screen.admin, state.screen.audit != []) == (True, admin, admin)
        assert len(state.screen.members) == 4


def test_an_admin_changes_it_and_everybody_else_is_refused(meridian: Meridian) -> None:
    state = meridian.open(OrganizationState, "/o/meridian/organization?tab=keys")
    asyncio.run(state.load())
    asyncio.run(state.save({"name": "Meridian Labs"}))
    assert (state.saved, state.screen.profile.name) == (True, "Meridian Labs")
    asyncio.run(state.create_key({"name": "Reports", "scope-read": "on"}))
    assert state.secret.startswith("bk_live_")
    asyncio.run(state.invite({"email": "kim@meridian.example", "role": "king"}))
    assert state.refused == "A member's role is admin, billing or member."
    refused = meridian.open(OrganizationState, "/o/meridian/organization", "member")
    asyncio.run(refused.save({"name": "Mine"}))
    assert refused.problem == "forbidden"


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A background handler takes its state with `async with`; here nobody else wants it."""

    async def itself(state: Any, *_error: object) -> Any:
        return state

    async def nothing(*_error: object) -> None: ...

    monkeypatch.setattr(rx.State, "__aenter__", itself, raising=False)
    monkeypatch.setattr(rx.State, "__aexit__", nothing, raising=False)


@pytest.mark.parametrize("gone_on", [False, True])
def test_a_page_that_the_tab_has_left_meanwhile_is_not_loaded_again(
    meridian: Meridian, held: None, monkeypatch: pytest.MonkeyPatch, gone_on: bool
) -> None:
    """It would take over what the tab hears of changes from the page that it shows now."""
    state = meridian.open(OrganizationState, "/o/meridian/organization")
    decided = stripe_endings.decided

    def slow(*arguments: Any) -> str:
        if gone_on:
            move(state._get_root_state(), "/o/meridian/plan", meridian.cookies["admin"])
        return decided(*arguments)

    monkeypatch.setattr(stripe_endings, "decided", slow)
    handler = vars(OrganizationState)["end_organization"].fn
    then = asyncio.run(handler(state, {"when": "now", "reason": "moved"}))
    assert state.refused == ""
    assert then == (None if gone_on else OrganizationState.load)


def test_what_the_operator_has_set_is_not_said_to_be_the_plans() -> None:
    profile = organizations.page("meridian", "admin").profile
    full = LimitUse(Limit.MEMBERSHIPS, 3, 3, True)
    assert _why_full(full, profile) == (
        "The operator has set 3 members in place of what the plan Pro says, and 3 are taken. Ask the operator for more."
    )


def test_the_ending_says_what_is_paid_and_what_is_tried() -> None:
    plan, *_, of_a_part = shown().ending.pays
    assert plan.value == "$99.00 per month, paid until 30 Nov 2025"
    assert of_a_part.value == "$29.00 per month, free until 30 Nov 2025"
