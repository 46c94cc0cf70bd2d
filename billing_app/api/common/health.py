"""/healthz and /readyz: for whatever watches the process. They answer without signing in and tell no secrets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, Response

from billing_app import schema
from billing_app.api.common.process import application_of
from billing_app.db import Database
from billing_app.domain.common.errors import UnavailableError
from billing_app.gateways import surroundings
from billing_app.settings import Settings

Check = Callable[[Database], str]
"""Says in a few words what is wrong, or nothing."""

router = APIRouter(include_in_schema=False)


BEAT_S = 0.25
"""How often the event loop is asked whether it comes to its work in time."""

LATE_S = 5.0
"""How late it may be: by then callers of `check` have given up, and pages say that they lost their connection."""

REMEMBERED_S = 30.0
"""How long it is told afterwards, so that somebody who asks every few seconds hears of it."""


class Pulse:
    """Whether this process's event loop does what is due. While it is held up nothing at all is answered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Not beating yet. `clock` gives seconds, for tests."""
        self._clock = clock
        self._due: float | None = None
        self._late: list[tuple[float, float]] = []

    async def beat(self) -> None:
        """Runs as long as the process serves."""
        while True:
            self._due = self._clock() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self.note()

    def note(self) -> None:
        """Notes how late the beat came that was due."""
        now = self._clock()
        late = 0.0 if self._due is None else now - self._due
        if late > LATE_S:
            self._late.append((now, late))
        self._late = [(at, each) for at, each in self._late if now - at <= REMEMBERED_S]

    def held_up(self) -> float:
        """For how many seconds the loop was held up, at worst, of late; 0 where it was not."""
        self.note()
        return max((late for _, late in self._late), default=0.0)


PULSE = Pulse()
"""This process's own."""


@router.get("/healthz")
async def healthz() -> Response:
    """The process is alive and comes to its work. Says nothing of the database: a restart would not mend that."""
    seconds = PULSE.held_up()
    content = {"status": "ok"}
    if seconds:
        content = {"status": "held up", "detail": f"Nothing was answered for {seconds:.0f} s."}
    return JSONResponse(content, 503 if seconds else 200, {"Cache-Control": "no-store"})


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """Whether requests can be served now; 503 with what cannot."""
    checks: Mapping[str, Check] = request.app.state.checks
    database = application_of(request).database
    found = {name: check(database) or "ok" for name, check in checks.items()}
    ready = all(answer == "ok" for answer in found.values())
    content = {"status": "ready" if ready else "not ready", "checks": found}
    return JSONResponse(content, status_code=200 if ready else 503, headers={"Cache-Control": "no-store"})


def database_answers(database: Database) -> str:
    """Whether the database answers a query."""
    try:
        with database.reading() as session:
            session.connection().execute(text("SELECT 1"))
    except SQLAlchemyError:
        return "does not answer"
    return ""


def database_is_current(database: Database) -> str:
    """Whether the tables are of this program's version."""
    try:
        schema.check(database)
    except UnavailableError as error:
        return error.detail
    except SQLAlchemyError:
        return "does not answer"
    return ""


def clocks_agree(database: Database) -> str:
    """Whether this process' clock is the database's."""
    try:
        return database.clock_problem()
    except SQLAlchemyError:
        return "does not answer"


def disk_has_room(database: Database) -> str:
    """Whether SQLite can still write; PostgreSQL looks after its own disk."""
    file = schema.database_file(database)
    return "" if file is None else surroundings.disk_problem(file)


def checks_of(settings: Settings) -> Mapping[str, Check]:
    """What is looked at with these settings."""
    if not settings.redis_url:
        return CHECKS
    return {**CHECKS, "redis": lambda _database: surroundings.redis_problem(settings.redis_url)}


CHECKS: Mapping[str, Check] = {
    "database": database_answers,
    "migrations": database_is_current,
    "clock": clocks_agree,
    "disk": disk_has_room,
}
"""What is looked at with any settings."""
