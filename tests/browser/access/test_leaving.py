"""Whoever leaves a tab leaves nothing in it: not in what the server sends next, and not on the screen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import loopback
from tests.browser.looks.places import PLACES
from tests.browser.people import (
    GRETA,
    LARKFIELD,
    LOTTE,
    NORA,
    OPERATOR,
    PEBBLEBROOK,
    THEO,
    Person,
    Watch,
    arrives,
    goes,
    signs_in,
)

SIGN_IN = re.compile(r"/sign-in/?(\?|$)")
TELLING = 8
"""Shorter texts are figures, words of the page and the like, which anybody's page may have."""
TOO_LATE_MS = 5_000
"""An ended session is noticed within a second; the rest is a busy machine's."""


class Heard:
    """What the websockets of a tab have received."""

    def __init__(self, page: Page) -> None:
        """Listens from now on."""
        self.frames: list[str] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: self.frames.append(str(frame))))

    def texts(self) -> set[str]:
        """Every text in them that could tell something."""
        return {text for frame in self.frames for text in _texts(_parsed(frame)) if len(text) >= TELLING}


def _parsed(frame: str) -> Any:
    start = min((place for place in (frame.find("["), frame.find("{")) if place >= 0), default=-1)
    try:
        return json.loads(frame[start:]) if start >= 0 else None
    except ValueError:
        return frame


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(below)


def places_of(person: str) -> list[str]:
    """The pages that somebody looks at."""
    return [path for who, path in PLACES.values() if who == person]


def walked(watch: Watch, email: str) -> tuple[Person, Page, set[str]]:
    """Somebody who has seen all their pages in one tab, and what they were told there."""
    person = watch.signed_in(email)
    page = person.context.new_page()
    heard = Heard(page)
    for path in places_of(email):
        page.goto(path)
        expect(page.locator("[aria-busy]")).to_have_count(0)
        expect(page.get_by_role("heading").first).to_be_visible()
    return person, page, heard.texts()


SCRIPTS = "() => performance.getEntriesByType('resource').map(each => each.name).filter(each => each.endsWith('.js'))"


@dataclass(frozen=True)
class Allowed:
    """What anybody may be told again: what the next person is told anyway, and the words that pages begin with.

    Those are in the scripts that everybody is given. Reflex sends them once more when a page connects a second time.
    """

    texts: set[str]
    scripts: str

    def __contains__(self, text: str) -> bool:
        """Whether it tells nothing."""
        written = json.dumps(text, ensure_ascii=False)[1:-1]
        return text in self.texts or any(f"{quote}{written}{quote}" in self.scripts for quote in "\"'`")


def said_to_anybody(watch: Watch, email: str, path: str) -> Allowed:
    """What somebody hears in a tab that nobody had before: the page's own words, and their own data."""
    context = watch.browser()
    page = context.new_page()
    heard = Heard(page)
    page.goto(f"/sign-in?next={path}")
    expect(page.get_by_role("button", name="Sign in")).to_be_enabled()
    scripts = page.evaluate(SCRIPTS)
    signs_in(page, email)
    page.wait_for_url(f"**{path}")
    arrives(page)
    scripts += page.evaluate(SCRIPTS)
    return Allowed(heard.texts(), "\n".join(context.request.get(each).text() for each in {*scripts}))


def told_again(before: set[str], since: Heard, allowed: Allowed) -> set[str]:
    """What of the former person's was sent once more. The address that the tab is at is the browser's own."""
    left = {text for text in before & since.texts() if text not in allowed}
    return {text for text in left if not re.fullmatch(r"(http://127\.0\.0\.1:\d+)?/[^ ]*|Mozilla.*|[\w-]{36}", text)}


@pytest.mark.parametrize(
    ("leaves", "comes", "home"),
    [
        (NORA, GRETA, PEBBLEBROOK),  # settings, processes, a part, what is not for her
        (THEO, GRETA, PEBBLEBROOK),  # figures, credits, purchases, the plan
        (OPERATOR, LOTTE, PEBBLEBROOK),  # operators' pages
    ],
)
@pytest.mark.parametrize("way", ["button", "elsewhere"])
def test_the_next_person_in_a_tab_is_told_nothing_of_the_last(
    watch: Watch, leaves: str, comes: str, home: str, way: str
) -> None:
    allowed = said_to_anybody(watch, comes, home)
    person, page, before = walked(watch, leaves)
    since = Heard(page)
    if way == "button":
        page.get_by_role("button", name="Sign out").first.click()
    else:
        ends_elsewhere(watch, person)
    page.wait_for_url(SIGN_IN)
    expect(page.get_by_role("button", name="Sign in")).to_be_enabled()
    assert told_again(before, since, allowed) == set()

    if way == "button":
        page.goto(f"/sign-in?next={home}")
        signs_in(page, comes)
        page.wait_for_url(f"**{home}")
    else:
        takes_the_cookie_of(watch, page, comes)
        page.goto(home)
    arrives(page)
    assert told_again(before, since, allowed) == set()


def ends_elsewhere(watch: Watch, person: Person) -> None:
    """The session ends by another program's request; the browser keeps its cookie and hears nothing of it."""
    ours = {str(cookie.get("name")): str(cookie.get("value")) for cookie in person.context.cookies()}
    url = watch.console.url
    answer = loopback.post(f"{url}/api/v1/sign-out", cookies=ours, headers={"Origin": url})
    assert answer.status_code == 303


def takes_the_cookie_of(watch: Watch, page: Page, email: str) -> None:
    """Another person is signed in at this browser without any form."""
    brought: Any = watch.signed_in(email).context.cookies()
    page.context.add_cookies(brought)


def test_the_secret_of_a_key_and_its_dialog_do_not_come_back(watch: Watch) -> None:
    nora = watch.signed_in(NORA)
    page = nora.context.new_page()
    goes(page, f"{LARKFIELD}/organization?tab=keys")
    secret = makes_a_key(page)
    heard = Heard(page)
    ends_elsewhere(watch, nora)
    page.wait_for_url(SIGN_IN, timeout=TOO_LATE_MS)
    expect(page.get_by_role("dialog")).to_have_count(0)

    takes_the_cookie_of(watch, page, NORA)
    goes(page, f"{LARKFIELD}/organization?tab=keys")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert secret not in "".join([*heard.frames, page.content()])


def test_another_organization_in_the_address_begins_with_nothing(watch: Watch) -> None:
    nora = watch.signed_in(NORA)
    page = nora.context.new_page()
    goes(page, f"{LARKFIELD}/organization?tab=keys")
    secret = makes_a_key(page)
    heard = Heard(page)
    goes(page, PEBBLEBROOK)
    goes(page, f"{LARKFIELD}/organization?tab=keys")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert secret not in "".join([*heard.frames, page.content()])


def makes_a_key(page: Page) -> str:
    """Makes an API key and leaves the dialog open that shows it."""
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Left open")
    dialog.get_by_role("checkbox").first.check()
    dialog.get_by_role("button", name=re.compile("Create|Make")).click()
    shown = dialog.get_by_label("Key")
    expect(shown).to_have_value(re.compile("^bk_live_"))
    return shown.input_value()
