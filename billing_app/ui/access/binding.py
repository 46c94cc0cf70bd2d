"""What a tab's state is about, and that it is about nothing else: one session of one person at one place.

A Reflex state outlives what it shows: a session ends, a role is lost, the address names another organization. So
before any event is handled, and before a page that opens is sent what the server has of it, this looks up who the tab
is now. If that is not whom the state was made for, all of it goes back to how it began, the event is dropped (it was
meant for what is gone) and the page loads anew. Handlers that are still at work for the former state are ended: they
would write into the new one. That another session never meets this state at all is seen to before Reflex
(api/common/sockets.py): the state's token is made of both.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import reflex as rx
from reflex.event import Event
from reflex.istate.proxy import StateProxy
from reflex.middleware import Middleware
from reflex.state import OnLoadInternalState, State, StateUpdate
from reflex_base.event.context import EventContext

from billing_app.services.common.context import UNREACHABLE
from billing_app.ui import operator_routes, routes
from billing_app.ui.access import live
from billing_app.ui.access.transactions import transactions

logger = logging.getLogger(__name__)

UNKNOWN = "unknown"
"""Who somebody is while the database cannot be asked: nobody whose state may be shown."""

LOADING = ("hydrate", "hydrate_and_load")
"""Events that send the whole state and load the page by themselves."""

_at_work: defaultdict[str, set[asyncio.Task[Any]]] = defaultdict(set)


class Binding(rx.State):
    """Whom the tab's state was made for, and where. Never sent to the browser."""

    _place: str = ""
    _standing: str = ""


class Bound(Middleware):
    """Compares, before each event, whom the state is for with who is there."""

    async def preprocess(self, app: rx.App, state: Any, event: Event) -> StateUpdate | None:
        """Clears the state if it is not for who is there now; None lets the event be handled."""
        binding = await state.get_state(Binding)
        place = place_of(state.router.url.path)
        follows = EventContext.get().parent_txid is not None
        if follows and binding._standing and binding._place == place:
            return None  # what led to this event was looked at a moment ago
        standing = await _standing(state.router.headers.cookie, state.router.url.path)
        before = (binding._place, binding._standing)
        if before == (place, standing):
            return None
        binding._place, binding._standing = place, standing
        if not before[1]:
            return None  # a new state holds nothing
        await wipe(state)
        if event.name.rpartition(".")[2] in (*LOADING, "on_load_internal"):
            return None
        delta = await state._get_resolved_delta()
        state._clean()
        return StateUpdate(delta=delta, events=Event.from_event_type(OnLoadInternalState.on_load_internal))


def place_of(path: str) -> str:
    """What a path is about: an organization, one as operators see it, the operators' pages, or none of these."""
    if address := routes.address_in(path):
        return routes.organization(address)
    if address := operator_routes.address_in(path):
        return operator_routes.organization(address)
    of_operators = path == routes.ADMIN or path.startswith(f"{routes.ADMIN}/")
    return routes.ADMIN if of_operators else routes.HOME


async def wipe(state: Any) -> None:
    """Everything of ours in the tab's state is as it began; what was at work for it ends."""
    end_work(state.router.session.client_token)
    live.forget(state)
    for kind in State.get_substates():
        if kind.__module__.startswith("billing_app.") and kind is not Binding:
            (await state.get_state(kind)).reset()


def at_work(state: Any) -> AbstractContextManager[None]:
    """A background handler may be ended when its tab is cleared meanwhile; any other is done before that begins."""
    return working(state.router.session.client_token) if isinstance(state, StateProxy) else nullcontext()


@contextmanager
def working(token: str) -> Generator[None]:
    """While a handler is at work that does not hold its tab's state all the time."""
    task = asyncio.current_task()
    if task is None:
        yield
        return
    _at_work[token].add(task)
    try:
        yield
    finally:
        _at_work[token].discard(task)
        if not _at_work[token]:
            del _at_work[token]


def end_work(token: str) -> None:
    """Ends what is at work for a tab, but for who asks."""
    for task in [*_at_work.get(token, ())]:
        if task is not asyncio.current_task():
            task.cancel()


async def _standing(cookies: str, path: str) -> str:
    try:
        return await asyncio.to_thread(transactions().standing, cookies, routes.address_in(path))
    except UNREACHABLE as error:
        logger.warning("a session could not be read: %s", error)
        return UNKNOWN
