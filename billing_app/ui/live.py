"""How open pages hear of changes: one watcher per web process (architecture.md).

Every transaction that changes what an organization's pages show raises that organization's revision. Once a second the
watcher reads, in one query, the revisions of the organizations with open pages in this process, and asks each tab of a
changed one to read anew. The tab does so through its own guarded `load`, as if it had just been opened: session, role
and data are read then, so a push shows nobody more than an event would. It makes no difference whether the change came
from this process, from another one or from the command line.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

import reflex as rx
from reflex.event import Event
from sqlalchemy.exc import SQLAlchemyError

from billing_app.ui.desk import desks

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
"""How often revisions are read: a change is on screen within two seconds."""

MAX_ADDRESSES = 500
"""The most organizations asked about in one query; with more open pages they take turns."""


@dataclass(slots=True)
class Tab:
    """An open page: as of which revision it shows which organizations (one, or also whoever pays for it), and the
    handler that reads it anew."""

    revisions: dict[str, int]
    handler: str


_tabs: dict[str, Tab] = {}


def follow(state: rx.State, revisions: dict[str, int]) -> None:
    """From now on this tab hears of later changes of these organizations, through its page's `load`."""
    _tabs[state.router.session.client_token] = Tab(revisions, f"{type(state).get_full_name()}.load")


def forget(state: rx.State) -> None:
    """The tab shows no organization any more."""
    _tabs.pop(state.router.session.client_token, None)


async def watch(app: rx.App) -> None:
    """Runs as long as the web process. A database that cannot be read for a moment is asked again a second later."""
    turn = 0
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        _drop_closed(app)
        addresses = sorted({address for tab in _tabs.values() for address in tab.revisions})
        if not addresses:
            continue
        turn = turn + MAX_ADDRESSES if turn + MAX_ADDRESSES < len(addresses) else 0
        try:
            revisions = await asyncio.to_thread(desks().revisions, addresses[turn : turn + MAX_ADDRESSES])
        except (OSError, SQLAlchemyError) as error:
            logger.warning("revisions could not be read: %s", error)
            continue
        for token in changed(_tabs, revisions):
            await _ask(app, token, _tabs[token].handler)


def changed(tabs: dict[str, Tab], revisions: dict[str, int]) -> list[str]:
    """The tabs that show an organization as of another revision than its own; they are asked once for each."""
    found = []
    for token, tab in tabs.items():
        now = {address: revisions.get(address, revision) for address, revision in tab.revisions.items()}
        if now != tab.revisions:
            tab.revisions = now
            found.append(token)
    return found


def _drop_closed(app: rx.App) -> None:
    namespace = app.event_namespace
    open_tokens = namespace.token_to_sid if namespace is not None else {}
    for token in [token for token in _tabs if token not in open_tokens]:
        del _tabs[token]


async def _ask(app: rx.App, token: str, handler: str) -> None:
    with app.set_contexts():
        await app.event_processor.enqueue(token, Event(name=handler, payload={}))
