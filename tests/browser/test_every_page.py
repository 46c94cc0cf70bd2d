"""What holds on every page: nothing serious for axe in light and dark, and at every width nothing scrolls sideways,
nothing lies over anything, nothing is cut, and every link and button is hit at its middle."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, Route, TimeoutError, expect

from tests.browser.geometry import WIDTHS, resized, settled, wrong_at, wrong_when
from tests.browser.people import JUNE, LARKFIELD, NORA, PHONE, Watch, arrives, goes, heading
from tests.browser.places import PLACES

SEVERE = ("serious", "critical")
NOT_WIDER = "width => document.scrollingElement.scrollWidth <= width"
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
    .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
    .map(each => `${each.tagName}.${each.getAttribute('class')}`).slice(0, 8)"""


PUT_OVER_EACH_OTHER = """() => {
    const [title, words] = ["h1", "dt"].map(each => document.querySelector(`main ${each}`).getBoundingClientRect());
    document.querySelector("h1").style.transform =
        `translate(${words.left - title.left}px, ${words.top - title.top - 4}px)`;
}"""


OF_COLOURS = ("color-contrast", "link-in-text-block")
"""What axe asks that appearance can change; the rest is the same page, and was asked already."""


def severe(page: Page, only: tuple[str, ...] = ()) -> list[str]:
    """What axe finds serious or critical, with where."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(only)} if only else {})
    found = page.evaluate("options => axe.run(options).then(each => each.violations)", options)
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


def at_every_width(page: Page, widths: tuple[int, ...] = WIDTHS) -> dict[str, list[int]]:
    """What is wrong with the page, and at which widths; the page is not loaded again, as when a window is drawn."""
    found: dict[str, list[int]] = {}
    for width in widths:
        for sentence in wrong_when(page, width):
            found.setdefault(sentence, []).append(width)
    return found


def test_the_ruler_would_find_something(watch: Watch) -> None:
    page = watch.signed_in(NORA).opens(f"{LARKFIELD}/processes")
    assert wrong_at(page) == []
    page.evaluate(PUT_OVER_EACH_OTHER)
    assert any(each.startswith("words over each other") for each in wrong_at(page))
    page.evaluate("document.querySelector('h1').style.transform = ''")
    page.evaluate("document.querySelector('h1').style.minWidth = '3000px'")
    assert "the page scrolls sideways" in "".join(wrong_at(page))
    page.evaluate("document.querySelector('h1').style.minWidth = ''")
    page.evaluate("for (const row of document.querySelectorAll('tr')) row.style.position = 'static'")
    assert any("is under a.cover" in each for each in wrong_at(page))


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
def test_every_page_is_for_everybody_and_fits_every_screen(watch: Watch, place: str) -> None:
    who, path = PLACES[place]
    context = watch.signed_in(who, color_scheme="light").context if who else watch.browser(color_scheme="light")
    page = context.new_page()
    goes(page, path)
    assert severe(page) == []
    assert at_every_width(page) == {}
    resized(page, 1280)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))
    arrives(page)
    assert severe(page, OF_COLOURS) == []
    for more in page.locator("details:not([open]) > summary:visible").all():
        more.click()
    settled(page)
    assert at_every_width(page) == {}


@pytest.mark.parametrize("place", ["overview, blocked", "credits", "buy", "ledger", "sign in"])
def test_a_phones_buttons_and_words_are_for_everybody_too(watch: Watch, place: str) -> None:
    who, path = PLACES[place]
    context = watch.signed_in(who, **PHONE).context if who else watch.browser(**PHONE)
    page = context.new_page()
    goes(page, path)
    fits(page)
    assert severe(page) == []
