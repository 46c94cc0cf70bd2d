"""A monthly pack is bought, seen renewing and cancelled; an auto top-up is turned on with a card that is saved."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.money.shopping import HOSTED, PAYS, basket, comes_back, goes_to_payment, puts_into_basket
from tests.browser.people import GRETA, PEBBLEBROOK, Watch, arrives


def fills_in(page: Page, number: str, button: str) -> None:
    """The hosted page's form, whatever its button says."""
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry").fill("12 / 40")
    page.get_by_label("CVC").fill("123")
    page.get_by_label("Name on card").fill("Greta Lind")
    page.get_by_role("button", name=re.compile(button)).click()


def test_a_monthly_pack_renews_until_it_is_cancelled_and_can_be_taken_back(watch: Watch) -> None:
    greta = watch.signed_in(GRETA)
    shop = greta.opens(f"{PEBBLEBROOK}/credits/buy?metric=sms&kind=month")
    puts_into_basket(shop, "500 SMS")
    shop.get_by_role("radio", name="One-time").click()
    puts_into_basket(shop, "100 SMS")
    expect(basket(shop)).to_contain_text("Today, before tax")
    expect(basket(shop)).to_contain_text("then US$27.00 every month")
    goes_to_payment(shop)
    fills_in(shop, PAYS, "^(Pay|Subscribe)")
    comes_back(shop)
    credits = greta.opens(f"{PEBBLEBROOK}/credits?metric=sms")
    row = credits.get_by_role("listitem").filter(has_text="US$27.00 a month")
    expect(row).to_contain_text("Renews")
    row.get_by_role("button", name=re.compile("^Cancel")).click()
    dialog = credits.get_by_role("alertdialog")
    expect(dialog).to_contain_text("every credit is yours until its own end")
    dialog.get_by_role("button", name="Stop renewing").click()
    expect(row).to_contain_text("Ends")
    row.get_by_role("button", name=re.compile("^Keep")).click()
    expect(row).to_contain_text("Renews")


def test_auto_top_up_is_turned_on_with_consent_and_a_saved_card(watch: Watch) -> None:
    greta = watch.signed_in(GRETA)
    page = greta.opens(f"{PEBBLEBROOK}/credits?metric=emails")
    page.get_by_role("switch", name=re.compile("Auto top-up")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("When credits fall to").fill("5,000")
    dialog.get_by_label("At most, per calendar month").fill("1")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Save a card and turn on").click()
    expect(dialog.get_by_role("alert")).to_contain_text("smaller than one purchase")
    dialog.get_by_label("At most, per calendar month").fill("200")
    dialog.get_by_role("button", name="Save a card and turn on").click()
    page.wait_for_url(HOSTED)
    fills_in(page, PAYS, "^(Save|Set)")
    page.wait_for_url("**/credits?*")
    arrives(page)
    panel = page.get_by_role("region", name=re.compile("Auto top-up"))
    expect(panel).to_contain_text("with Visa 4242.")
    expect(panel).to_contain_text("credits fall to 5,000")
    expect(panel.get_by_role("switch")).to_be_checked()
    panel.get_by_role("switch").click()
    expect(panel.get_by_role("switch")).not_to_be_checked()
