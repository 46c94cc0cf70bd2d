"""A page whose live connection is refused or lost says so and why, and goes on by itself once it is back."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks.places import PLACES
from tests.browser.people import FELIX, JUNE, LARKFIELD, MARLOW, NORA, OPERATOR, Watch, arrives, goes

SAYS_WITHIN = 5
"""Seconds; the rest of what a test waits is a busy machine's."""
BUSY_MACHINE = 4
REFUSED = "The console refuses this page's live connection, or a proxy does not pass websockets. Trying again."

KINDS = {
    "overview": (FELIX, LARKFIELD),
    "a part that is paid for": PLACES["credits, kept by another"],
    "a form": (NORA, f"{LARKFIELD}/organization"),
    "not this role": (JUNE, f"{LARKFIELD}/ledger"),
    "not theirs": (JUNE, MARLOW),
    "operators": (OPERATOR, "/admin/organizations"),
    "founding": (NORA, "/new-organization"),
    "public": ("", "/sign-in"),
    "a link": ("", "/invitation?token=none"),
    "no page": ("", "/there/is/none"),
}
"""One of each kind of page: each has its own way to begin."""


CUTTING = """
    const ours = [];
    window.WebSocket = class extends WebSocket {
        constructor(address, ...more) {
            super(window.cut ? address.replace("/_event", "/not-there") : address, ...more);
            ours.push(this);
        }
    };
    window.breaks = () => { window.cut = true; for (const each of ours) each.close(); };
    window.mends = () => window.cut = false;
"""
"""What comes before the page's own scripts: a socket that no server takes up, or one that is lost."""


def says(page: Page, sentence: str) -> None:
    """The sentence is there, in time: after the page itself is, which a busy machine makes wait."""
    expect(page.locator("#connection")).to_be_attached()
    since = time.monotonic()
    expect(page.locator("#connection")).to_have_text(sentence)
    assert time.monotonic() - since < SAYS_WITHIN + BUSY_MACHINE


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_connection_is_said_on_every_kind_of_page(watch: Watch, kind: str) -> None:
    who, path = KINDS[kind]
    context = watch.signed_in(who).context if who else watch.browser()
    context.add_init_script(f"window.cut = true; {CUTTING}")
    page = context.new_page()
    page.goto(path)
    says(page, REFUSED)
    page.evaluate("mends()")
    expect(page.locator("#connection")).to_be_empty()
    arrives(page)


@pytest.mark.parametrize(
    ("who", "path", "field", "typed"),
    [
        (NORA, f"{LARKFIELD}/organization", "Description", "Maps for people who walk at night."),
        (NORA, f"{LARKFIELD}/processes/new", "Title", "The path of next year"),
        (NORA, "/new-organization", "Name", "Larkfield Atlas"),
        ("", "/sign-in", "E-mail", "somebody@example.org"),
    ],
)
def test_what_was_typed_outlives_a_lost_connection(watch: Watch, who: str, path: str, field: str, typed: str) -> None:
    context = watch.signed_in(who).context if who else watch.browser()
    context.add_init_script(CUTTING)
    page = context.new_page()
    goes(page, path)
    box = page.get_by_label(re.compile(f"^{field}"))
    box.fill(typed)
    page.evaluate("breaks()")
    says(page, REFUSED)
    expect(box).to_have_value(typed)
    box.press("End")
    box.press_sequentially("!")
    page.evaluate("mends()")
    expect(page.locator("#connection")).to_be_empty()
    arrives(page)
    page.wait_for_timeout(1_500)  # what comes back with the connection has come by now
    expect(box).to_have_value(f"{typed}!")


def test_a_page_goes_on_living_after_a_lost_connection(watch: Watch) -> None:
    felix = watch.signed_in(FELIX)
    felix.context.add_init_script(CUTTING)
    page = felix.opens(LARKFIELD)
    page.evaluate("breaks()")
    says(page, REFUSED)
    page.evaluate("mends()")
    expect(page.locator("#connection")).to_be_empty()
    page.get_by_role("radiogroup").get_by_role("radio", name="SMS", exact=True).click()
    expect(page.get_by_role("heading", level=2, name="SMS by month")).to_be_visible()


def test_a_connection_that_is_made_and_closed_unanswered_is_said_in_time(watch: Watch) -> None:
    felix = watch.signed_in(FELIX)
    felix.context.route_web_socket(re.compile("/_event"), lambda socket: socket.close())
    page = felix.context.new_page()
    page.goto(LARKFIELD)
    says(page, REFUSED)


def test_a_browser_that_is_offline_is_told_so(watch: Watch) -> None:
    page = watch.signed_in(NORA).opens(LARKFIELD)
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_contain_text("This device is offline")
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_be_empty()
