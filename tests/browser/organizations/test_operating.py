"""An operator edits the catalogue and makes a gift card; a customer's pages show both."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.people import FELIX, LARKFIELD, OPERATOR, Watch


def write(page: Page, cell: str, text: str) -> None:
    """Types into a cell of the editor and leaves it."""
    field = page.get_by_label(cell, exact=True)
    field.fill(text)
    field.press("Tab")


def test_an_edit_is_looked_at_saved_seen_and_corrected(watch: Watch) -> None:
    customer = watch.signed_in(FELIX)
    shown = customer.opens(LARKFIELD)
    row = shown.locator(".meter-row", has_text="SMS")

    def included() -> int:
        balances = customer.asks("/organizations/larkfield-maps/balances")["items"]
        return next(each["allowance"] for each in balances if each["metric"] == "sms")

    before = included()
    page = watch.signed_in(OPERATOR).opens("/admin/catalogue")
    write(page, "SMS of Essential", "lots")
    expect(page.get_by_role("alert").first).to_contain_text("must be a whole number")
    expect(page.get_by_role("button", name="Review")).to_be_disabled()
    write(page, "SMS of Essential", str(before + 40))
    bar = page.get_by_role("region", name="Your edit")
    expect(bar).to_contain_text(re.compile(r"1 change.*organizations affected"))
    bar.get_by_role("button", name="Review").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Larkfield Maps")
    expect(dialog).to_contain_text("Marlow Letters")
    dialog.get_by_role("button", name=re.compile("Save as version")).click()
    expect(page.get_by_role("status")).to_contain_text("1 change.")
    expect(row).to_contain_text(f"{before + 40}")
    assert included() == before + 40

    write(page, "SMS of Essential", str(before))
    bar.get_by_role("button", name="Review").click()
    dialog.get_by_role("radio", name="As a correction").click()
    expect(dialog).to_contain_text("as if it had never held")
    dialog.get_by_role("button", name=re.compile("Save as version")).click()
    expect(page.get_by_role("status")).to_contain_text("1 change.")
    assert included() == before
    page.get_by_role("radio", name="History").click()
    expect(page.get_by_text("Corrected", exact=True)).to_be_visible()


def test_a_gift_card_is_made_and_redeemed(watch: Watch) -> None:
    page = watch.signed_in(OPERATOR).opens("/admin/gift-cards")
    page.get_by_role("button", name="Make gift cards").click()
    page.get_by_label("Name", exact=True).fill("Spring fair")
    page.get_by_label("SMS", exact=True).fill("25")
    page.get_by_role("button", name="Make and show the codes").click()
    code = page.locator(".codes li").first.inner_text()
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".codes")).to_have_count(0)
    assert code not in page.content()

    customer = watch.signed_in(FELIX).opens(f"{LARKFIELD}/credits?metric=sms")
    customer.get_by_role("button", name="Redeem gift card").click()
    customer.get_by_label("Code").fill("2222-3333-4444-5555")
    customer.get_by_role("button", name="Redeem", exact=True).click()
    expect(customer.get_by_role("alert")).to_contain_text("There is no gift card with this code.")
    customer.get_by_label("Code").fill(code.lower())
    customer.get_by_role("button", name="Redeem", exact=True).click()
    expect(customer.get_by_role("status")).to_contain_text("Spring fair: 25 SMS")
    customer.get_by_role("button", name="Done").click()
    expect(customer.get_by_role("table").last).to_contain_text("Spring fair")
    page.reload()
    expect(page.get_by_role("row", name=re.compile("Spring fair"))).to_contain_text("Used up")


def test_a_new_feature_is_named_given_to_a_plan_and_seen_by_a_customer(watch: Watch) -> None:
    page = watch.signed_in(OPERATOR).opens("/admin/catalogue")
    page.get_by_role("radio", name="Features").click()
    page.get_by_role("button", name="Add feature").click()
    write(page, "Id of newFeature", "exports")
    write(page, "Name of exports", "Exports")
    write(page, "Description of exports", "Take everything with you.")
    page.get_by_role("radio", name="Plans").click()
    page.get_by_label("Exports of Essential").click()
    bar = page.get_by_role("region", name="Your edit")
    expect(bar).to_contain_text(re.compile(r"2 changes.*organizations affected"))
    bar.get_by_role("button", name="Review").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("new feature")
    dialog.get_by_role("button", name=re.compile("Save as version")).click()
    expect(page.get_by_role("status")).to_contain_text("2 changes.")
    customer = watch.signed_in(FELIX).opens(f"{LARKFIELD}/features")
    expect(customer.get_by_role("main")).to_contain_text("Take everything with you.")


def test_whoever_has_something_wrong_comes_first_and_is_one_click_away(watch: Watch) -> None:
    page = watch.signed_in(OPERATOR).opens("/admin")
    rows = page.locator("table.organizations tbody tr")
    expect(rows.first).to_contain_text(re.compile("Blocked|Past due"))
    marlow = rows.filter(has_text="Marlow Letters")
    expect(marlow).to_contain_text(re.compile("Past due.*plan stays until"))
    marlow.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Marlow Letters")).to_be_visible()
    expect(page.locator(".head")).to_contain_text("Past due")
    page.get_by_role("link", name="Their audit log").click()
    expect(page.locator(".audit li").first).to_contain_text("in marlow-letters")
