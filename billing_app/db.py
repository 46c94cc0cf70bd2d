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

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool
from sqlmodel import Session

IDLE_SECONDS = 1.0
"""How long a connection may have been unused before it is asked whether it still lives: a busy one would have said."""

BUSY_TIMEOUT_MS = 15_000
"""How long a SQLite writer waits for another; longer than any batch, which commits every 200 ms."""

READ_ONLY = "billing_read_only"

CLOCK = "clock"
"""In `Session.info`: where whoever has got a lock reads the moment, a callable (`store.locks`)."""

HELD = "held"
"""In `Session.info`: the locks that the transaction holds (`store.locks`)."""


class Database:
    """An engine and the two ways to use it: `writing` (commits at the end) and `reading`."""

    def __init__(self, url: str, *, schema: str = "") -> None:
        """Opens `url`: sqlite:///FILE, sqlite:// (in memory) or postgresql+psycopg://...

        `schema` is the PostgreSQL schema to work in, if not the default one.
        """
        self.url = make_url(url)
        if self.url.drivername in ("postgresql", "postgres"):
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.sqlite else _postgresql_engine(self.url, schema)
        self.clock: Callable[[], datetime] | None = None

    def ticking(self, clock: Callable[[], datetime]) -> Database:
        """The same database for a process that lives: whoever waited for a lock reads its moment from `clock` anew.

        Without one, moments that are passed in are those of the locks: for stories of the past, and tests.
        """
        found = copy.copy(self)
        found.clock = clock
        return found

    @contextmanager
    def writing(self) -> Generator[Session]:
        """One transaction that may write: committed at the end, rolled back on any error."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.info[CLOCK] = self.clock
            yield session

    @contextmanager
    def reading(self) -> Generator[Session]:
        """One transaction that only reads: a consistent view that blocks nobody."""
        options = {READ_ONLY: True} if self.sqlite else {"postgresql_readonly": True}
        with self.engine.connect().execution_options(**options) as connection, Session(connection) as session:
            yield session

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
            yield session

    def close(self) -> None:
        """Closes every connection."""
        self.engine.dispose()


@event.listens_for(Session, "do_orm_execute")
def _read_anew(state: ORMExecuteState) -> None:
    """Under a lock rows are read as they stand: what the session remembers of them is from before it waited."""
    if state.is_select and not state.is_column_load and state.session.info.get(HELD):
        state.update_execution_options(populate_existing=True)


def _postgresql_engine(url: URL, schema: str) -> Engine:
    arguments = {"options": f"-csearch_path={schema}"} if schema else {}
    # Parameters are people's addresses and hashes of secrets: none of them belongs in an error's text, and so in a log.
    engine = create_engine(url, pool_size=10, connect_args=arguments, hide_parameters=True)

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


def _sqlite_engine(url: URL) -> Engine:
    in_memory = url.database in (None, "", ":memory:")
    if not in_memory:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    pool = {"poolclass": StaticPool} if in_memory else {}
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
