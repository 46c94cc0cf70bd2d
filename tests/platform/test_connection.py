"""What a page says when its live connection is refused or lost, on any page, in any look."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from billing_app.launcher.ports import free_port
from billing_app.launcher.server import wait_until_answers
from billing_app.locations import ROOT
from tests.support.console import STARTS_SECONDS

pytestmark = pytest.mark.browser

Mode = Literal["light", "dark"]

WITHIN_MS = 10_000
"""The pages' own clocks say so within five seconds; a machine that runs other tests beside has slower ones."""


@contextmanager
def serving(folder: Path, port: int, **settings: str) -> Generator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "billing_app", "serve", "--port", str(port), "--folder", str(folder)]
    told = {f"BILLING_{name.upper()}": value for name, value in settings.items()}
    environment = os.environ | {"BILLING_DATABASE_URL": f"sqlite:///{folder / 'billing.db'}"} | told
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        assert wait_until_answers("127.0.0.1", port, "/ping", STARTS_SECONDS, process.poll)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextmanager
def tab(chromium: Browser, width: int, mode: Mode) -> Generator[Page]:
    context = chromium.new_context(viewport={"width": width, "height": 700}, color_scheme=mode)
    yield context.new_page()
    context.close()


def said(page: Page) -> str:
    """The sentence, once there is one; it lies over nothing and the page scrolls in no other direction for it."""
    place = page.locator("#connection")
    expect(place).not_to_be_empty(timeout=WITHIN_MS)
    box = place.bounding_box()
    assert box is not None
    assert box["x"] == 0
    assert box["width"] == page.evaluate("() => document.documentElement.clientWidth")
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    return place.inner_text()


@pytest.mark.parametrize(("width", "mode"), [(1280, "light"), (390, "dark")])
def test_another_address_than_the_public_one_is_named(
    chromium: Browser, tmp_path: Path, width: int, mode: Mode
) -> None:
    port = free_port()
    with serving(tmp_path, port, public_url="https://console.example:8443"), tab(chromium, width, mode) as page:
        for path in ("/sign-in", "/o/acme/usage?metric=mau", "/admin", "/nowhere"):
            page.goto(f"http://127.0.0.1:{port}{path}")
            expect(page.locator("#connection")).to_contain_text("set up for", timeout=WITHIN_MS)
            assert said(page) == (
                f"This page was opened at http://127.0.0.1:{port}, but the console is set up for "
                "https://console.example:8443 (BILLING_PUBLIC_URL). Open it there."
            )
            link = page.get_by_role("link", name="Open it there.")
            assert link.get_attribute("href") == f"https://console.example:8443{path}"


def test_a_lost_connection_is_said_until_it_is_back(chromium: Browser, tmp_path: Path) -> None:
    port = free_port()
    with tab(chromium, 390, "light") as page:
        with serving(tmp_path, port):
            page.goto(f"http://127.0.0.1:{port}/sign-in")
            expect(page.locator("#connection")).to_have_attribute("data-answered", "true", timeout=30_000)
            expect(page.locator("#connection")).to_be_empty()
        assert said(page) == "The connection to the console is lost. Trying again."
        with serving(tmp_path, port):
            expect(page.locator("#connection")).to_be_empty(timeout=30_000)
            page.context.set_offline(True)
            expect(page.locator("#connection")).to_contain_text("offline", timeout=WITHIN_MS)
            page.context.set_offline(False)
            expect(page.locator("#connection")).to_be_empty(timeout=30_000)
