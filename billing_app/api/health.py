"""/healthz and /readyz: for whatever watches the process. They answer without signing in and tell no secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, Response

from billing_app import schema
from billing_app.api.context import context_of
from billing_app.db import Database
from billing_app.domain.errors import UnavailableError

Check = Callable[[Database], str]
"""Says in a few words what is wrong, or nothing."""

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive. Says nothing of the database: a restart would not mend that."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """Whether requests can be served now; 503 with what cannot."""
    checks: Mapping[str, Check] = request.app.state.checks
    database = context_of(request).database
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


CHECKS: Mapping[str, Check] = {"database": database_answers, "migrations": database_is_current}
"""What is looked at unless more is asked for: the scheduler's lease, for one, adds itself where jobs run."""
