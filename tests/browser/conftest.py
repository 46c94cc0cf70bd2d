"""What browser stories share: the console and the Chromium of the run, and people with tabs of their own."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.people import PATIENCE_MS, Watch
from tests.support.console import Console

HERE = Path(__file__).parent
FAILED = pytest.StashKey[bool]()

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes that a story failed, for its pictures."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def watch(console: Console, chromium: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watch]:
    """Opens browsers. What fails in one unseen fails the test; when a test fails, its tabs are kept as pictures."""
    watched = Watch(console, chromium)
    yield watched
    if request.node.stash.get(FAILED, False):
        for number, page in enumerate(watched.pages()):
            picture = tmp_path / f"tab-{number}.png"
            page.screenshot(path=picture, full_page=True)
            print(f"{page.url} as it was: {picture}")
    for context in watched.contexts:
        context.close()
    assert watched.wrong == []
