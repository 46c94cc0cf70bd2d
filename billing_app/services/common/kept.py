"""What was worked out of an organization's facts, kept until one of them is another one.

Reading is asked far more often than anything is written. So what took work (a run of the engine, an answer made of
several) stays in this process and is given again as long as the organization's state names it: its revision, which
every change raises in its own transaction, the catalogue, and the latest recount. The state is read anew in each
transaction, before anything else, so that an answer after a write always holds the write. What changes by time alone
(a period's turn, an end of credits) says so with a moment, `until`; what is made of several stands as long as each of
them does.

Only transactions that cannot write keep anything: what others have not committed is nobody else's.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlmodel import Session

from billing_app.db import READING
from billing_app.domain.credits.facts import NEVER
from billing_app.services.catalogue import versions
from billing_app.store.organizations import organizations as store
from billing_app.store.organizations.organizations import State
from billing_app.store.tables.organizations import Organization

Value = TypeVar("Value")

KEPT_FOR = timedelta(seconds=30)
"""How far what is kept may lie back: no pace and no forecast moves in that time."""

MOST_WEIGHT = 400_000
"""Of all that a process keeps of a database; roughly points of a timeline, or hundreds of bytes: some 60 MB."""

MOST_VALUES = 64
"""Values of one organization: whoever asks about ever new moments does not fill the memory."""

STATES, UNTIL = "kept.states", "kept.until"
"""In `Session.info`: the states read in this transaction, and until when what is being made would stand."""


@dataclass(frozen=True, slots=True)
class Fresh(Generic[Value]):
    """What was just worked out; it stands `until` then if nothing changes, and weighs as much in memory."""

    value: Value
    until: datetime = NEVER
    weight: int = 1


@dataclass(slots=True)
class _Kept:
    value: Any
    at: datetime
    until: datetime
    weight: int


@dataclass(slots=True, eq=False)
class _Shelf:
    """What is kept of some organizations, as of one state of theirs."""

    state: State
    values: OrderedDict[Hashable, _Kept] = field(default_factory=OrderedDict)
    weight: int = 0
    making: threading.RLock = field(default_factory=threading.RLock)
    """Held by whoever works something out: others want the same, and Python does one thing at a time anyway."""


class _Shelves:
    """All shelves of one database; those that were used last stay."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shelves: OrderedDict[tuple[int, ...], _Shelf] = OrderedDict()
        self._weight = 0

    def of(self, owners: tuple[int, ...], state: State) -> _Shelf:
        with self._lock:
            found = self._shelves.get(owners)
            if found is None or found.state != state:
                self._drop(owners)
                found = self._shelves[owners] = _Shelf(state)
            self._shelves.move_to_end(owners)
            return found

    def find(self, shelf: _Shelf, asked: Hashable, now: datetime) -> _Kept | None:
        with self._lock:
            kept = shelf.values.get(asked)
            if kept is None or not kept.at <= now < kept.until:
                return None
            shelf.values.move_to_end(asked)
            return kept

    def put(self, owners: tuple[int, ...], shelf: _Shelf, asked: Hashable, kept: _Kept) -> None:
        """Keeps a value; where another state has taken the shelf's place meanwhile it is kept by nobody."""
        with self._lock:
            if self._shelves.get(owners) is not shelf:
                return
            self._forget(shelf, asked)
            shelf.values[asked] = kept
            self._weigh(shelf, kept.weight)
            while len(shelf.values) > MOST_VALUES:
                self._forget(shelf, next(iter(shelf.values)))
            while self._weight > MOST_WEIGHT:
                self._drop(next(iter(self._shelves)))

    def _drop(self, owners: tuple[int, ...]) -> None:
        dropped = self._shelves.pop(owners, None)
        if dropped is not None:
            self._weight -= dropped.weight

    def _forget(self, shelf: _Shelf, asked: Hashable) -> None:
        old = shelf.values.pop(asked, None)
        if old is not None:
            self._weigh(shelf, -old.weight)

    def _weigh(self, shelf: _Shelf, weight: int) -> None:
        shelf.weight += weight
        self._weight += weight


_shelves: WeakKeyDictionary[Engine, _Shelves] = WeakKeyDictionary()
_making = threading.Lock()


def get(
    session: Session,
    owners: tuple[Organization, ...],
    now: datetime,
    asked: Hashable,
    make: Callable[[], Fresh[Value]],
) -> Value:
    """What is kept under `asked` of these organizations, or what `make` gives, which is then kept. Nobody changes it.

    `owners` are all on whose facts it depends: whoever asks, and who pays.
    """
    if not session.info.get(READING):
        return make().value
    ids = tuple(sorted({each.pk for each in owners}))
    state = _state(session, ids)
    shelves = _of(session)
    shelf = shelves.of(ids, state)
    kept = shelves.find(shelf, asked, now)
    if kept is None:
        with shelf.making:
            kept = shelves.find(shelf, asked, now)
            if kept is None:
                kept = _made(session, now, make)
                shelves.put(ids, shelf, asked, kept)
    session.info[UNTIL] = min(session.info.get(UNTIL, NEVER), kept.until)
    return cast("Value", kept.value)


def revisions(session: Session, owners: tuple[Organization, ...]) -> dict[int, int]:
    """The revisions of one organization, or of one and its payer; a transaction that cannot write asks once."""
    ids = tuple(sorted({each.pk for each in owners}))
    return dict((_state(session, ids) if session.info.get(READING) else store.state(session, ids)).revisions)


def _made(session: Session, now: datetime, make: Callable[[], Fresh[Any]]) -> _Kept:
    """What `make` gives, with the earliest `until` of whatever it took from here."""
    outer = session.info.pop(UNTIL, NEVER)
    try:
        fresh = make()
        until = min(fresh.until, session.info.get(UNTIL, NEVER), now + KEPT_FOR)
        return _Kept(fresh.value, now, until, fresh.weight)
    finally:
        session.info[UNTIL] = outer


def _state(session: Session, ids: tuple[int, ...]) -> State:
    states: dict[tuple[int, ...], State] = session.info.setdefault(STATES, {})
    if ids not in states:
        states[ids] = store.state(session, ids)
        versions.just_read(session, states[ids].catalogue)
    return states[ids]


def _of(session: Session) -> _Shelves:
    engine = session.get_bind().engine
    found = _shelves.get(engine)
    if found is None:
        with _making:
            found = _shelves.setdefault(engine, _Shelves())
    return found
