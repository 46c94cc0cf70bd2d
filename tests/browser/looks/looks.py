"""What holds on every page: nothing serious for axe in light and dark, and at every width nothing scrolls sideways,
nothing lies over anything, nothing is cut, and every link and button is hit at its middle.

The pages are looked at in several files, so that several processes can.
"""

from __future__ import annotations

import re

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.browser.looks.geometry import WIDTHS, resized, settled, wrong_when
from tests.browser.people import Watch, arrives, goes

SEVERE = ("serious", "critical")

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


def at_every_width(page: Page, widths: tuple[int, ...] = WIDTHS) -> dict[str, list[int]]:
    """What is wrong with the page, and at which widths; the page is not loaded again, as when a window is drawn."""
    found: dict[str, list[int]] = {}
    for width in widths:
        for sentence in wrong_when(page, width):
            found.setdefault(sentence, []).append(width)
    return found


def looks_right(watch: Watch, place: tuple[str, str]) -> None:
    """One page as somebody sees it: for axe and at every width, light and dark, closed and opened."""
    who, path = place
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
