"""The database: one engine per process, one transaction per entry point.

SQLite serves one process (WAL, foreign keys on, every commit synced); PostgreSQL serves many. A transaction that may
write begins with BEGIN IMMEDIATE on SQLite, so that it waits for its turn instead of failing half-way.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import ORMExecuteState, SessionTransaction
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool
from sqlmodel import Session

from billing_app import private_files
from billing_app.clock_watch import ClockWatch

IDLE_SECONDS = 1.0
"""How long a connection may have been unused before it is asked whether it still lives: a busy one would have said."""

BUSY_TIMEOUT_MS = 15_000
"""How long a SQLite writer waits for another; longer than any batch, which commits every 200 ms."""

LOCK_TIMEOUT_MS = 15_000
"""The same on PostgreSQL for whatever a request or a page waits for: nobody there waits for ever."""

NOTE_TIMEOUT_MS = 50
"""How long a note waits that may as well be made by the next request."""

POOL_SECONDS = 5.0
"""How long work waits for a connection. Turns keep more from coming than there are connections (billing_app.turns)."""

CONNECTIONS = 10
"""Connections that a process keeps for what has no limit of its own: jobs, commands, readiness."""

READ_ONLY = "billing_read_only"

CLOCK = "clock"
"""In `Session.info`: where whoever has got a lock reads the moment, a callable (`store.common.locks`)."""

READING = "reading"
"""In `Session.info`: whether the transaction can only read."""

HELD = "held"
"""In `Session.info`: the locks that the transaction holds (`store.common.locks`)."""


class Database:
    """An engine and the two ways to use it: `writing` (commits at the end) and `reading`."""

    def __init__(self, url: str | URL, *, schema: str = "", connections: int = 0) -> None:
        """Opens `url`: sqlite:///FILE, sqlite:// (in memory) or postgresql+psycopg://...

        `schema` is the PostgreSQL schema to work in, if not the default one. `connections`: no more than so many, and
        none of them waits long for a lock.
        """
        self.url = make_url(url)
        if self.url.drivername in ("postgresql", "postgres"):
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.sqlite = self.url.get_backend_name() == "sqlite"
        pool = _pool(connections)
        self.engine = _sqlite_engine(self.url, pool) if self.sqlite else _postgresql_engine(self.url, schema, pool)
        if connections and not self.sqlite:
            _impatient(self.engine)
        self._schema = schema
        self._parts: list[Database] = []
        self.clock: Callable[[], datetime] | None = None
        self.watch: ClockWatch | None = None

    def ticking(self, clock: Callable[[], datetime]) -> Database:
        """The same database for a process that lives: whoever waited for a lock reads its moment from `clock` anew.

        Without one, moments that are passed in are those of the locks: for stories of the past, and tests.
        """
        found = copy.copy(self)
        found.clock = clock
        return found

    def part(self, connections: int) -> Database:
        """The same database through connections that nothing else uses; closed together with this one.

        One in memory has a single connection, which everybody uses.
        """
        if self.sqlite and self.url.database in IN_MEMORY:
            return self
        part = Database(self.url, schema=self._schema, connections=connections)
        part.clock, part.watch = self.clock, self.watch
        self._parts.append(part)
        return part

    @property
    def engines(self) -> list[Engine]:
        """Every engine: this one's and those of its parts."""
        return [self.engine, *(part.engine for part in self._parts)]

    def watched(self) -> Database:
        """The same for a process of its own: it writes only while its clock and the database's agree."""
        found = copy.copy(self)
        found.watch = None if self.clock is None else ClockWatch(self.clock)
        return found

    def clock_problem(self) -> str:
        """What is wrong with this process' clock, compared now; nothing where it is right or not compared."""
        if self.watch is None:
            return ""
        with self.engine.connect() as connection:
            return self.watch.look(connection)

    @contextmanager
    def writing(self) -> Generator[Session]:
        """One transaction that may write: committed at the end, rolled back on any error."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.info[CLOCK] = self.clock
            if self.watch is not None:
                self.watch.require(session.connection())
            yield session

    @contextmanager
    def reading(self) -> Generator[Session]:
        """One transaction that only reads: a consistent view that blocks nobody.

        Every statement sees the database as the first one found it, as on SQLite: what is kept under an organization's
        state (services.common.kept) must not be older than that, and figures of one answer belong together.
        """
        snapshot = {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
        options = {READ_ONLY: True} if self.sqlite else snapshot
        with self.engine.connect().execution_options(**options) as connection, Session(connection) as session:
            session.info[READING] = True
            yield session

    @contextmanager
    def glance(self) -> Generator[Connection]:
        """For single statements that only read, without the ORM: none of them is to be seen together with another."""
        options = {READ_ONLY: True} if self.sqlite else {"isolation_level": "AUTOCOMMIT"}
        with self.engine.connect().execution_options(**options) as connection:
            yield connection

    @contextmanager
    def single(self, *, writing: bool = True) -> Generator[Session]:
        """For work that one statement decides: on PostgreSQL each statement is a transaction of its own.

        Nobody waits for BEGIN and COMMIT, and a row that many want is not held until Python has its turn. SQLite, where
        those cost nothing, does as `writing` or `reading`.
        """
        if self.sqlite:
            with self.writing() if writing else self.reading() as session:
                yield session
            return
        options = {"isolation_level": "AUTOCOMMIT"}
        with self.engine.connect().execution_options(**options) as connection, Session(connection) as session:
            session.info[CLOCK] = self.clock
            if writing and self.watch is not None:
                self.watch.require(connection)
            yield session

    @contextmanager
    def noting(self) -> Generator[Session]:
        """A transaction for a note that may as well be made later: OperationalError where it would have to wait."""
        with self.engine.connect() as connection:
            if self.sqlite:
                _busy_timeout(connection, NOTE_TIMEOUT_MS)
            try:
                with Session(connection, expire_on_commit=False) as session, session.begin():
                    if not self.sqlite:
                        session.connection().exec_driver_sql(f"SET LOCAL lock_timeout = {NOTE_TIMEOUT_MS}")
                    yield session
            finally:
                if self.sqlite:
                    _busy_timeout(connection, BUSY_TIMEOUT_MS)

    def close(self) -> None:
        """Closes every connection."""
        for part in self._parts:
            part.close()
        self.engine.dispose()


@event.listens_for(Session, "do_orm_execute")
def _read_anew(state: ORMExecuteState) -> None:
    """Under a lock rows are read as they stand: what the session remembers of them is from before it waited."""
    if state.is_select and not state.is_column_load and state.session.info.get(HELD):
        state.update_execution_options(populate_existing=True)


HELD_BEFORE = "held_before"
"""In `Session.info`: the locks that were held when each open savepoint was set."""


@event.listens_for(Session, "after_transaction_create")
def _remember_locks(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        before = session.info.setdefault(HELD_BEFORE, WeakKeyDictionary())
        before[transaction] = frozenset(session.info.get(HELD, ()))


@event.listens_for(Session, "after_soft_rollback")
def _give_locks_back(session: Session, transaction: SessionTransaction) -> None:
    """A savepoint that is undone releases what was locked since: whoever locks that again may wait once more."""
    if transaction.nested and HELD in session.info:
        session.info[HELD].intersection_update(session.info[HELD_BEFORE][transaction])


IN_MEMORY = (None, "", ":memory:")
"""What SQLAlchemy's address of a SQLite database in memory names as its file."""


def _pool(connections: int) -> dict[str, Any]:
    """Connections are kept, not closed after a burst; the one used last is used next, so that the rest may rest."""
    if not connections:
        return {"pool_size": CONNECTIONS}
    return {"pool_size": connections, "max_overflow": 0, "pool_timeout": POOL_SECONDS, "pool_use_lifo": True}


def _busy_timeout(connection: Connection, milliseconds: int) -> None:
    cursor = connection.connection.cursor()  # below SQLAlchemy, which would begin a transaction first
    cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
    cursor.close()


def _impatient(engine: Engine) -> None:
    """Whatever waits for a lock for LOCK_TIMEOUT_MS fails with an OperationalError, as it does on SQLite."""

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
        cursor.close()
        connection.commit()


def _postgresql_engine(url: URL, schema: str, pool: dict[str, Any]) -> Engine:
    arguments = {"options": f"-csearch_path={schema}"} if schema else {}
    # Parameters are people's addresses and hashes of secrets: none of them belongs in an error's text, and so in a log.
    engine = create_engine(url, connect_args=arguments, hide_parameters=True, **pool)

    @event.listens_for(engine, "checkin")
    def rest(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ask(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - record.info.get("rests_since", math.inf) < IDLE_SECONDS:
            return
        if not _lives(engine, connection):
            raise DisconnectionError  # the pool then tries another one

    return engine


def _lives(engine: Engine, connection: DBAPIConnection) -> bool:
    try:
        return engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        return False


def _sqlite_engine(url: URL, pool: dict[str, Any]) -> Engine:
    if url.database in IN_MEMORY:
        pool = {"poolclass": StaticPool}
    else:
        file = Path(str(url.database))
        private_files.folder(file.absolute().parent)
        if not file.name.startswith("file:"):
            private_files.make(file)
    engine = create_engine(url, connect_args={"check_same_thread": False}, hide_parameters=True, **pool)

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get(READ_ONLY)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
