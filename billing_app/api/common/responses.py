"""What OpenAPI says of answers: every route names the problems that it may answer with."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from billing_app.api.common.problems import MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]

PROBLEM_SCHEMA = "#/components/schemas/Problem"

IN_A_LINE = (429, 503)
"""What every route may answer that was not begun, because too much waits (api.common.lanes)."""

BEHIND_A_DOOR = (401, 403, 404, 422)
"""What may be answered before the route does anything: 422 to parameters that it does not take."""

READING_A_BODY = (400, 408, 413, 415, 422)
"""What a route may answer that reads a body."""


def problems(*statuses: int) -> Responses:
    """The `responses` of a route that may answer with these statuses besides its own."""
    return {status: _response(status) for status in sorted({*statuses, *IN_A_LINE})}


def guarded(*more: int) -> Responses:
    """The same for a route of an organization."""
    return problems(*sorted({*BEHIND_A_DOOR, *more}))


def _response(status: int) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    if status < HTTPStatus.BAD_REQUEST:
        return {"description": phrase}
    return {"description": phrase, "content": {MEDIA_TYPE: {"schema": {"$ref": PROBLEM_SCHEMA}}}}
