"""What people do to buy: fill a basket, pay on the hosted page, and look at what they have."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.people import Person, arrives

HOSTED = re.compile(r"/_sandbox/checkout/cs_")
PAYS = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"


def basket(page: Page) -> Locator:
    """The basket beside the packs."""
    return page.get_by_role("region", name="Basket")


def puts_into_basket(page: Page, pack: str) -> None:
    """Presses the plus of a pack, such as "10,000 MAU"."""
    page.get_by_role("button", name=f"One more of {pack}", exact=True).click()
    expect(page.get_by_label(f"{pack} in the basket", exact=True)).not_to_have_text("0")


def goes_to_payment(page: Page) -> None:
    """From the basket to the hosted payment page."""
    basket(page).get_by_role("button", name="Continue to payment").click()
    page.wait_for_url(HOSTED)


def pays(page: Page, number: str) -> None:
    """Fills the hosted page's form and sends it."""
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry").fill("12 / 40")
    page.get_by_label("CVC").fill("123")
    page.get_by_label("Name on card").fill("Felix Abara")
    page.get_by_role("button", name=re.compile("^Pay ")).click()


def comes_back(page: Page) -> None:
    """Sees that it is paid."""
    page.wait_for_url("**/credits/bought?*")
    arrives(page)
    expect(page.get_by_role("heading", name="Paid, and added to your credits")).to_be_visible()


def grants(person: Person, address: str) -> list[dict]:
    """The organization's grants, as the API tells."""
    return person.asks(f"/organizations/{address}/grants")["items"]


def credits_left(person: Person, address: str, metric: str) -> int:
    """A metric's credits, as the API tells."""
    items = person.asks(f"/organizations/{address}/balances")["items"]
    return next(one["credits"] for one in items if one["metric"] == metric)


def hero(page: Page) -> Locator:
    """The one figure of the credits page."""
    return page.locator(".figure.hero")
