"""What is asked of every page would find something; and phones, and pages that are not there."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, TimeoutError, expect

from tests.browser.looks.geometry import wrong_at
from tests.browser.looks.looks import severe
from tests.browser.looks.places import PLACES
from tests.browser.people import JUNE, LARKFIELD, NORA, PHONE, Watch, arrives, goes, heading

NOT_WIDER = "width => document.scrollingElement.scrollWidth <= width"
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
    .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
    .map(each => `${each.tagName}.${each.getAttribute('class')}`).slice(0, 8)"""


PUT_OVER_EACH_OTHER = """() => {
    const [title, words] = ["h1", "dt"].map(each => document.querySelector(`main ${each}`).getBoundingClientRect());
    document.querySelector("h1").style.transform =
        `translate(${words.left - title.left}px, ${words.top - title.top - 4}px)`;
}"""


def fits(page: Page) -> None:
    """The page is no wider than a phone, as soon as its charts have taken their new size."""
    try:
        page.wait_for_function(NOT_WIDER, arg=PHONE["viewport"]["width"])
    except TimeoutError:
        pytest.fail(f"the page scrolls sideways: {page.evaluate(TOO_WIDE)}")


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


@pytest.mark.parametrize("place", ["overview, blocked", "credits", "buy", "ledger", "sign in"])
def test_a_phones_buttons_and_words_are_for_everybody_too(watch: Watch, place: str) -> None:
    who, path = PLACES[place]
    context = watch.signed_in(who, **PHONE).context if who else watch.browser(**PHONE)
    page = context.new_page()
    goes(page, path)
    fits(page)
    assert severe(page) == []
