"""Work that ends in its middle, before a chosen write to the database: in this process, or with a real `kill -9`."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import delete, event
from sqlalchemy.orm import configure_mappers

from billing_app.db import Database
from billing_app.store.tables.runs import Lease
from tests.support.patience import PATIENCE_SECONDS

WAIT_SECONDS = PATIENCE_SECONDS

# Done once, before processes are forked, instead of in each of them.
configure_mappers()
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.support.shop", "tests.support.crashes", "requests"])


class Killed(BaseException):
    """Nothing but the end of a transaction happens after this: no `except Exception` sees it."""


@contextmanager
def before_write(database: Database, write: int, die: Callable[[], None]) -> Generator[None]:
    """Calls `die` before the `write`th write. INSERT, UPDATE, DELETE and COMMIT count as writes, from 1 on."""
    seen = 0

    def note() -> None:
        nonlocal seen
        seen += 1
        if seen == write:
            die()

    def statement(_connection: Any, _cursor: Any, text: str, *_more: Any) -> None:
        if text.lstrip().startswith(("INSERT", "UPDATE", "DELETE")):
            note()

    def commit(_connection: Any) -> None:
        note()

    event.listen(database.engine, "before_cursor_execute", statement)
    event.listen(database.engine, "commit", commit)
    try:
        yield
    finally:
        event.remove(database.engine, "before_cursor_execute", statement)
        event.remove(database.engine, "commit", commit)


def survives(database: Database, write: int, work: Callable[[], object]) -> bool:
    """Does `work`, but not from its `write`th write on; False if there was one."""

    def die() -> None:
        raise Killed

    try:
        with before_write(database, write, die):
            work()
    except Killed:
        return False
    return True


def leases_run_out(database: Database) -> None:
    """What comes to pass by itself 20 s after a death: nothing is held any more by who died."""
    with database.writing() as session:
        session.connection().execute(delete(Lease))


def killed(url: str, write: int, work: Callable[..., object], *arguments: Any) -> bool:
    """Does `work(database, *arguments)` in a process that kills itself; whether it came to that.

    `work` must be a function of a module.
    """
    process = _processes.Process(target=_live, args=(url, write, work, arguments))
    process.start()
    process.join(WAIT_SECONDS)
    assert process.exitcode in (0, -signal.SIGKILL), f"the process ended with {process.exitcode}"
    return process.exitcode != 0


def _live(url: str, write: int, work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    database = Database(url)
    with before_write(database, write, lambda: os.kill(os.getpid(), signal.SIGKILL)):
        work(database, *arguments)
    database.close()
