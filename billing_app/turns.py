"""Who may go on: few at once, callers by turns, and no line without an end (docs/decisions/0018).

Whatever can pile up in a process waits in one of these. At most `at_once` go on together, at most `each` of them for
one caller; the rest wait in order, and whoever is next is taken from the caller whose turn it is, so that one who asks
a hundred times at once keeps another's single question waiting for one of his and not for all. A line that is full, or
a wait that took too long, is told at once: the caller who has too much waiting (429), or everybody (503).
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar, cast

from billing_app import monitoring
from billing_app.domain.common.errors import BillingError, BusyError, TooManyAtOnceError

Given = TypeVar("Given")

RETRY_S = 2
"""When to ask again: by then most of what waited is done, or was told the same."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many go on and wait: in all, and for one caller; and the longest wait in seconds, None for any."""

    at_once: int
    each: int
    waiting: int
    waiting_each: int
    seconds: float | None


class Turns:
    """One line. Callers are any texts; one who has nothing under way and nothing waiting is not remembered.

    May be used from several event loops and threads: nothing in here waits for a lock longer than it takes to count.
    """

    def __init__(self, name: str, limits: Limits) -> None:
        """`name` is what figures call it."""
        self.name = name
        self.limits = limits
        self._lock = threading.Lock()
        self._going: dict[str, int] = {}
        self._lines: dict[str, deque[Future[None]]] = {}
        self._at_once = 0
        self._waiting = 0

    @property
    def going(self) -> int:
        """How many go on now."""
        return self._at_once

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return self._waiting

    @property
    def callers(self) -> int:
        """Of how many callers anything is remembered."""
        return len(self._going.keys() | self._lines.keys())

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncGenerator[None]:
        """One turn of `caller`, given back at the end of the block; raises as `enter` does."""
        await self.enter(caller)
        try:
            yield
        finally:
            self.leave(caller)

    async def enter(self, caller: str) -> None:
        """Waits for a turn; whoever got one calls `leave` once. Raises TooManyAtOnceError or BusyError."""
        place = self._ask(caller)
        if place is not None:
            await self._wait(caller, place)

    async def _wait(self, caller: str, place: Future[None]) -> None:
        try:
            async with asyncio.timeout(self.limits.seconds):
                await asyncio.wrap_future(place)
        except BaseException as error:
            waited = self._stand_back(caller, place)
            if isinstance(error, TimeoutError):
                if waited:
                    raise self._refusal(own=self._going.get(caller, 0) >= self.limits.each) from None
                return  # the turn came at the last moment
            if not waited:
                self.leave(caller)
            raise

    def leave(self, caller: str) -> None:
        """Gives a turn back; whoever is next goes on."""
        with self._lock:
            self._at_once -= 1
            self._going[caller] -= 1
            if not self._going[caller]:
                del self._going[caller]
            self._call_next()

    def _ask(self, caller: str) -> Future[None] | None:
        """A place in the line; None where none is needed."""
        with self._lock:
            # Whoever waits could not go on either, so nobody is overtaken here.
            if self._may(caller):
                self._go(caller)
                return None
            line = self._lines.get(caller, ())
            if len(line) < self.limits.waiting_each and self._waiting < self.limits.waiting:
                place: Future[None] = Future()
                self._lines.setdefault(caller, deque()).append(place)
                self._waiting += 1
                return place
            raise self._refusal(own=len(line) >= self.limits.waiting_each)

    def _may(self, caller: str) -> bool:
        return self._at_once < self.limits.at_once and self._going.get(caller, 0) < self.limits.each

    def _go(self, caller: str) -> None:
        self._at_once += 1
        self._going[caller] = self._going.get(caller, 0) + 1

    def _call_next(self) -> None:
        while next_one := next((caller for caller in self._lines if self._may(caller)), None):
            line = self._lines.pop(next_one)
            place = line.popleft()
            if line:
                self._lines[next_one] = line  # behind everybody else who waits
            self._waiting -= 1
            if place.set_running_or_notify_cancel():
                self._go(next_one)
                place.set_result(None)

    def _stand_back(self, caller: str, place: Future[None]) -> bool:
        """Leaves the line; whether there was still a place to leave."""
        with self._lock:
            line = self._lines.get(caller)
            if line is None or place not in line:
                return False
            line.remove(place)
            self._waiting -= 1
            if not line:
                del self._lines[caller]
            return True

    def _refusal(self, *, own: bool) -> BillingError:
        monitoring.turned_away.labels(self.name, "caller" if own else "all").inc()
        if own:
            return TooManyAtOnceError(
                "You have too many requests in flight at once. Wait for their answers before you send more.",
                retry_after=RETRY_S,
            )
        return BusyError(
            "Too many requests are waiting at the moment. Try again in a few seconds.", retry_after=RETRY_S
        )


class Pool:
    """Threads of their own for one kind of work, which callers use by turns."""

    def __init__(self, name: str, limits: Limits) -> None:
        """As many threads as go on at once; `name` is theirs, too."""
        self.turns = Turns(name, limits)
        self._threads = ThreadPoolExecutor(limits.at_once, thread_name_prefix=name)

    async def run(self, caller: str, work: Callable[..., Given], *arguments: object) -> Given:
        """What `work(*arguments)` gives, off the event loop; raises what it raises, or as `Turns.enter` does.

        Whoever stops waiting for it while it runs does not free its thread: the turn ends when the work does.
        """
        await self.turns.enter(caller)
        try:
            job = self._threads.submit(copy_context().run, work, *arguments)
        except BaseException:
            self.turns.leave(caller)
            raise
        job.add_done_callback(lambda _job: self.turns.leave(caller))
        return cast("Given", await asyncio.wrap_future(job))
