"""Who sees and may do what, on the pages, by address and over the websocket."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.access.forging import Forger
from tests.browser.money.shopping import grants
from tests.browser.people import FELIX, JUNE, LARKFIELD, MARLOW, Watch, goes, heading

NOT_FOUND = '"problem_rx_state_":"not_found"'
ALL_IS_WELL = '"problem_rx_state_":""'
FORBIDDEN = '"problem_rx_state_":"forbidden"'
SHOWN = "screen_rx_state_"
HANDLERS = ("overview.load", "usage.load", "credits.load", "explain.load", "buy.load", "ledger.load", "returned.settle")


def test_a_member_reads_use_and_credits_but_is_offered_no_buying(watch: Watch) -> None:
    overview = watch.signed_in(JUNE).opens(LARKFIELD)
    expect(overview.get_by_role("link", name="Buy credits")).to_have_count(0)
    expect(overview.get_by_role("link", name="Ledger")).to_have_count(0)
    buy = overview.get_by_role("button", name="Buy credits")
    expect(buy).to_have_attribute("aria-disabled", "true")
    buy.focus()
    expect(overview.get_by_role("tooltip")).to_contain_text("Your role here cannot buy.")
    goes(overview, f"{LARKFIELD}/credits?metric=mau")
    expect(heading(overview, "Credits")).to_be_visible()
    expect(overview.get_by_role("link", name="CSV")).to_have_count(0)


@pytest.mark.parametrize("page", ["credits/buy", "credits/bought?session_id=cs_test_1", "ledger", "credits/explain"])
def test_a_member_who_types_the_address_of_a_money_page_is_told_why_not(watch: Watch, page: str) -> None:
    opened = watch.signed_in(JUNE).opens(f"{LARKFIELD}/{page}")
    expect(heading(opened, "Your role does not open this page")).to_be_visible()
    expect(opened.get_by_role("link", name="Back to the overview")).to_be_visible()
    expect(opened.get_by_text("US$")).to_have_count(0)


def test_a_member_is_refused_by_the_api_too(watch: Watch) -> None:
    june, ours = watch.signed_in(JUNE), "/api/v1/organizations/larkfield-maps"
    bought = june.context.request.post(
        f"{ours}/checkout",
        data={"items": [{"pack": "mau-10k", "quantity": 1}]},
        headers={"Origin": watch.console.url, "Idempotency-Key": "june"},
    )
    assert bought.status == 403
    assert [june.context.request.get(f"{ours}/{name}").status for name in ("ledger.csv", "grants.csv")] == [403, 403]


def test_a_member_who_calls_the_buying_handlers_is_refused_and_nothing_is_bought(watch: Watch) -> None:
    had = grants(watch.signed_in(FELIX), "larkfield-maps")
    forger = Forger.at(watch.signed_in(JUNE), LARKFIELD)
    forger.sends("buy.change", "larkfield-maps", FORBIDDEN, pack="mau-10k", step=1)
    forger.sends("overview.load", "larkfield-maps", SHOWN)
    forger.sends("buy.pay", "larkfield-maps", FORBIDDEN)
    assert "_sandbox/checkout" not in "".join(forger.heard)
    assert grants(watch.signed_in(FELIX), "larkfield-maps") == had


@pytest.mark.parametrize("address", [MARLOW, "/o/there-is-none"])
def test_another_organizations_address_is_as_little_there_as_one_that_does_not_exist(
    watch: Watch, address: str
) -> None:
    june = watch.signed_in(JUNE)
    for page in ("", "/credits/buy", "/ledger"):
        opened = june.opens(f"{address}{page}")
        expect(heading(opened, "There is nothing here")).to_be_visible()
        expect(opened.get_by_text("Marlow Letters")).to_have_count(0)
    assert june.context.request.get(f"/api/v1/organizations/{address.removeprefix('/o/')}/balances").status == 404


def test_forged_events_show_nothing_of_another_organization(watch: Watch) -> None:
    forger = Forger.at(watch.signed_in(JUNE), LARKFIELD)
    for handler in HANDLERS:
        said = forger.sends(handler, "marlow-letters", NOT_FOUND, metric="emails", session_id="cs_test_1")
        assert SHOWN not in said
        forger.sends("overview.load", "larkfield-maps", ALL_IS_WELL)
    assert "Marlow Letters" not in "".join(forger.heard)


def test_a_forged_basket_is_not_paid_for_another_organization(watch: Watch) -> None:
    forger = Forger.at(watch.signed_in(FELIX), f"{LARKFIELD}/credits/buy")
    forger.sends("buy.change", "larkfield-maps", SHOWN, pack="mau-10k", step=1)
    forger.sends("buy.pay", "marlow-letters", NOT_FOUND)
    assert "_sandbox/checkout" not in "".join(forger.heard)
    assert "Marlow Letters" not in "".join(forger.heard)
