"""Errors as RFC 9457 problems: one shape for everything that can go wrong, from a wrong field to a crash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import compile_path

from billing_app.api.common.process import PREFIX, application_of
from billing_app.domain.common.errors import BillingError
from billing_app.log import get_logger

MEDIA_TYPE = "application/problem+json"

MAX_FIELDS = 50
"""Wrong fields that one answer lists; whoever gets that many wrong does not read on."""

CODES = {
    400: "malformed_request",
    404: "route_not_found",
    405: "method_not_allowed",
    408: "body_too_slow",
    413: "body_too_large",
    415: "unsupported_media_type",
}
"""Codes of what is refused before any route sees it."""

RETRY_S = 2
"""When to ask again after the database did not answer: a restart or a switch to a replica takes a moment."""

log = get_logger("billing.requests")

DETAILS = {
    400: "The request could not be read. Is its body valid JSON?",
    404: "There is nothing at this address. The routes are listed at /api/v1/docs.",
    405: "This address does not take that method.",
}


class FieldMistake(BaseModel):
    """One wrong field of a request."""

    field: str = Field(description="where it is: `body.events.0.quantity`")
    detail: str = Field(description="what is wrong with it")


class Problem(BaseModel):
    """RFC 9457. `code` is stable; `detail` is a sentence for a person; other members depend on the code."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="identifies the kind of problem")
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None = Field(default=None, description="quote it when you ask for help")
    errors: list[FieldMistake] | None = Field(default=None, description="every wrong field, with code `invalid_fields`")


class ProblemResponse(JSONResponse):
    """A problem on its way out."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """A problem may tell back what was sent, also what is not Unicode: that stays the escape that it came as."""
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def problem(
    request_id: str | None,
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> ProblemResponse:
    """The answer for one problem."""
    content = {
        "type": f"{PREFIX}/docs#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **members,
    }
    if request_id:
        content["request_id"] = request_id
    return ProblemResponse(content, status_code=status, headers=dict(headers or {}))


def install(app: FastAPI) -> None:
    """Makes every error of `app` a problem."""
    app.add_exception_handler(RequestValidationError, _wrong_fields)
    app.add_exception_handler(HTTPException, _http_exception)
    for error in TOLD:
        app.add_exception_handler(error, told)
    app.add_exception_handler(Exception, _unexpected)


TOLD = (BillingError, OperationalError, InterfaceError, PoolTimeout)
"""What a route's own work may raise to be told."""


async def told(request: Request, error: Exception) -> Response:
    """The problem for one of TOLD."""
    return await (_billing_error if isinstance(error, BillingError) else _unreadable)(request, error)


def request_id_of(request: Request) -> str | None:
    """The id that the request log gave to this request."""
    return request.scope.get("state", {}).get("request_id")


def headers_of(error: BillingError) -> dict[str, str]:
    """Headers that belong to an error, whatever its body says."""
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="billing"'
    if "retry_after" in error.fields:
        headers["Retry-After"] = str(error.fields["retry_after"])
    return headers


async def _billing_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BillingError)
    fields = error.fields
    if str(fields.get("upgrade_url", "")).startswith("/"):
        fields = fields | {"upgrade_url": application_of(request).origin + fields["upgrade_url"]}
    return problem(request_id_of(request), error.status, error.code, error.detail, headers=headers_of(error), **fields)


async def _wrong_fields(request: Request, error: Exception) -> Response:
    """Lists every wrong field, and never what was in it: it may be a password."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(mistake["type"] == "json_invalid" for mistake in found):
        return problem(request_id_of(request), 400, CODES[400], DETAILS[400])
    mistakes = [
        {"field": ".".join(str(part) for part in mistake["loc"]), "detail": mistake["msg"]}
        for mistake in found[:MAX_FIELDS]
    ]
    first = f"{mistakes[0]['field']}: {mistakes[0]['detail']}"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return problem(request_id_of(request), 422, "invalid_fields", f"{first}{more}", errors=mistakes)


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    detail = DETAILS.get(status) or error.detail or HTTPStatus(status).description
    code = CODES.get(status, HTTPStatus(status).name.lower())
    headers = error.headers
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"Allow": _allowed(request) or (headers or {}).get("Allow", "")}
    return problem(request_id_of(request), status, code, detail, headers=headers)


def _allowed(request: Request) -> str:
    """The methods that an address does take, by the document: the router names those of one of its routes alone."""
    path = request.url.path.removeprefix(PREFIX)
    found = {
        method.upper()
        for template, methods in request.app.openapi()["paths"].items()
        if compile_path(template)[0].fullmatch(path)
        for method in methods
    }
    return ", ".join(sorted(found))


async def _unreadable(request: Request, error: Exception) -> Response:
    """The database does not answer, or not in time. That is never a "no" (credits.md, Exact blocking)."""
    cause = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    log.warning("state_unavailable", request_id=request_id_of(request), cause=cause)
    detail = "The state cannot be read at the moment. Try again in a few seconds."
    headers = {"Retry-After": str(RETRY_S)}
    return problem(request_id_of(request), 503, "state_unavailable", detail, headers=headers)


async def _unexpected(request: Request, _error: Exception) -> Response:
    """A fault of ours. The trace is in the log under the request's id; nothing of it leaves."""
    return unexpected(request_id_of(request))


def unexpected(request_id: str | None) -> ProblemResponse:
    """The answer to a fault of ours."""
    return problem(
        request_id, 500, "internal_error", "Something went wrong on our side. Quote the request id when you ask us."
    )


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
