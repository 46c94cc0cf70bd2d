"""Open pages hear of changes: one query a second, whoever made the change; closed tabs are dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from billing_app.ui import desk, live
from billing_app.ui.live import Tab, changed
from tests.ui.samples.desk import SampleDesks


class CountingDesks(SampleDesks):
    """Counts how often revisions are read."""

    def __init__(self) -> None:
        self.read: list[list[str]] = []
        self.broken = False

    def revisions(self, addresses: Any) -> dict[str, int]:
        self.read.append(list(addresses))
        if self.broken:
            raise OperationalError("SELECT", {}, OSError("the database is away"))
        return super().revisions(self.read[-1])


class FakeApp:
    """As much of a Reflex app as the watcher needs."""

    def __init__(self, tokens: set[str]) -> None:
        self.event_namespace = SimpleNamespace(token_to_sid=dict.fromkeys(tokens, "socket"))
        self.asked: list[tuple[str, str]] = []
        self.event_processor = SimpleNamespace(enqueue=self._enqueue)

    def set_contexts(self) -> Any:
        return nullcontext()

    async def _enqueue(self, token: str, event: Any) -> None:
        self.asked.append((token, event.name))


@pytest.fixture
def desks(monkeypatch: pytest.MonkeyPatch) -> Iterator[CountingDesks]:
    """Sample desks, and a watcher that does not wait long."""
    counting = CountingDesks()
    monkeypatch.setattr(desk, "_desks", counting)
    monkeypatch.setattr(live, "EVERY_SECONDS", 0.001)
    live._tabs.clear()
    yield counting
    live._tabs.clear()


def watch(app: FakeApp, rounds: Any, desks: CountingDesks) -> None:
    """Runs the watcher until it has asked so often."""

    async def run() -> None:
        task = asyncio.create_task(live.watch(app))
        for _ in range(2000):
            await asyncio.sleep(0.001)
            if rounds(desks):
                break
        task.cancel()

    asyncio.run(run())


def test_only_tabs_of_a_changed_organization_are_asked_and_once() -> None:
    tabs = {"one": Tab({"a": 3}, "load"), "two": Tab({"b": 7}, "load"), "three": Tab({"a": 4}, "load")}
    assert changed(tabs, {"a": 4, "b": 7}) == ["one"]
    assert changed(tabs, {"a": 4, "b": 7}) == []


def test_a_tab_that_also_shows_what_another_pays_for_hears_of_both() -> None:
    tabs = {"part": Tab({"part": 1, "payer": 5}, "load"), "other": Tab({"other": 2}, "load")}
    assert changed(tabs, {"part": 1, "payer": 6, "other": 2}) == ["part"]
    assert changed(tabs, {"part": 2, "payer": 6, "other": 2}) == ["part"]
    assert changed(tabs, {"part": 2, "payer": 6, "other": 2}) == []


def test_an_organization_that_is_gone_changes_nothing() -> None:
    assert changed({"one": Tab({"a": 3}, "load")}, {}) == []


def test_an_open_tab_reads_anew_when_another_process_changed_its_organization(desks: CountingDesks) -> None:
    live._tabs.update({"open": Tab({"meridian": 1}, "state.load"), "same": Tab({"stopped": 2}, "state.load")})
    desks.revision = 2
    app = FakeApp({"open", "same"})
    watch(app, lambda found: len(found.read) >= 3, desks)
    assert app.asked == [("open", "state.load")]
    assert desks.read[0] == ["meridian", "stopped"]


def test_closed_tabs_are_dropped_and_nothing_is_asked_for_them(desks: CountingDesks) -> None:
    live._tabs.update({"open": Tab({"meridian": 1}, "l"), "closed": Tab({"stopped": 1}, "l")})
    watch(FakeApp({"open"}), lambda found: len(found.read) >= 2, desks)
    assert set(live._tabs) == {"open"}
    assert desks.read[-1] == ["meridian"]


def test_nobody_there_means_no_query(desks: CountingDesks) -> None:
    asyncio.run(asyncio.wait_for(_briefly(FakeApp(set())), 5))
    assert desks.read == []


async def _briefly(app: FakeApp) -> None:
    task = asyncio.create_task(live.watch(app))
    await asyncio.sleep(0.05)
    task.cancel()


def test_a_database_that_is_away_is_asked_again(desks: CountingDesks) -> None:
    live._tabs["open"] = Tab({"meridian": 1}, "l")
    desks.broken = True
    watch(FakeApp({"open"}), lambda found: len(found.read) >= 3, desks)
    assert len(desks.read) >= 3
