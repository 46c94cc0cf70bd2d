"""HTTP for the control actions: key, JSON, one transaction, Stripe-shaped errors."""

import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from fake_stripe.account import Account
from fake_stripe.api import bearer_of
from fake_stripe.contract.shapes import public
from fake_stripe.control import actions, registry
from fake_stripe.errors import StripeError
from fake_stripe.storage import accounts
from fake_stripe.storage.database import Database

LOG = logging.getLogger("fake_stripe")
MAX_BODY_BYTES = 100_000


class Control:
    """Answers the control API from one database."""

    def __init__(self, database: Database, public_url: str) -> None:
        self.database = database
        self.public_url = public_url

    def routes(self) -> list[Route]:
        """One route per registered action."""
        actions.load()
        return [Route(route.path, self._endpoint(route), methods=[route.method]) for route in registry.ROUTES]

    def _endpoint(self, route: registry.Route) -> Callable[[Request], Awaitable[JSONResponse]]:
        async def endpoint(http: Request) -> JSONResponse:
            try:
                key = bearer_of(http.headers.get("authorization", ""))
                sent = registry.Sent(await _members(http))
                answer = self._perform(route, key, dict(http.path_params), sent)
            except StripeError as refusal:
                return JSONResponse(refusal.body(), refusal.status)
            except Exception:  # the edge: whatever is wrong inside, the caller must get an answer it can read
                LOG.exception("%s %s failed", route.method, route.path)
                broken = StripeError("The fake Stripe failed; its log has the trace.", kind="api_error", status=500)
                return JSONResponse(broken.body(), broken.status)
            return JSONResponse(answer)

        return endpoint

    def _perform(self, route: registry.Route, key: str, ids: dict[str, str], sent: registry.Sent) -> Any:
        with self.database.transaction() as connection:
            identifier = accounts.of_key(connection, key, int(time.time()))
            account = Account(connection, identifier, self.public_url)
            try:
                answer = route.action(account, ids, sent)
            except StripeError as refusal:
                if not refusal.keeps_effects:
                    raise
                return public(refusal.body())
            sent.finish()
            return public(answer)


async def _members(http: Request) -> dict[str, Any]:
    body = await http.body()
    if len(body) > MAX_BODY_BYTES:
        raise StripeError("The request is too large.", status=413)
    if not body:
        return dict(http.query_params)
    try:
        members = json.loads(body)
    except ValueError as error:
        raise StripeError("The request body is not JSON.") from error
    if not isinstance(members, dict):
        raise StripeError("The request body must be a JSON object.")
    return members
