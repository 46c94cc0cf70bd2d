"""Many open tabs of one organization, through Reflex itself and a real database: what is loaded, counted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.services.overview import overview
from billing_app.turns import Pool, Turns
from billing_app.ui import threads
from billing_app.ui.access import live
from billing_app.ui.access.transactions import transactions
from billing_app.ui.overview.page import OverviewState
from tests.support.builders import NOON, the_catalogue
from tests.support.patience import PATIENCE_SECONDS
from tests.ui.states import APP, served_from
from tests.ui.test_shared_reads import a_visitor, changed

TABS = 20

LOAD = f"{OverviewState.get_full_name()}.load"


class Loads:
    """Overviews that were read, by organization; those of one can be held in the middle."""

    def __init__(self) -> None:
        self.read = overview.overview
        self.done: list[str] = []
        self.held = ""
        self.free = threading.Event()

    def __call__(self, context: Any, *rest: Any) -> Any:
        self.done.append(context.organization.address)
        if context.organization.address == self.held:
            assert self.free.wait(PATIENCE_SECONDS)
        return self.read(context, *rest)


@pytest.fixture
def loads(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loads]:
    """The product's pages over its services, with a watcher that looks often."""
    the_catalogue(database)
    counted = Loads()
    monkeypatch.setattr(overview, "overview", counted)
    monkeypatch.setattr(clock, "now", lambda: NOON)
    monkeypatch.setattr(live, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(live, "_turns", Turns("page-refreshes", live.REFRESHES))
    monkeypatch.setattr(live, "_served", None)
    monkeypatch.setattr(threads, "_loads", Pool("page-loads", replace(threads.LOADS, seconds=None)))
    live._tabs.clear()
    with served_from(database):
        yield counted
    counted.free.set()
    live._tabs.clear()


class Tab:
    """A browser's tab, at the other end of a socket that nobody reads."""

    def __init__(self, number: int, cookies: str, address: str) -> None:
        self.sid, self.token, self.address = f"sid {number}", f"tab-{number}", address
        self.cookies = cookies

    async def open(self) -> None:
        scope = {"headers": [(b"cookie", self.cookies.encode())], "client": ("127.0.0.1", 1)}
        environ = {"QUERY_STRING": f"token={self.token}", "asgi.scope": scope}
        await APP.event_namespace.on_connect(self.sid, environ)
        where = {"pathname": f"/o/{self.address}", "asPath": f"/o/{self.address}", "query": {}}
        event = {"token": self.token, "name": LOAD, "router_data": where, "payload": {}}
        await APP.event_namespace.on_event(self.sid, event)

    async def close(self) -> None:
        APP.event_namespace.on_disconnect(self.sid)


def through_reflex(story: Callable[[], Any]) -> None:
    """Runs a story beside Reflex's events and the watcher."""

    async def run() -> None:
        async with APP._setup_event_processor():
            watcher = asyncio.create_task(live.watch(APP))
            try:
                await asyncio.wait_for(story(), 120)
            finally:
                watcher.cancel()

    asyncio.run(run())


async def until(so: Callable[[], bool]) -> None:
    """Goes on when it is so."""
    while not so():
        await asyncio.sleep(0.005)


def shows(tab: Tab, revision: int) -> bool:
    """Whether a tab shows its organization as of that revision, with nothing under way."""
    found = live._tabs.get(tab.token)
    return found is not None and found.refresh is None and found.revisions[tab.address] == revision


def revision(database: Database, address: str) -> int:
    """What its pages are to show."""
    return transactions().revisions([address])[address]


@pytest.mark.both_databases
def test_open_tabs_load_once_per_change_and_closed_ones_never(database: Database, loads: Loads) -> None:
    cookies = a_visitor(database, "acme", "ada@acme.example").cookies
    tabs = [Tab(number, cookies, "acme") for number in range(TABS)]
    changes = 5

    async def story() -> None:
        for tab in tabs:
            await tab.open()
        await until(lambda: all(shows(tab, revision(database, "acme")) for tab in tabs))
        assert loads.done == ["acme"]
        for _ in range(changes):
            changed(database, "acme")
            wanted = revision(database, "acme")
            await until(lambda wanted=wanted: all(shows(tab, wanted) for tab in tabs))
        assert loads.done == ["acme"] * (1 + changes)
        for tab in tabs:
            await tab.close()
        assert not live._tabs
        for _ in range(changes):
            changed(database, "acme")
            await asyncio.sleep(0.05)
        assert loads.done == ["acme"] * (1 + changes)
        assert (live._turns.going, live._turns.waiting, live._turns.callers) == (0, 0, 0)

    through_reflex(story)


@pytest.mark.both_databases
def test_changes_while_pages_are_read_are_one_more_load_however_many(database: Database, loads: Loads) -> None:
    cookies = a_visitor(database, "acme", "ada@acme.example").cookies
    tabs = [Tab(number, cookies, "acme") for number in range(TABS)]

    async def story() -> None:
        for tab in tabs:
            await tab.open()
        await until(lambda: all(shows(tab, revision(database, "acme")) for tab in tabs))
        loads.held = "acme"
        for _ in range(10):
            changed(database, "acme")
            await asyncio.sleep(0.03)
        assert loads.done == ["acme"] * 2  # one of an organization at a time
        loads.free.set()
        wanted = revision(database, "acme")
        await until(lambda: all(shows(tab, wanted) for tab in tabs))
        assert loads.done == ["acme"] * 3
        for tab in tabs:
            await tab.close()

    through_reflex(story)


@pytest.mark.both_databases
def test_what_waits_for_tabs_that_close_is_never_loaded_and_holds_up_nobody(database: Database, loads: Loads) -> None:
    cookies = a_visitor(database, "acme", "ada@acme.example").cookies
    tabs = [Tab(number, cookies, "acme") for number in range(TABS)]
    other = Tab(TABS, a_visitor(database, "other", "o@other.example").cookies, "other")

    async def story() -> None:
        for tab in tabs:
            await tab.open()
        await until(lambda: all(shows(tab, revision(database, "acme")) for tab in tabs))
        loads.held = "acme"
        changed(database, "acme")
        await until(lambda: len(loads.done) == 2)
        await other.open()
        await until(lambda: shows(other, revision(database, "other")))  # while acme's is still held
        for tab in tabs:
            await tab.close()
        loads.free.set()
        await until(lambda: threads._loads.turns.going == 0)
        await asyncio.sleep(0.05)
        assert loads.done == ["acme", "acme", "other"]
        await other.close()

    through_reflex(story)


@pytest.mark.both_databases
def test_people_who_open_pages_at_once_leave_a_thread_for_others(database: Database, loads: Loads) -> None:
    cookies = a_visitor(database, "acme", "ada@acme.example").cookies
    tabs = [Tab(number, cookies, "acme") for number in range(TABS)]
    other = Tab(TABS, a_visitor(database, "other", "o@other.example").cookies, "other")

    async def story() -> None:
        loads.held = "acme"
        for tab in tabs:
            await tab.open()
        await until(lambda: threads._loads.turns.going == threads.LOADS.each)
        await other.open()
        await until(lambda: shows(other, revision(database, "other")))
        assert threads._loads.turns.going == threads.LOADS.each
        loads.free.set()
        await until(lambda: all(shows(tab, revision(database, "acme")) for tab in tabs))
        assert loads.done == ["acme", "other"]
        for tab in [*tabs, other]:
            await tab.close()

    through_reflex(story)
