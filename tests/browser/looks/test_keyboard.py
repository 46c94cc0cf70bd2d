"""Everything by keyboard alone, in light and dark."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from billing_app.demo.people import PASSWORD
from tests.browser.money.shopping import HOSTED, basket
from tests.browser.people import FELIX, LARKFIELD, NORA, Watch, arrives

MOST_STOPS = 120
"""More presses of Tab than any of our pages has stops."""

FOCUSED = """() => {
    const here = document.activeElement;
    const labels = here.labels ? [...here.labels].map(label => label.innerText) : [];
    return (here.getAttribute("aria-label") || labels.join(" ") || here.innerText || "").trim();
}"""


def test_a_chosen_appearance_stays_and_the_charts_follow(watch: Watch) -> None:
    page = watch.signed_in(NORA, color_scheme="light").opens(LARKFIELD)
    ticks = page.locator(".js-plotly-plot .xtick text").first
    light = ticks.evaluate("text => getComputedStyle(text).fill")
    page.get_by_role("button", name="Switch between light and dark").locator("visible=true").click()
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))
    expect(ticks).not_to_have_css("fill", light)
    page.reload()
    arrives(page)
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))
    expect(ticks).not_to_have_css("fill", light)


def tabs_to(page: Page, name: str) -> None:
    """Presses Tab until something of this name has the focus, which must be seen to have it."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == name:
            break
    else:
        pytest.fail(f"no press of Tab came to {name!r}")
    ring = page.evaluate("() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle }")
    assert ring != "none", f"the focus on {name!r} cannot be seen"


def test_signing_in_and_filling_the_basket_takes_only_a_keyboard(watch: Watch) -> None:
    page = watch.browser().new_page()
    page.goto(f"{LARKFIELD}/credits/buy?metric=mau")
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.keyboard.type(FELIX)
    tabs_to(page, "Password")
    page.keyboard.type(PASSWORD)
    tabs_to(page, "Sign in")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{LARKFIELD}/credits/buy?metric=mau")
    arrives(page)
    tabs_to(page, "One more of 10,000 MAU")
    page.keyboard.press("Space")
    expect(basket(page)).to_contain_text("10,000 MAU")
    page.keyboard.press("Enter")
    expect(basket(page)).to_contain_text("2 × 10,000 MAU")
    tabs_to(page, "Continue to payment")
    page.keyboard.press("Enter")
    page.wait_for_url(HOSTED)


def test_the_skip_link_skips(watch: Watch) -> None:
    page = watch.signed_in(NORA).opens(LARKFIELD)
    tabs_to(page, "Skip to content")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.querySelector('main').contains(document.activeElement)")


def test_the_switcher_leads_to_another_organization_by_keyboard(watch: Watch) -> None:
    page = watch.signed_in(NORA).opens(LARKFIELD)
    tabs_to(page, "Organization Larkfield Maps, Essential plan. Switch organization")
    page.keyboard.press("Enter")
    marlow = page.get_by_role("menuitem", name=re.compile("Marlow Letters"))
    # A menu hears the keyboard once it has the focus, which comes a moment after it is seen.
    expect(page.get_by_role("menuitem").first).to_be_focused()
    for _ in range(page.get_by_role("menuitem").count()):
        before = page.evaluate(FOCUSED)
        page.keyboard.press("ArrowDown")
        page.wait_for_function(f"before => ({FOCUSED})() !== before", arg=before)  # the focus follows the key
        if "Marlow Letters" in page.evaluate(FOCUSED):
            break
    expect(marlow).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/o/marlow-letters")
    arrives(page)
    expect(page.get_by_role("table", name="Metrics")).to_be_visible()
