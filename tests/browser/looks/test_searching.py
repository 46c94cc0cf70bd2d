"""Searches happen while one types: no key to know about, and nothing typed is lost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.people import FELIX, JUNE, LARKFIELD, OPERATOR, Watch, heading

PLACES = {
    "ledger": (FELIX, f"{LARKFIELD}/ledger", "No entry fits these filters."),
    "organizations": (OPERATOR, "/admin/organizations", "No organization has this in its name"),
    "events": (OPERATOR, "/admin/stripe-events", "No event fits these filters."),
    "audit": (OPERATOR, "/admin/audit", "Nothing of this kind was changed yet."),
}


@pytest.mark.parametrize("place", PLACES)
def test_what_is_typed_is_looked_for(watch: Watch, place: str) -> None:
    who, path, nothing = PLACES[place]
    page = watch.signed_in(who).opens(path)
    field = page.get_by_role("searchbox").first
    field.press_sequentially("nowhere ", delay=20)
    expect(page.get_by_text(nothing)).to_be_visible()
    field.press_sequentially("at all", delay=20)
    expect(page).to_have_url(re.compile(r"=nowhere(\+|%20)at(\+|%20)all"))
    expect(field).to_be_focused()
    expect(field).to_have_value("nowhere at all")


def test_who_cannot_switch_a_feature_reads_how_it_stands(watch: Watch) -> None:
    page = watch.signed_in(JUNE).opens(f"{LARKFIELD}/features")
    expect(page.get_by_role("switch")).to_have_count(0)
    told = page.locator(".options > li .told-state").all_inner_texts()
    assert len(told) == page.locator(".options > li").count()
    assert {"On", "Locked"} <= set(told) <= {"On", "Off", "Locked"}


def test_an_address_without_an_organization_keeps_a_way_out(watch: Watch) -> None:
    page = watch.signed_in(JUNE).opens("/o/there-is-none/usage")
    expect(heading(page, "There is nothing here")).to_be_visible()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="My organization").click()
    expect(heading(page, "Overview")).to_be_visible()
