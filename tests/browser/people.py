"""People of the demo with tabs of their own, and what they do on every page."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from billing_app.demo.people import PASSWORD
from billing_app.services.access.cookies import NAME
from tests.support.console import Console
from tests.support.patience import PATIENCE_SECONDS

NORA = "nora@larkfield.example"
"""Admin of Larkfield Maps, pays for Marlow Letters, member of Pebblebrook Archive."""
FELIX = "felix@larkfield.example"
"""Pays for Larkfield Maps."""
JUNE = "june@larkfield.example"
"""Member of Larkfield Maps, and of nothing else."""
THEO = "theo@marlow.example"
"""Admin of Marlow Letters."""
GRETA = "greta@pebblebrook.example"
"""Admin of Pebblebrook Archive."""
LOTTE = "lotte@pebblebrook.example"
"""Member of Pebblebrook Archive."""

OPERATOR = "operator@console.example"
"""Runs the console, and belongs to no organization."""

LARKFIELD = "/o/larkfield-maps"
MARLOW = "/o/marlow-letters"
PEBBLEBROOK = "/o/pebblebrook-archive"
TRAILS = "/o/larkfield-trails"
"""A part of Larkfield Maps, which pays for it."""

SCREEN = {"width": 1280, "height": 800}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
PATIENCE_MS = int(PATIENCE_SECONDS * 1_000)
POLICY = "Content Security Policy"
"""What Chromium calls it in its console."""


@dataclass
class Watch:
    """Tabs of a test, and what went wrong in any of them without anybody looking."""

    console: Console
    chromium: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def browser(self, **options: Any) -> BrowserContext:
        """A browser with cookies of its own.

        No script may fail in it, no page violate its Content-Security-Policy, and no other host be asked for anything.
        """
        settings: dict[str, Any] = {"viewport": SCREEN, "locale": "en-GB", "timezone_id": "UTC"}
        context = self.chromium.new_context(base_url=self.console.url, **(settings | options))
        context.set_default_timeout(PATIENCE_MS)
        context.on("weberror", lambda error: self.wrong.append(f"script error: {error.error}"))
        context.on("request", self._own_host)
        context.on("console", self._policy_kept)
        self.contexts.append(context)
        return context

    def signed_in(self, email: str, **options: Any) -> Person:
        """Somebody who has signed in already."""
        context = self.browser(**options)
        token = self.console.session_of(email)
        context.add_cookies([{"name": NAME, "value": token, "url": self.console.url, "httpOnly": True}])
        return Person(context)

    def pages(self) -> list[Page]:
        """Every open tab."""
        return [page for context in self.contexts for page in context.pages]

    def _policy_kept(self, message: ConsoleMessage) -> None:
        """Chromium says every violation in its console: what was refused, and which directive refused it."""
        if POLICY in message.text:
            self.wrong.append(f"violates its policy: {message.text}")

    def _own_host(self, request: Request) -> None:
        asked = urlsplit(request.url)
        if asked.scheme.startswith("http") and asked.netloc != urlsplit(self.console.url).netloc:
            self.wrong.append(f"asked another host: {request.url}")


@dataclass(frozen=True)
class Person:
    """Somebody at a browser of their own."""

    context: BrowserContext

    def opens(self, path: str) -> Page:
        """Opens a page in a new tab and sees it whole."""
        page = self.context.new_page()
        goes(page, path)
        return page

    def asks(self, path: str) -> Any:
        """What the API answers this person, as JSON."""
        answer = self.context.request.get(f"/api/v1{path}")
        assert answer.status == 200, answer.text()
        return answer.json()


def goes(page: Page, path: str) -> None:
    """Goes to a page by its address."""
    page.goto(path)
    arrives(page)


ALIVE = "() => window.__reflex !== undefined"
"""Reflex sets it once React has taken over what the server sent."""


def arrives(page: Page) -> None:
    """Waits until a page is alive and shows itself instead of its skeleton, charts included.

    Pages of the entrance are whole in what the server sends. A test that changed one before React took it over would
    see React complain of its own change (error 418).
    """
    page.wait_for_function(ALIVE)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("[aria-busy]")).to_have_count(0)
    for chart in page.locator(".plot:visible").all():
        expect(chart.locator(".js-plotly-plot .main-svg").first).to_be_visible()


def signs_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fills the form and sends it."""
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def heading(page: Page, text: str) -> Locator:
    """A page's title."""
    return page.get_by_role("heading", level=1, name=text, exact=True)


@contextmanager
def staying(page: Page) -> Generator[None]:
    """Inside, the tab neither reloads nor goes anywhere: what changes, changes by itself."""
    moves: list[str] = []
    listen = moves.append
    page.on("framenavigated", lambda frame: listen(frame.url))
    page.evaluate("window.stayed = true")
    yield
    assert moves == []
    assert page.evaluate("window.stayed") is True
