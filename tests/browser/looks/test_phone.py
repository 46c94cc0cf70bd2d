"""On a phone: its own way around, and buying."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.money.shopping import HOSTED
from tests.browser.people import FELIX, LARKFIELD, NORA, PHONE, Watch, arrives, heading


def test_the_tabs_lead_around_and_the_rest_is_under_more(watch: Watch) -> None:
    page = watch.signed_in(NORA, **PHONE).opens(LARKFIELD)
    tabs = page.get_by_role("navigation", name="Pages")
    for name in ("Usage", "Credits", "Buy", "Overview"):
        tabs.get_by_role("link", name=name).tap()
        expect(heading(page, name)).to_be_visible()
        arrives(page)
    tabs.get_by_role("button", name="More").tap()
    page.get_by_role("link", name="Ledger", exact=True).locator("visible=true").tap()
    expect(heading(page, "Ledger")).to_be_visible()
    tabs.get_by_role("button", name="More").tap()
    page.get_by_role("button", name="Sign out").locator("visible=true").tap()
    expect(heading(page, "Sign in")).to_be_visible()


def test_a_pack_is_paid_from_the_bar_above_the_tabs(watch: Watch) -> None:
    page = watch.signed_in(FELIX, **PHONE).opens(f"{LARKFIELD}/credits/buy?metric=mau")
    page.get_by_role("button", name="One more of 1,000 MAU", exact=True).tap()
    bar = page.locator(".basket-bar")
    expect(bar).to_contain_text("US$4.00")
    bar.get_by_role("button", name="Continue to payment").tap()
    page.wait_for_url(HOSTED)
