"""A plan from the first click to the last: subscribed to, upgraded with its price seen before, ended."""

from __future__ import annotations

import re

import stripe
from playwright.sync_api import Locator, Page, expect

from billing_app.launcher.keys import demo_keys
from billing_app.launcher.places import Places
from tests.browser.money.shopping import HOSTED
from tests.browser.people import GRETA, LARKFIELD, MARLOW, NORA, THEO, Person, Watch, goes
from tests.support.console import Console

WREN = "/o/wren-press"


def founds_wren_press(person: Person, console: Console) -> None:
    """An organization of the test's own, on the default plan."""
    answer = person.context.request.post(
        "/api/v1/organizations", data={"name": "Wren Press", "address": "wren-press"}, headers={"Origin": console.url}
    )
    assert answer.status == 201, answer.text()


def ends_the_trial(console: Console) -> None:
    """What fourteen days do."""
    places = Places(console.folder)
    base = places.fake_stripe_address.read_text(encoding="utf-8")
    account = stripe.StripeClient(demo_keys(places.demo_keys).api_secret, base_addresses={"api": base}).v1
    found = [each for each in account.subscriptions.list({"limit": 100}).data if each.status == "trialing"]
    assert len(found) == 1
    account.subscriptions.update(found[0].id, {"trial_end": "now"})


def title(page: Page) -> Locator:
    """The name of the plan in force."""
    return page.locator(".plan-title")


def dialog(page: Page) -> Locator:
    """The question that is asked."""
    return page.get_by_role("alertdialog")


def test_a_plan_is_subscribed_to_upgraded_with_its_price_and_ended(watch: Watch) -> None:
    greta = watch.signed_in(GRETA)
    founds_wren_press(greta, watch.console)
    page = greta.opens(f"{WREN}/plan")
    expect(title(page)).to_have_text("Free")

    page.get_by_role("button", name="Try Essential").click()
    page.wait_for_url(HOSTED)
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_label("Expiry").fill("12 / 40")
    page.get_by_label("CVC").fill("123")
    page.get_by_label("Name on card").fill("Greta Oyelaran")
    page.get_by_role("button", name=re.compile("^(Pay|Start|Subscribe)")).click()
    expect(page.get_by_role("status")).to_contain_text("Welcome to Essential.")
    expect(title(page)).to_have_text("Essential")
    expect(page.get_by_text("Trial ends, first payment")).to_be_visible()

    ends_the_trial(watch.console)
    expect(page.get_by_text("Trial ends, first payment")).to_have_count(0)
    page.get_by_role("button", name="Upgrade to Pro").click()
    expect(dialog(page)).to_contain_text("Charged now")
    due = dialog(page).locator(".result dd").inner_text()
    dialog(page).get_by_role("button", name=f"Pay {due} now").click()
    expect(title(page)).to_have_text("Pro")
    newest = page.get_by_role("row").nth(1)
    expect(newest).to_contain_text(due)
    expect(newest).to_contain_text("Paid")

    page.get_by_role("button", name="Cancel plan").click()
    expect(dialog(page)).to_contain_text("Credits that you bought stay usable")
    dialog(page).get_by_role("button", name=re.compile("^End on")).click()
    expect(page.get_by_role("region", name="What is special about the plan")).to_contain_text("Pro ends on")
    expect(title(page)).to_have_text("Pro")
    page.get_by_role("button", name="Keep Pro").click()
    dialog(page).get_by_role("button", name="Keep Pro").click()
    expect(page.get_by_role("region", name="What is special about the plan")).to_have_count(0)


def test_who_is_behind_sees_until_when_the_plan_stays_and_where_to_pay(watch: Watch) -> None:
    theo = watch.signed_in(THEO)
    page = theo.opens(f"{MARLOW}/plan")
    special = page.get_by_role("region", name="What is special about the plan")
    expect(special).to_contain_text("The last payment for Essential failed.")
    expect(special).to_contain_text("The plan stays until")
    special.get_by_role("button", name="Pay or change the card").click()
    page.wait_for_url(re.compile("/_sandbox/portal/"))


def test_invoices_are_listed_and_lead_to_their_pages(watch: Watch) -> None:
    page = watch.signed_in(NORA).opens(f"{LARKFIELD}/plan")
    row = page.get_by_role("row").nth(2)
    expect(row).to_contain_text("Paid")
    href = row.get_by_role("link", name=re.compile("^View")).get_attribute("href")
    assert href is not None
    goes_there = watch.signed_in(NORA).context.new_page()
    goes_there.goto(href)
    expect(goes_there.get_by_text(row.get_by_role("rowheader").inner_text()).first).to_be_visible()


def test_yearly_prices_are_one_click_away(watch: Watch) -> None:
    page = watch.signed_in(NORA).opens(f"{LARKFIELD}/plan")
    goes(page, f"{LARKFIELD}/plan?interval=year")
    expect(page.get_by_text("per year").first).to_be_visible()
    expect(page.get_by_role("button", name="Pay by the year")).to_be_visible()
