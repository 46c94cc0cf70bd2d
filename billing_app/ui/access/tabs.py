"""Which tabs there are in this process, whose they are, and when the server forgets what it keeps for them.

A tab's state is of use while its socket is open, and a little longer: a connection that broke comes back. When its
session ends, wherever that happened, an open tab is asked to look again (and then asks to sign in), and what is kept of
a closed one goes at once. Nobody's state goes with its socket.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Any

import reflex as rx
from reflex.app import EventNamespace
from reflex.event import Event
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.redis import StateManagerRedis
from reflex.istate.manager.token import BaseStateToken
from reflex.state import OnLoadInternalState, State

from billing_app.services.access import cookies as session_cookies
from billing_app.services.common.context import UNREACHABLE
from billing_app.ui.access import binding
from billing_app.ui.access.session import MAX_TEXT
from billing_app.ui.access.transactions import transactions

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
"""How often ended sessions are looked for."""

KEPT_SECONDS = 60.0
"""How long a state outlives its socket: a laptop's lid, a lift, a restarted proxy."""

MAX_SESSIONS = 500
"""The most sessions asked about in one query."""

MAX_QUERY = 50
"""The most values of a URL's query that a state keeps; our pages read at most eight."""


@dataclass(slots=True)
class Tab:
    """What is known of one tab: its sockets, the hash of its session, and whether an operator was in it."""

    session_hash: str
    sockets: set[str] = field(default_factory=set)
    kept_until: float = 0.0
    """When its state is of no more use, its socket being closed: by the monotonic clock."""
    operator: bool | None = None
    asked: bool = False
    """It was asked to look again since its session ended."""


_tabs: dict[str, Tab] = {}


class PageSockets(EventNamespace):
    """Reflex's namespace, which notes whose each tab is and lets a browser say no more than where it is."""

    async def on_connect(self, sid: str, environ: dict, auth: Any = None) -> None:
        """A tab's socket opens."""
        await super().on_connect(sid, environ, auth)
        token = self.sid_to_token.get(sid)
        if token is None:
            return
        sent = environ.get("asgi.scope", {}).get("headers", [])
        cookies = "; ".join(value.decode("latin-1") for name, value in sent if name == b"cookie")
        _tabs.setdefault(token, Tab(session_cookies.session_hash_in(cookies) or "")).sockets.add(sid)

    async def on_event(self, sid: str, data: Any) -> None:
        """A tab's event. Of what it says about itself its place is kept; all else is known from its handshake."""
        if isinstance(data, dict):
            data = {**data, "router_data": said_place(data.get("router_data"))}
        await super().on_event(sid, data)

    def on_disconnect(self, sid: str) -> asyncio.Task | None:
        """A tab's socket closes."""
        tab = _tabs.get(self.sid_to_token.get(sid, ""))
        if tab is not None:
            tab.sockets.discard(sid)
            tab.kept_until = time.monotonic() + (KEPT_SECONDS if tab.session_hash else 0.0)
        return super().on_disconnect(sid)


def said_place(said: Any) -> dict[str, Any]:
    """Where a tab says that it is: a path, the same with its query, and the query's values. Nothing else is taken."""
    given = said if isinstance(said, dict) else {}
    place: dict[str, Any] = {name: path for name in ("pathname", "asPath") if (path := _path(given.get(name)))}
    query = given.get("query")
    if isinstance(query, dict):
        texts = {str(name)[:MAX_TEXT]: text[:MAX_TEXT] for name, text in query.items() if isinstance(text, str)}
        place["query"] = dict(list(texts.items())[:MAX_QUERY])
    return place


def _path(said: Any) -> str:
    return said[:MAX_TEXT] if isinstance(said, str) and said.startswith("/") else ""


async def watch(app: rx.App) -> None:
    """Runs as long as the web process. A database that cannot be read for a moment is asked again a second later."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            await look(app)
        except UNREACHABLE as error:
            logger.warning("sessions could not be read: %s", error)


async def look(app: rx.App) -> None:
    """Tells tabs whose session has ended, and forgets what nobody will ask for again."""
    hashes = sorted({tab.session_hash for tab in _tabs.values()} - {""})
    asked, alive = {*hashes}, dict[str, bool]()
    for start in range(0, len(hashes), MAX_SESSIONS):
        alive |= await asyncio.to_thread(transactions().open_sessions, hashes[start : start + MAX_SESSIONS])
    for token, tab in [*_tabs.items()]:
        ended = tab.session_hash in asked and tab.session_hash not in alive
        if tab.sockets:
            operator = alive.get(tab.session_hash)
            if (ended and not tab.asked) or (tab.operator is not None and operator not in (None, tab.operator)):
                await ask(app, token)
            tab.asked, tab.operator = ended, tab.operator if operator is None else operator
        elif (ended or time.monotonic() > tab.kept_until) and await forgotten(app, token):
            del _tabs[token]


async def ask(app: rx.App, token: str) -> None:
    """Asks a tab to load its page anew: what looks who is there is before every event (ui/access/binding.py)."""
    with app.set_contexts():
        (event,) = Event.from_event_type(OnLoadInternalState.on_load_internal)
        await app.event_processor.enqueue(token, event)


async def forgotten(app: rx.App, token: str) -> bool:
    """Whether what the server kept for a tab is gone; False while something still works on it."""
    binding.end_work(token)
    key = BaseStateToken(ident=token, cls=State)
    manager = app.state_manager
    if isinstance(manager, StateManagerMemory):
        lock = manager._states_locks.get(key.lock_key)
        if lock is not None and lock.locked():
            return False
        manager._purge_token(key)
    elif isinstance(manager, StateManagerRedis):
        await manager.redis.delete(*(key._state_key(kind) for kind in _states(State)))
    return True


def _states(kind: type[Any]) -> list[type[Any]]:
    return [kind, *(below for each in kind.get_substates() for below in _states(each))]
