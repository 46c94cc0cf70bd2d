"""What holds on every page: nothing serious for axe in light and dark, and nothing to scroll sideways on a phone."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, TimeoutError, expect

from tests.browser.people import JUNE, PHONE, Watch, arrives, goes, heading
from tests.browser.places import PLACES

SEVERE = ("serious", "critical")
NOT_WIDER = "width => document.scrollingElement.scrollWidth <= width"
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
    .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
    .map(each => `${each.tagName}.${each.getAttribute('class')}`).slice(0, 8)"""


def severe(page: Page) -> list[str]:
    """What axe finds serious or critical, with where."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{each['id']}: {each['help']} at {[node['target'] for node in each['nodes']]}"
        for each in found
        if each["impact"] in SEVERE
    ]


def fits(page: Page) -> None:
    """The page is no wider than a phone, as soon as its charts have taken their new size."""
    try:
        page.wait_for_function(
            "width => document.scrollingElement.scrollWidth <= width", arg=PHONE["viewport"]["width"]
        )
    except TimeoutError:
        pytest.fail(f"the page scrolls sideways: {page.evaluate(TOO_WIDE)}")


def test_axe_would_find_something(watch: Watch) -> None:
    page = watch.browser().new_page()
    goes(page, "/sign-in")
    page.evaluate("document.querySelector('h1').style.color = '#ddd'")
    page.evaluate(
        "document.querySelector('[name=email]').closest('label').replaceWith(document.createElement('input'))"
    )
    assert {each.partition(":")[0] for each in severe(page)} == {"color-contrast", "label"}


def test_a_page_that_is_not_what_the_server_sent_would_be_noticed(watch: Watch) -> None:
    page = watch.browser().new_page()
    held: list[Route] = []
    free: list[bool] = []
    page.route("**/assets/*.js", lambda route: route.continue_() if free else held.append(route))
    page.goto("/sign-in", wait_until="commit")
    page.locator("[name=email]").evaluate("each => each.closest('label').replaceWith(document.createElement('input'))")
    free.append(True)
    for route in held:
        route.continue_()
    arrives(page)
    assert "#418" in watch.wrong.pop()


def test_where_there_is_no_page_a_page_says_so_and_leads_back(watch: Watch) -> None:
    page = watch.signed_in(JUNE).context.new_page()
    answer = page.goto("/o/larkfield-maps/nothing")
    assert answer is not None
    assert answer.status == 404
    expect(heading(page, "There is nothing here")).to_be_visible()
    page.get_by_role("link", name="Go to my organization").click()
    expect(heading(page, "Overview")).to_be_visible()


@pytest.mark.parametrize("place", PLACES)
def test_every_page_is_for_everybody_and_fits_a_phone(watch: Watch, place: str) -> None:
    who, path = PLACES[place]
    context = watch.signed_in(who, color_scheme="light").context if who else watch.browser(color_scheme="light")
    page = context.new_page()
    goes(page, path)
    assert severe(page) == []
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))
    arrives(page)
    assert severe(page) == []
    page.set_viewport_size(PHONE["viewport"])
    fits(page)


@pytest.mark.parametrize("place", ["overview, blocked", "credits", "buy", "ledger", "sign in"])
def test_a_phones_buttons_and_words_are_for_everybody_too(watch: Watch, place: str) -> None:
    who, path = PLACES[place]
    context = watch.signed_in(who, **PHONE).context if who else watch.browser(**PHONE)
    page = context.new_page()
    goes(page, path)
    fits(page)
    assert severe(page) == []
