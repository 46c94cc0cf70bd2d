"""The short way of `check` and `consume`, which a product asks before everything it does.

FastAPI's way from a request to its function takes longer than the function. A request of these routes that is plainly
right (a key, a JSON body of the route's form) is decided together with those that wait beside it, by few statements
(services.access.fast_path). Where those do not suffice it goes to the route's function, asked for the same access.
Anything that is not plainly right goes FastAPI's way, unread, so that one place says what is wrong with a request. The
routes' document is FastAPI's too.
"""

from __future__ import annotations

import re
from asyncio import wrap_future
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billing_app.api.common import problems
from billing_app.api.common.access import OrganizationAccess, RequireOrganization
from billing_app.api.common.body_limits import again, received
from billing_app.api.common.idempotency import IdempotencyKey
from billing_app.api.common.process import application_of
from billing_app.api.usage import routes as usage
from billing_app.api.usage.schemas import (
    AboutAction,
    AboutMetric,
    CheckAnswer,
    CheckRequest,
    ConsumeBatch,
    ConsumeBody,
    ConsumeRequest,
)
from billing_app.domain.common.json_objects import strict
from billing_app.services.access.fast_path import Asker, Consume, FastPath, Question
from billing_app.services.usage.debits import Wanted

BEARER = b"Bearer "

KEY = b"idempotency-key"

LEADERS = 8
"""Meters that are decided at once on PostgreSQL: as many as these routes let in, so that a caller who has all of its
share (api.common.lanes) waiting for meters leaves leaders for others."""

PATH = re.compile(r"/organizations/([^/]+)(/check|/consume)")

idempotency_key = TypeAdapter(IdempotencyKey)


@dataclass(frozen=True, slots=True)
class Lane:
    """One route: who may pass, the form of its body, and its function."""

    route: APIRoute
    entrance: RequireOrganization
    body: TypeAdapter[Any]
    keyed: bool
    answer: Callable[..., Response]


def _route(function: Callable[..., Any]) -> APIRoute:
    routes = usage.router.routes
    return next(route for route in routes if isinstance(route, APIRoute) and route.endpoint is function)


LANES = {
    "/check": Lane(_route(usage.check), usage.ASKING, TypeAdapter(CheckRequest), False, usage.check),
    "/consume": Lane(_route(usage.consume), usage.USING, TypeAdapter(ConsumeBody), True, usage.consume),
}


class HotPath:
    """The innermost layer: answers what it can, and passes on everything else."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        """Wraps `app`, whose API is under `prefix`."""
        self.app = app
        self.prefix = prefix
        self._decisions: WeakKeyDictionary[Engine, FastPath] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        path = scope["path"] if scope["type"] == "http" and scope["method"] == "POST" else ""
        found = PATH.fullmatch(path.removeprefix(self.prefix)) if path.startswith(self.prefix) else None
        sent = _Sent.of(scope) if found and not scope["query_string"] else None
        if found is None or sent is None:
            await self.app(scope, receive, send)
            return
        lane, messages = LANES[found[2]], await received(receive)
        asked = _asked(lane, messages, sent)
        if asked is None:
            await self.app(scope, again(messages, receive), send)
            return
        request = Request({**scope, "route": lane.route})
        scope["route"] = lane.route  # for whoever counts requests
        try:
            answer = await self._usual(request, lane, sent.credential, found[1], asked)
            if answer is None:
                answer = await run_in_threadpool(_work, lane, request, sent.credential, found[1], asked)
        except problems.TOLD as error:
            answer = await problems.told(request, error)
        await answer(scope, receive, send)

    async def _usual(
        self, request: Request, lane: Lane, credential: str, address: str, asked: list[Any]
    ) -> Response | None:
        """The answer to what is usual; None where the route's function must decide."""
        application = application_of(request)
        decisions = self._decisions.get(application.database.engine)
        if decisions is None:
            decisions = FastPath(application.database, leaders=LEADERS)
            self._decisions[application.database.engine] = decisions
        asker = Asker(credential, address, application.clock())
        if lane.keyed:
            body: ConsumeRequest | ConsumeBatch = asked[0]
            if isinstance(body, ConsumeBatch):
                return None
            wanted = Wanted(body.metric, body.quantity, body.mode, asked[1])
            taken = await wrap_future(decisions.consume(Consume(asker, wanted)))
            if taken is None:
                return None
            request.state.caller = taken.actor
            return usage.told_of_consume(body, taken.consumed)
        question = _question(asker, asked[0])
        checked = None if question is None else await wrap_future(decisions.check(question))
        if checked is None:
            return None
        request.state.caller = checked.actor
        return usage.told_of_check(CheckAnswer.model_validate(checked.answer))


def _question(asker: Asker, about: Any) -> Question | None:
    """A question about metrics alone; who is counted already is asked where the events are."""
    if isinstance(about, AboutMetric) and about.subject is None:
        return Question(asker, {about.metric: about.quantity})
    if isinstance(about, AboutAction) and about.subject is None:
        return Question(asker, about.quantities, about.action)
    return None


def _work(lane: Lane, request: Request, credential: str, address: str, asked: list[Any]) -> Response:
    return lane.answer(OrganizationAccess(request, lane.entrance.rule, credential, address), *asked)


@dataclass(frozen=True, slots=True)
class _Sent:
    """What the headers say: the secret, and the key of a request that may be repeated."""

    credential: str
    key: str | None

    @classmethod
    def of(cls, scope: Scope) -> _Sent | None:
        """None for headers that FastAPI should look at."""
        found: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in found and name in {b"authorization", b"content-type", KEY}:
                return None
            found[name] = value
        secret, key = found.get(b"authorization", b""), found.get(KEY)
        if not secret.startswith(BEARER) or found.get(b"content-type") != b"application/json":
            return None
        return cls(secret.removeprefix(BEARER).decode("latin-1"), None if key is None else key.decode("latin-1"))


def _asked(lane: Lane, messages: list[Message], sent: _Sent) -> list[Any] | None:
    """The arguments of the route's function after its access; None if anything about them is wrong."""
    if messages[-1]["type"] != "http.request":
        return None
    try:
        body = lane.body.validate_python(strict(b"".join(message.get("body", b"") for message in messages)))
        return [body, idempotency_key.validate_python(sent.key)] if lane.keyed else [body]
    except (ValidationError, ValueError):
        return None
