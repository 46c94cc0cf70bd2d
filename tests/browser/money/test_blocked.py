"""The organization whose storage is used up: what stopped, what still works, and what starts it again."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests import loopback
from tests.browser.money.shopping import PAYS, basket, comes_back, goes_to_payment, pays
from tests.browser.people import GRETA, LOTTE, PEBBLEBROOK, Watch, arrives, staying
from tests.browser.terminal import Usage, history, imports
from tests.support.console import Console

ADDRESS = "pebblebrook-archive"
GIGABYTE = 1_000_000_000
PRICE = re.compile(r"^Buy (\d+ [GT]B) for (US\$[\d.,]+)$")
ACTIONS = {
    "Uploads": "upload",
    "Downloads": "download",
    "Update checks": "update_check",
    "E-mail reminders": "email_reminder",
    "SMS notifications": "sms_notification",
}


def banner(page: Page) -> Locator:
    """What needs attention."""
    return page.get_by_role("region", name="What needs attention")


def strip(page: Page) -> Locator:
    """Which actions work."""
    return page.get_by_role("list", name="What works")


def test_the_banner_says_what_is_blocked_and_what_starts_it_again_at_which_price(watch: Watch) -> None:
    overview = watch.signed_in(GRETA).opens(PEBBLEBROOK)
    expect(banner(overview)).to_contain_text("Uploads are blocked: storage is used up")
    expect(banner(overview)).to_contain_text("as soon as you buy storage or delete some of it")
    first = overview.get_by_role("table", name="Metrics").get_by_role("row").nth(1)
    expect(first.get_by_role("rowheader")).to_contain_text("Storage")
    expect(first).to_contain_text("Blocked")
    expect(overview.get_by_role("heading", name="Storage by month")).to_be_visible()
    expect(overview.get_by_role("heading", name="What it takes")).to_be_visible()

    buy = banner(overview).get_by_role("link", name=PRICE)
    named = PRICE.match(buy.inner_text().replace("\N{NO-BREAK SPACE}", " "))
    assert named is not None
    buy.click()
    expect(basket(overview)).to_contain_text("storage")
    expect(basket(overview).locator(".total-figure")).to_have_text(named[2])
    expect(basket(overview)).to_contain_text("pay for what is already used")


def test_what_the_page_says_works_is_what_the_api_allows(watch: Watch, console: Console) -> None:
    overview = watch.signed_in(GRETA).opens(PEBBLEBROOK)
    key = console.billing("api-key", "create", ADDRESS, "--scope", "check").strip()
    shown = {each.locator("strong").inner_text(): each for each in strip(overview).get_by_role("listitem").all()}
    assert set(shown) == {"Uploads blocked", *ACTIONS} - {"Uploads"}
    for name, item in shown.items():
        answer = loopback.post(
            f"{console.url}/api/v1/organizations/{ADDRESS}/check",
            json={"action": ACTIONS[name.removesuffix(" blocked")]},
            headers={"Authorization": f"Bearer {key}"},
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["allowed"] is not name.endswith(" blocked")
        expect(item).to_contain_text("needs storage" if name.endswith(" blocked") else "works, ")


def test_the_dot_in_the_frame_says_blocked_on_every_page(watch: Watch) -> None:
    credits = watch.signed_in(LOTTE).opens(f"{PEBBLEBROOK}/credits")
    expect(credits.get_by_role("link", name="Overview blocked")).to_be_visible()


def test_buying_starts_it_again_on_open_pages_and_too_much_stops_it_again(
    watch: Watch, console: Console, tmp_path: Path
) -> None:
    overview = watch.signed_in(LOTTE).opens(PEBBLEBROOK)
    expect(strip(overview)).to_contain_text("Uploads blocked")
    greta = watch.signed_in(GRETA)
    balances = greta.asks(f"/organizations/{ADDRESS}/balances")["items"]
    lacking = next(each["deficit"] for each in balances if each["metric"] == "storage")
    packs = lacking // (50 * GIGABYTE) + 1  # one late in a month; when it has just begun all that is held lacks
    shop = greta.opens(f"{PEBBLEBROOK}/credits/buy?metric=storage&basket=storage-50gb:{packs}")
    expect(basket(shop)).to_contain_text("50 GB storage")
    goes_to_payment(shop)
    try:
        with staying(overview):
            pays(shop, PAYS)
            comes_back(shop)
            expect(strip(overview)).to_have_count(0)
        expect(overview.get_by_text("Blocked", exact=True)).to_have_count(0)
        expect(overview.get_by_role("link", name="Overview", exact=True)).to_be_visible()
    finally:
        month = history(console, ADDRESS)["storage"][-1]
        too_much = month["allowance"] + month["burned"] + month["balance"] + 5 * GIGABYTE
        imports(console, tmp_path, Usage(ADDRESS, "storage", too_much))
    expect(strip(overview)).to_contain_text("Uploads blocked")
    arrives(shop)
