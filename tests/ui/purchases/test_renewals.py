"""What is bought again by itself: what the panels say, and what their handlers do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from billing_app.domain.purchases.top_ups import TopUpState
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.purchases import top_ups
from billing_app.services.purchases.top_ups import Wanted
from billing_app.ui.kit.formats import Formats
from billing_app.ui.purchases.renewals import RenewalsState
from billing_app.ui.purchases.renewals_text import TopUpScreen, renewals_screen
from tests.support.builders import NOON
from tests.ui.conftest import Meridian
from tests.ui.records.facts import NOW
from tests.ui.records.renewals import renewals

VIEW: Any = renewals("meridian", "admin", "mau")


def shown(**changes: Any) -> TopUpScreen:
    """The auto top-up in another state."""
    return renewals_screen(replace(VIEW, top_up=replace(VIEW.top_up, **changes)), Formats()).top_up


def test_rows_say_when_they_renew_or_end() -> None:
    changed, cancelled, unpaid = renewals_screen(VIEW, Formats()).rows
    assert (changed.name, changed.price, changed.when) == (
        "3 × 10,000\N{NO-BREAK SPACE}MAU",
        "$36.00 a month",
        "Renews 10 Dec",
    )
    assert changed.note == "now 10,000\N{NO-BREAK SPACE}MAU"
    assert (cancelled.when, cancelled.cancelled) == ("Ends 2 Dec", True)
    assert (unpaid.when, unpaid.note, unpaid.pay_url) == (
        "Not paid", "Your card was declined.", "https://invoice.example/1",
    )  # fmt: skip
    assert renewals_screen(VIEW, Formats()).total == "$86.00 a month, before tax"


def test_a_top_up_says_what_it_does() -> None:
    found = shown()
    assert found.sentence == (
        "When MAU credits fall to 5,000, it buys 10,000\N{NO-BREAK SPACE}MAU for $14.00, "
        "at most $200.00 a month, with Visa 4242."
    )
    assert (found.on, found.note, found.threshold, found.cap) == (
        True,
        "$28.00 of $200.00 spent in November.",
        "5000",
        "200",
    )


@pytest.mark.parametrize(
    ("changes", "on", "said"),
    [
        ({"state": "off"}, False, "Off. When on and MAU credits fall to 5,000"),
        ({"state": "waiting_for_card", "card": None}, True, "Save a card, and it begins."),
        (
            {"state": "resting", "failure": "Your card was declined.", "until": NOW + timedelta(days=1)},
            True, "Your card was declined. It tries again on 22 Nov, 14:10 UTC.",
        ),
        ({"state": "capped", "until": NOW.replace(month=12, day=1)}, True, "are spent: it goes on on 1 Dec."),
        ({"state": "turned_off", "failure": "Your card was declined."}, False, "It turned itself off"),
    ],
)  # fmt: skip
def test_each_state_has_its_words(changes: dict[str, Any], on: bool, said: str) -> None:
    found = shown(**changes)
    assert found.on is on
    assert said in f"{found.sentence} {found.note}"


def test_a_member_sees_none_of_it() -> None:
    assert renewals_screen(renewals("meridian", "member", "mau"), Formats()).visible is False


def test_turning_it_off_is_done_at_once(meridian: Meridian) -> None:
    state = meridian.open(RenewalsState, "/o/meridian/credits")
    wanted = Wanted(enabled=True, threshold=100, pack="mau-10k", count=1, cap_cents=20_000, consent=True)
    with meridian.database.writing() as session:
        organization = organizations.by_address(session, "meridian")
        assert top_ups.put(Context(session, organization, NOON, "tests"), "mau", wanted).state != TopUpState.OFF
    state.screen = renewals_screen(VIEW, Formats())
    asyncio.run(state.switch(False))
    with meridian.database.reading() as session:
        organization = organizations.by_address(session, "meridian")
        assert top_ups.top_up(Context(session, organization, NOON), "mau").state == TopUpState.OFF
    assert state.screen.top_up.on is False
    asyncio.run(state.switch(True))
    assert state.editing is True


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"left": 5_000}, "5,000 MAU are left: with these amounts it buys 1 pack at once, for $14.00."),
        (
            {"left": -3, "count": 2, "card": None},
            "No MAU credits are left: with these amounts it buys 2 packs at once, as soon as a card is saved, "
            "for $28.00.",
        ),
        ({"left": None, "threshold": 0}, ""),
        ({"left": 0, "state": "capped", "until": NOW}, ""),
    ],
)
def test_the_dialog_says_what_it_would_buy_right_away(changes: dict[str, Any], said: str) -> None:
    assert shown(**changes).at_once.replace("\N{NO-BREAK SPACE}", " ") == said


def test_amounts_that_are_typed_say_what_they_would_buy_right_away(meridian: Meridian) -> None:
    state = meridian.open(RenewalsState, "/o/meridian/credits")
    state.screen = renewals_screen(VIEW, Formats())
    asyncio.run(state.edit(True))
    assert state.screen.top_up.at_once == ""
    asyncio.run(state.weigh("threshold", "70k"))
    asyncio.run(state.weigh("pack", "mau-10k"))
    asyncio.run(state.weigh("count", "3"))
    assert state.screen.top_up.at_once.endswith("buys 3 packs at once, as soon as a card is saved, for $42.00.")
    asyncio.run(state.weigh("threshold", "many"))
    assert state.screen.top_up.at_once == ""
    asyncio.run(state.edit(False))
    asyncio.run(state.edit(True))
    assert state.screen.top_up.at_once == ""
