"""What every request must keep before its route looks at it: the parameters, the media type and the fields that the
OpenAPI document says. One place for all routes, so that a parameter that does nothing here does nothing anywhere.

A caller who sends `?form=` for `?from=` must have meant something; an answer about everything would be the wrong one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from email.message import Message
from typing import Any, NamedTuple

from fastapi import Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.params import Cookie, Form, Header, Path
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from billing_app.api.common.body_limits import raw_body
from billing_app.api.common.problems import CODES, DETAILS, problem, request_id_of
from billing_app.domain.common.errors import BillingError
from billing_app.domain.common.json_objects import RepeatedError, strict

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})
"""JSON is UTF-8 (RFC 8259), and our own forms are too."""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods whose body says nothing to anyone (RFC 9110)."""


class Frame(NamedTuple):
    """What one operation takes. `media` None: it reads its body by itself, whatever it is."""

    queries: tuple[str, ...]
    required: tuple[str, ...]
    media: tuple[str, ...] | None
    fields: tuple[str, ...]


class PlainPaths:
    """Refuses addresses of the API with control characters.

    A router's expressions read over a newline at the end, so that `/plans%0A` was the plans, and do not match one
    elsewhere, which was then looked for as a page.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        """Wraps `app`, whose API is under `prefix`."""
        self.app = app
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path.startswith(self.prefix) and CONTROL.search(path):
            answer = problem(request_id_of(Request(scope)), 404, CODES[404], DETAILS[404])
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)


async def framed(request: Request) -> None:
    """Refuses what the document does not know.

    Raises RequestValidationError for parameters, form fields and bodies, BillingError `unsupported_media_type` (415).
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not route.include_in_schema:
        return
    frames: dict[int, Frame] = request.app.state.__dict__.setdefault("frames", {})
    frame = frames.get(id(route)) or frames.setdefault(id(route), _frame(route))
    _require_known("query", "parameter", request.query_params.multi_items(), frame.queries, frame.required)
    if request.method in WITHOUT_BODY or frame.media is None:
        return
    sent = await request.body() if frame.media != (FORM,) else b""
    if not frame.media:
        if sent.strip() not in (b"", b"{}"):
            raise _wrong("body", "this route takes no body: nothing in it would count")
        return
    if "content-type" in request.headers or sent:
        _require_media(request, frame.media)
    if frame.media == (JSON,) and sent:
        _require_once(sent)
    if frame.media == (FORM,):
        _require_known("body", "field", _texts(await request.form()), frame.fields, frame.fields)


class FormRoute(APIRoute):
    """A route of a form. FastAPI reads a form before it asks any dependency, whatever it is called: looked at first."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind a look at the media type."""
        handler = super().get_route_handler()

        async def framed_handler(request: Request) -> Response:
            if self.body_field is not None and "content-type" in request.headers:
                _require_media(request, (FORM,))
            return await handler(request)

        return framed_handler


def media_type(request: Request) -> str:
    """The media type of a body, without its parameters and in small letters."""
    return _content_type(request).get_content_type() if "content-type" in request.headers else ""


def _content_type(request: Request) -> Message:
    message = Message()
    message["content-type"] = ", ".join(request.headers.getlist("content-type"))
    return message


def _require_media(request: Request, known: tuple[str, ...]) -> None:
    sent, media = request.headers.get("content-type", ""), media_type(request)
    charset = str(_content_type(request).get_param("charset", "utf-8")).lower()
    if media not in known or sent.partition(";")[0].strip().lower() != media:
        raise BillingError(
            f"Send {' or '.join(known)}{f', not {sent[:100]!r}' if sent else ': say so in Content-Type'}.",
            code="unsupported_media_type",
            status=415,
        )
    if charset not in CHARSETS:
        raise BillingError(f"Send UTF-8, not {charset[:40]!r}.", code="unsupported_media_type", status=415)


def _require_known(
    where: str, what: str, sent: Iterable[tuple[str, str]], known: tuple[str, ...], may_be_empty: tuple[str, ...]
) -> None:
    """An empty value that may be left out says nothing; of one that must be there the route says what is wrong."""
    found = list(sent)
    takes = f"this route takes {', '.join(known)}" if known else f"this route takes no {what}s"
    mistakes = [(name, f"there is no {what} of this name: {takes}") for name, _ in found if name not in known]
    counts = Counter(name for name, _ in found)
    mistakes += [(name, f"sent {count} times: send it once") for name, count in counts.items() if count > 1]
    mistakes += [
        (name, "is empty: give it a value or leave it out")
        for name, value in found
        if value == "" and name not in may_be_empty
    ]
    if mistakes:
        raise RequestValidationError([_mistake((where, name[:100]), detail) for name, detail in mistakes])


def _require_once(sent: bytes) -> None:
    """What FastAPI has read as JSON already, and let through: members said twice, of which the last would count."""
    try:
        strict(sent)
    except RepeatedError as error:
        raise RequestValidationError([_mistake(("body", error.name), "appears twice: send it once")]) from None
    except ValueError as error:
        raise RequestValidationError([{"type": "json_invalid", "loc": ("body",), "msg": str(error)}]) from None


def _wrong(where: str, detail: str) -> RequestValidationError:
    return RequestValidationError([_mistake((where,), detail)])


def _mistake(place: tuple[str, ...], detail: str) -> dict[str, Any]:
    return {"type": "not_taken", "loc": place, "msg": detail}


def _texts(form: Any) -> list[tuple[str, str]]:
    return [(name, value if isinstance(value, str) else "") for name, value in form.multi_items()]


def _frame(route: APIRoute) -> Frame:
    """By what FastAPI makes the document of; making that takes seconds, which no first request should wait for."""
    elsewhere = (Path, Header, Cookie)  # of a query that is a model, the fields are not marked
    found = [field for field in get_flat_params(route.dependant) if not isinstance(field.field_info, elsewhere)]
    queries = tuple(field.alias for field in found)
    # Where people are sent on to a page, it is that page that says what is wrong with their link.
    leads_on = 303 in route.responses
    required = tuple(field.alias for field in found if leads_on or field.field_info.is_required())
    own = (route.openapi_extra or {}).get("requestBody")
    if own is not None:
        return Frame(queries, required, tuple(own["content"]), ())
    if route.body_field is None:
        by_itself = any(each.call is raw_body for each in route.dependant.dependencies)
        return Frame(queries, required, None if by_itself else (), ())
    if isinstance(route.body_field.field_info, Form):
        return Frame(queries, required, (FORM,), tuple(field.alias for field in route.dependant.body_params))
    return Frame(queries, required, (JSON,), ())
