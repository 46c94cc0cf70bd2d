"""Open pages hear of changes: one query a second, whoever made the change; closed tabs are dropped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from billing_app.turns import Turns
from billing_app.ui.access import live, transactions
from billing_app.ui.access.live import Tab, changed


class Revisions:
    """Counts how often revisions are read."""

    def __init__(self) -> None:
        self.revision = 1
        self.read: list[list[str]] = []
        self.broken = False

    def revisions(self, addresses: Any) -> dict[str, int]:
        self.read.append(list(addresses))
        if self.broken:
            raise OperationalError("SELECT", {}, OSError("the database is away"))
        return dict.fromkeys(self.read[-1], self.revision)


class FakeApp:
    """As much of a Reflex app as the watcher needs. Loads end at once, or when the test ends them."""

    def __init__(self, tokens: set[str], *, held: bool = False) -> None:
        self.open = {token: f"socket of {token}" for token in tokens}
        self.event_namespace: Any = SimpleNamespace(
            token_to_sid=self.open,
            sid_to_token={sid: token for token, sid in self.open.items()},
            on_disconnect=self._disconnected,
        )
        self.asked: list[tuple[str, str]] = []
        self.running: dict[str, asyncio.Future[None]] = {}
        self.held = held
        self.most = 0
        self.event_processor = SimpleNamespace(enqueue=self._enqueue)

    def set_contexts(self) -> Any:
        return nullcontext()

    async def _enqueue(self, token: str, event: Any) -> asyncio.Future[None]:
        assert token not in self.running, "a second refresh of a tab whose first one runs"
        self.asked.append((token, event.name))
        self.running[token] = done = asyncio.get_running_loop().create_future()
        done.add_done_callback(lambda _done: self.running.pop(token))
        self.most = max(self.most, len(self.running))
        if not self.held:
            done.set_result(None)
        return done

    def shown(self, token: str, revision: int) -> None:
        """The load ends, having read that revision."""
        live._tabs[token].revisions = dict.fromkeys(live._tabs[token].revisions, revision)
        self.running[token].set_result(None)

    def close(self, token: str) -> None:
        """The tab is closed."""
        self.event_namespace.on_disconnect(self.open[token], "client disconnect")

    def _disconnected(self, sid: str) -> None:
        del self.open[self.event_namespace.sid_to_token.pop(sid)]


@pytest.fixture
def organizations(monkeypatch: pytest.MonkeyPatch) -> Iterator[Revisions]:
    """Organizations, and a watcher that does not wait long."""
    counting = Revisions()
    monkeypatch.setattr(transactions, "_transactions", counting)
    monkeypatch.setattr(live, "EVERY_SECONDS", 0.001)
    monkeypatch.setattr(live, "_turns", Turns("page-refreshes", live.REFRESHES))
    monkeypatch.setattr(live, "_served", None)
    live._tabs.clear()
    yield counting
    live._tabs.clear()


def watch(app: FakeApp, rounds: Any, organizations: Revisions) -> None:
    """Runs the watcher until it has asked so often."""

    async def run() -> None:
        task = asyncio.create_task(live.watch(app))
        for _ in range(2000):
            await asyncio.sleep(0.001)
            if rounds(organizations):
                break
        task.cancel()

    asyncio.run(run())


def test_only_tabs_of_a_changed_organization_are_asked_and_once() -> None:
    tabs = {"one": Tab({"a": 3}, "load"), "two": Tab({"b": 7}, "load"), "three": Tab({"a": 4}, "load")}
    assert changed(tabs, {"a": 4, "b": 7}) == ["one"]
    tabs["one"].asked = {"a": 4}
    assert changed(tabs, {"a": 4, "b": 7}) == []


def test_a_tab_that_also_shows_what_another_pays_for_hears_of_both() -> None:
    tabs = {"part": Tab({"part": 1, "payer": 5}, "load"), "other": Tab({"other": 2}, "load")}
    assert changed(tabs, {"part": 1, "payer": 6, "other": 2}) == ["part"]
    tabs["part"].revisions = {"part": 1, "payer": 6}
    assert changed(tabs, {"part": 2, "payer": 6, "other": 2}) == ["part"]
    tabs["part"].revisions = {"part": 2, "payer": 6}
    assert changed(tabs, {"part": 2, "payer": 6, "other": 2}) == []


def test_an_organization_that_is_gone_changes_nothing() -> None:
    assert changed({"one": Tab({"a": 3}, "load")}, {}) == []


def test_an_open_tab_reads_anew_when_another_process_changed_its_organization(organizations: Revisions) -> None:
    live._tabs.update({"open": Tab({"meridian": 1}, "state.load"), "same": Tab({"stopped": 2}, "state.load")})
    organizations.revision = 2
    app = FakeApp({"open", "same"})
    watch(app, lambda found: len(found.read) >= 3, organizations)
    assert app.asked == [("open", "state.load")]
    assert organizations.read[0] == ["meridian", "stopped"]


def test_closed_tabs_are_dropped_and_nothing_is_asked_for_them(organizations: Revisions) -> None:
    live._tabs.update({"open": Tab({"meridian": 1}, "l"), "closed": Tab({"stopped": 1}, "l")})
    watch(FakeApp({"open"}), lambda found: len(found.read) >= 2, organizations)
    assert set(live._tabs) == {"open"}
    assert organizations.read[-1] == ["meridian"]


def test_nobody_there_means_no_query(organizations: Revisions) -> None:
    asyncio.run(asyncio.wait_for(_briefly(FakeApp(set())), 5))
    assert organizations.read == []


async def _briefly(app: FakeApp) -> None:
    task = asyncio.create_task(live.watch(app))
    await asyncio.sleep(0.05)
    task.cancel()


def test_a_database_that_is_away_is_asked_again(organizations: Revisions) -> None:
    live._tabs["open"] = Tab({"meridian": 1}, "l")
    organizations.broken = True
    watch(FakeApp({"open"}), lambda found: len(found.read) >= 3, organizations)
    assert len(organizations.read) >= 3


async def looked(organizations: Revisions, app: FakeApp, times: int = 3) -> None:
    """The watcher has looked so often again, and everything that follows from it has happened."""
    until = len(organizations.read) + times
    for _ in range(5000):
        await asyncio.sleep(0.001)
        if len(organizations.read) >= until or not live._tabs:
            break
    for _ in range(20):
        await asyncio.sleep(0)


def watching(app: FakeApp, story: Any) -> None:
    """Runs a story beside the watcher."""

    async def run() -> None:
        task = asyncio.create_task(live.watch(app))
        try:
            await asyncio.wait_for(story(), 30)
        finally:
            task.cancel()

    asyncio.run(run())


def test_many_changes_while_a_tab_reads_are_one_refresh_more(organizations: Revisions) -> None:
    app = FakeApp({"open"}, held=True)
    live._tabs["open"] = Tab({"meridian": 1}, "load")

    async def story() -> None:
        for organizations.revision in range(2, 30):
            await looked(organizations, app, 1)
        assert len(app.asked) == 1
        app.shown("open", 2)  # what was read when it began
        await looked(organizations, app)
        assert len(app.asked) == 2
        app.shown("open", 29)
        await looked(organizations, app)
        assert len(app.asked) == 2
        assert not app.running

    watching(app, story)


def test_few_read_at_once_and_organizations_by_turns(organizations: Revisions) -> None:
    """Twenty tabs of one organization keep another's single tab waiting for one of theirs, not for all."""
    many = [f"many {number:02}" for number in range(20)]
    app = FakeApp({*many, "single", "third"}, held=True)
    live._tabs.update({token: Tab({"meridian": 1}, "load") for token in many})
    live._tabs["single"], live._tabs["third"] = Tab({"stopped": 1}, "load"), Tab({"quiet": 1}, "load")

    async def story() -> None:
        organizations.revision = 2
        await looked(organizations, app)
        assert len(app.running) == live.REFRESHES.at_once
        while app.running:
            app.shown(next(iter(app.running)), 2)
            await looked(organizations, app, 1)

    watching(app, story)
    tokens = [token for token, _ in app.asked]
    assert sorted(tokens) == sorted({*many, "single", "third"})
    assert {"single", "third"} <= set(tokens[:4])
    assert app.most == live.REFRESHES.at_once


def test_a_closed_tab_has_none_and_is_forgotten_at_once(organizations: Revisions) -> None:
    tokens = [f"tab {number:02}" for number in range(20)]
    app = FakeApp(set(tokens), held=True)
    live._tabs.update({token: Tab({"meridian": 1}, "load") for token in tokens})

    async def story() -> None:
        organizations.revision = 2
        await looked(organizations, app)
        [running] = app.running
        cancelled = app.running[running]
        for token in tokens:
            app.close(token)
        assert not live._tabs
        for _ in range(20):
            await asyncio.sleep(0)
        assert cancelled.cancelled()
        assert len(app.asked) == 1
        assert (live._turns.going, live._turns.waiting, live._turns.callers) == (0, 0, 0)

    watching(app, story)


def test_a_tab_that_is_back_with_another_socket_is_not_forgotten(organizations: Revisions) -> None:
    app = FakeApp({"open"})
    live._tabs["open"] = Tab({"meridian": 1}, "load")

    async def story() -> None:
        await looked(organizations, app, 1)
        app.open["open"], app.event_namespace.sid_to_token["another"] = "another", "open"
        with contextlib.suppress(KeyError):
            app.event_namespace.on_disconnect("socket of open", "transport close")
        assert "open" in live._tabs

    watching(app, story)


class Gone:
    """The state of a tab that is not there any more."""

    router = SimpleNamespace(session=SimpleNamespace(client_token="gone"))

    @classmethod
    def get_full_name(cls) -> str:
        return "page"


def test_a_tab_that_closed_while_it_was_read_is_not_followed(organizations: Revisions) -> None:
    app = FakeApp({"open"})
    state: Any = Gone()

    async def story() -> None:
        live._tabs["open"] = Tab({"meridian": 1}, "load")
        await looked(organizations, app, 1)
        live.follow(state, {"meridian": 1})
        assert set(live._tabs) == {"open"}

    watching(app, story)


def test_a_page_that_cannot_be_read_is_not_asked_again_and_again(organizations: Revisions) -> None:
    app = FakeApp({"open"})
    live._tabs["open"] = Tab({"meridian": 1}, "load")

    async def story() -> None:
        organizations.revision = 2
        await looked(organizations, app, 10)
        assert len(app.asked) == 1
        organizations.revision = 3
        await looked(organizations, app, 10)
        assert len(app.asked) == 2

    watching(app, story)
