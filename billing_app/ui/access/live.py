"""How open pages hear of changes: one watcher per web process (architecture.md).

Every transaction that changes what an organization's pages show raises that organization's revision. Once a second the
watcher reads, in one query, the revisions of the organizations with open pages in this process, and has each tab of a
changed one read anew. The tab does so through its own guarded `load`, as if it had just been opened: session, role
and data are read then, so a push shows nobody more than an event would. It makes no difference whether the change came
from this process, from another one or from the command line.

Nothing piles up. A tab has at most one refresh that waits or runs; whatever changes meanwhile is in it, or is seen a
second later. Few run at once, one of an organization, organizations by turns. A tab that closes is forgotten with all
that was still to be done for it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

import reflex as rx
from reflex.app import EventNamespace
from reflex.event import Event

from billing_app import monitoring
from billing_app.services.common.context import UNREACHABLE
from billing_app.turns import Limits, Pool, Turns
from billing_app.ui.access.transactions import transactions

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
"""How often revisions are read: a change is on screen within two seconds."""

MAX_ADDRESSES = 500
"""The most organizations asked about in one query; with more open pages they take turns."""

REFRESHES = Limits(at_once=2, each=1, waiting=100_000, waiting_each=100_000, seconds=None)
"""Half of the threads that read pages (ui.threads), so that somebody who opens a page finds one. No more wait than
there are open tabs, and none waits for an answer: nobody has to be told."""

HOLD_SECONDS = 5.0
"""The longest that one refresh keeps its organization's others waiting: it may stand behind what its person does."""


@dataclass(slots=True, eq=False)
class Tab:
    """An open page: as of which revision it shows which organizations (one, or also its payer), and the
    handler that reads it anew."""

    revisions: dict[str, int]
    handler: str
    newest: dict[str, int] = field(default_factory=dict)
    """As the watcher has last seen them."""
    asked: dict[str, int] = field(default_factory=dict)
    """As of which revisions it was last asked to read: a page that cannot be read is not asked for the same again."""
    refresh: asyncio.Task[None] | None = None
    """What waits or runs for it."""

    @property
    def address(self) -> str:
        """Whose page it is."""
        return next(iter(self.revisions))


_tabs: dict[str, Tab] = {}
_turns = Turns("page-refreshes", REFRESHES)
_watching = Pool("page-watcher", Limits(at_once=1, each=1, waiting=1, waiting_each=1, seconds=60.0))
_served: EventNamespace | None = None
"""Where this process's sockets are; None where none are served."""


def follow(state: rx.State, revisions: dict[str, int]) -> None:
    """From now on this tab hears of later changes of these organizations, through its page's `load`."""
    token, handler = state.router.session.client_token, f"{type(state).get_full_name()}.load"
    tab = _tabs.get(token)
    if tab is not None:
        tab.revisions, tab.handler = revisions, handler
    elif _served is None or token in _served.sid_to_token.values():  # it may have closed while it was read
        _tabs[token] = Tab(revisions, handler)


def forget(state: rx.State) -> None:
    """The tab shows no organization any more. Whoever says so may be its refresh, which goes on to its end."""
    _tabs.pop(state.router.session.client_token, None)


async def watch(app: rx.App) -> None:
    """Runs as long as the web process. A database that cannot be read for a moment is asked again a second later."""
    _hear_of_closed_tabs(app)
    turn = 0
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        _drop_closed(app)
        addresses = sorted({address for tab in _tabs.values() for address in tab.revisions})
        if not addresses:
            continue
        turn = turn + MAX_ADDRESSES if turn + MAX_ADDRESSES < len(addresses) else 0
        try:
            revisions = await _watching.run("", transactions().revisions, addresses[turn : turn + MAX_ADDRESSES])
        except UNREACHABLE as error:
            logger.warning("revisions could not be read: %s", error)
            continue
        for token in changed(_tabs, revisions):
            tab = _tabs[token]
            tab.refresh = asyncio.create_task(_refresh(app, token, tab))


def changed(tabs: dict[str, Tab], revisions: dict[str, int]) -> list[str]:
    """The tabs that show an organization as of another revision than its own, and for which nothing is under way."""
    found = []
    for token, tab in tabs.items():
        tab.newest = {address: revisions.get(address, revision) for address, revision in tab.revisions.items()}
        if tab.refresh is None and tab.newest not in (tab.revisions, tab.asked):
            found.append(token)
    return found


async def _refresh(app: rx.App, token: str, tab: Tab) -> None:
    """Has the tab read anew when it is its turn, and waits until it has."""
    asked: asyncio.Future[object] | None = None
    try:
        async with _turns.turn(tab.address):
            tab.asked = tab.newest
            monitoring.page_refreshes.inc()
            with app.set_contexts():
                asked = await app.event_processor.enqueue(token, Event(name=tab.handler, payload={}))
            await asyncio.wait([asked], timeout=HOLD_SECONDS)
        await asyncio.wait([asked])
    finally:
        tab.refresh = None
        if asked is not None:
            asked.cancel()  # nothing, where it is done; its tab is gone, where it is not


def _close(token: str) -> None:
    tab = _tabs.pop(token, None)
    if tab is not None and tab.refresh is not None:
        tab.refresh.cancel()


def _hear_of_closed_tabs(app: rx.App) -> None:
    """Forgets a tab when its socket closes, and not only when the watcher looks again."""
    global _served
    namespace = app.event_namespace
    if namespace is None or namespace is _served:
        return
    heard = namespace.on_disconnect

    def on_disconnect(sid: str, *_reason: str) -> asyncio.Task[None] | None:
        token = namespace.sid_to_token.get(sid)
        # A tab that lost its socket may be back with another one before we hear that the first is gone.
        if token is not None and namespace.token_to_sid.get(token, sid) == sid:
            _close(token)
        return heard(sid)

    namespace.on_disconnect = on_disconnect  # type: ignore[method-assign]
    _served = namespace


def _drop_closed(app: rx.App) -> None:
    namespace = app.event_namespace
    open_tokens = set(namespace.sid_to_token.values()) if namespace is not None else set()
    for token in [token for token in _tabs if token not in open_tokens]:
        _close(token)
