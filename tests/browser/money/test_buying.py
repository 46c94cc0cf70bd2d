"""Buying packs: paid once, declined, given up; and the balance changes by itself wherever it is on screen."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.money.shopping import (
    DECLINED,
    HOSTED,
    PAYS,
    basket,
    comes_back,
    credits_left,
    goes_to_payment,
    grants,
    hero,
    pays,
    puts_into_basket,
)
from tests.browser.people import FELIX, LARKFIELD, MARLOW, NORA, THEO, Watch, arrives, goes, staying

BUY = f"{LARKFIELD}/credits/buy?metric=mau"


def test_a_paid_pack_raises_the_balance_on_open_pages_by_itself_and_is_granted_once(watch: Watch) -> None:
    felix, nora = watch.signed_in(FELIX), watch.signed_in(NORA)
    credits = felix.opens(f"{LARKFIELD}/credits?metric=mau")
    overview = nora.opens(LARKFIELD)
    ledger = nora.opens(f"{LARKFIELD}/ledger")
    before, had = credits_left(felix, "larkfield-maps", "mau"), grants(felix, "larkfield-maps")
    expect(hero(credits)).to_have_text(f"{before:,}")

    shop = felix.opens(BUY)
    puts_into_basket(shop, "10,000 MAU")
    expect(basket(shop)).to_contain_text("US$14.00")
    goes_to_payment(shop)
    expect(shop.get_by_role("region", name="Order")).to_contain_text("$14.00")
    with staying(credits), staying(overview), staying(ledger):
        pays(shop, PAYS)
        comes_back(shop)
        after = f"{before + 10_000:,}"
        expect(hero(credits)).to_have_text(after)
        expect(overview.get_by_role("row", name="MAU unique devices")).to_contain_text(after)
        bought = ledger.get_by_role("row").filter(has_text="10,000 pack").filter(has_text="+10,000").first
        expect(bought).to_contain_text("+10,000")
    expect(shop.get_by_role("status")).to_contain_text(f"{after} left now")
    expect(shop.get_by_role("status").get_by_role("listitem")).to_have_count(1)

    shop.reload()
    comes_back(shop)
    new = grants(felix, "larkfield-maps")
    assert len(new) == len(had) + 1
    assert sum(one["quantity"] for one in new) == sum(one["quantity"] for one in had) + 10_000
    assert credits_left(felix, "larkfield-maps", "mau") == before + 10_000


def test_a_paid_basket_is_empty_afterwards_and_its_payment_page_says_that_it_is_paid(watch: Watch) -> None:
    felix = watch.signed_in(FELIX)
    shop = felix.opens(BUY)
    puts_into_basket(shop, "100 MAU")
    puts_into_basket(shop, "100 SMS")
    expect(basket(shop)).to_contain_text("2 packs")
    goes_to_payment(shop)
    hosted = shop.url
    pays(shop, PAYS)
    comes_back(shop)
    expect(shop.get_by_role("status").get_by_role("listitem")).to_have_count(2)

    shop.goto(hosted)
    expect(shop.get_by_text("This is paid. Nothing more to do here.")).to_be_visible()
    goes(shop, BUY)
    expect(basket(shop)).to_contain_text("Nothing in it yet")


def test_a_declined_card_says_so_and_grants_nothing(watch: Watch) -> None:
    felix = watch.signed_in(FELIX)
    before, had = credits_left(felix, "larkfield-maps", "mau"), grants(felix, "larkfield-maps")
    shop = felix.opens(BUY)
    puts_into_basket(shop, "10,000 MAU")
    goes_to_payment(shop)
    pays(shop, DECLINED)
    expect(shop.get_by_role("alert")).to_contain_text("declined")
    expect(shop).to_have_url(HOSTED)
    assert grants(felix, "larkfield-maps") == had
    assert credits_left(felix, "larkfield-maps", "mau") == before

    # Another card may be tried on the same page, and is granted once.
    pays(shop, PAYS)
    comes_back(shop)
    assert credits_left(felix, "larkfield-maps", "mau") == before + 10_000
    assert len(grants(felix, "larkfield-maps")) == len(had) + 1


def test_giving_up_leads_back_to_the_basket(watch: Watch) -> None:
    felix = watch.signed_in(FELIX)
    had = grants(felix, "larkfield-maps")
    shop = felix.opens(BUY)
    puts_into_basket(shop, "10,000 MAU")
    goes_to_payment(shop)
    shop.get_by_role("link", name="Back").click()
    shop.wait_for_url(re.compile(r"/credits/buy\?cancelled=1"))
    arrives(shop)
    expect(shop.get_by_role("status").filter(has_text="Nothing was paid.")).to_be_visible()
    expect(basket(shop)).to_contain_text("10,000 MAU")
    expect(basket(shop)).to_contain_text("US$14.00")
    assert grants(felix, "larkfield-maps") == had


def test_the_calculators_set_goes_into_the_basket_and_the_chart_shows_what_it_does(watch: Watch) -> None:
    shop = watch.signed_in(THEO).opens(f"{MARLOW}/credits/buy?metric=emails")
    shop.get_by_role("radiogroup", name="Cover emails until").get_by_role("radio").last.click()
    offer = shop.locator(".offer strong")
    expect(offer).to_contain_text("×")
    shop.get_by_role("button", name="Put into the basket").click()
    expect(shop.get_by_role("status").filter(has_text="In your basket")).to_be_visible()
    expect(basket(shop).get_by_role("listitem").first).to_contain_text("emails")
    expect(shop.get_by_role("img", name=re.compile("With the basket: "))).to_be_visible()
