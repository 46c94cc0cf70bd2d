"""An organization that pays is ended: what it pays for is seen, it ends with its period, and then now."""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.looks.geometry import resized, wrong_at
from tests.browser.money.shopping import HOSTED, PAYS, comes_back, goes_to_payment, puts_into_basket
from tests.browser.people import NORA, Person, Watch, goes

RIVERS = "/o/larkfield-rivers"


def rivers_that_pays(nora: Person, watch: Watch) -> None:
    """A new organization with a plan and a monthly pack."""
    origin = {"Origin": watch.console.url}
    made = nora.context.request.post(
        "/api/v1/organizations", data={"name": "Larkfield Rivers", "address": "larkfield-rivers"}, headers=origin
    )
    assert made.status == 201, made.text()
    page = nora.opens(f"{RIVERS}/plan")
    page.get_by_role("button", name="Try Essential").click()
    page.wait_for_url(HOSTED)
    page.get_by_label("Card number").fill(PAYS)
    page.get_by_label("Expiry").fill("12 / 40")
    page.get_by_label("CVC").fill("123")
    page.get_by_label("Name on card").fill("Nora Sandell")
    page.get_by_role("button", name=re.compile("^(Pay|Start|Subscribe)")).click()
    expect(page.get_by_role("status")).to_contain_text("Welcome to Essential.")
    goes(page, f"{RIVERS}/credits/buy?metric=mau&kind=month")
    puts_into_basket(page, "10,000 MAU")
    goes_to_payment(page)
    page.get_by_label("Card number").fill(PAYS)
    page.get_by_label("Expiry").fill("12 / 40")
    page.get_by_label("CVC").fill("123")
    page.get_by_label("Name on card").fill("Nora Sandell")
    page.get_by_role("button", name=re.compile("^(Pay|Subscribe)")).click()
    comes_back(page)
    page.close()


def panel(page: Page) -> Locator:
    return page.locator(".panel.ending")


def asks_to_end(page: Page) -> Locator:
    """Opens the question."""
    panel(page).get_by_role("button", name="End it...").click()
    return page.get_by_role("dialog")


def seen(page: Page, name: str, tmp_path: Path) -> None:
    """Nothing lies over anything at a phone's width and a laptop's, light and dark; pictures for whoever wants them."""
    folder = Path(os.environ.get("BILLING_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    for width in (390, 1_280):
        resized(page, width)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=folder / f"{name}-{width}-{scheme}.png")
        assert wrong_at(page) == []


def test_a_rivers_that_pays_for_itself_ends_with_its_period_and_then_now(watch: Watch, tmp_path: Path) -> None:
    nora = watch.signed_in(NORA)
    rivers_that_pays(nora, watch)
    page = nora.opens(f"{RIVERS}/organization")
    expect(panel(page)).to_contain_text("Plan Essential")
    expect(panel(page)).to_contain_text("10,000 MAU pack")
    expect(panel(page)).not_to_contain_text("mau-10k")
    panel(page).scroll_into_view_if_needed()
    seen(page, "panel", tmp_path)
    dialog = asks_to_end(page)
    expect(dialog).to_contain_text("Plan Essential")
    expect(dialog).to_contain_text("What has changed at Stripe by then decides")
    seen(page, "dialog", tmp_path)
    dialog.get_by_label("Why (kept in the audit log)").fill("The rivers are mapped.")
    dialog.get_by_role("button", name="End it").click()
    expect(page.get_by_text(re.compile("This organization ends on"))).to_be_visible()
    page.get_by_role("button", name="Keep it").click()
    expect(panel(page)).to_contain_text("Plan Essential")

    asks_to_end(page).get_by_role("radio", name=re.compile("^Now:")).check()
    page.get_by_role("dialog").get_by_role("button", name="End it").click()
    expect(page.get_by_text(re.compile("This organization ended on"))).to_be_visible()
    goes(page, f"{RIVERS}/plan")
    expect(page.get_by_text(re.compile("Essential ended on")).first).to_be_visible()
