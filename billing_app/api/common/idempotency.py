"""The header `Idempotency-Key`: required wherever a request that is sent twice would cost twice.

A route asks for `Once` and leaves its transaction to it:

    @router.post("/redeem", response_model=Redeemed, responses=behind_a_door(*READING_A_BODY, *REPEATABLE))
    def redeem(access: Buying, request: RedeemRequest, once: FromRepeatable) -> Response:
        return once.answer(access, request, lambda context: Redeemed.model_validate(gift_cards.redeem(context, ...)))
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from billing_app.api.common.access import Access, AnyContext, RequestContext
from billing_app.api.common.schemas import MAX_TEXT, VISIBLE
from billing_app.services.common import idempotency
from billing_app.services.common.idempotency import OPERATORS, Repeatable

REPEATED = "Idempotent-Replayed"
"""The header of an answer that was given before."""

REPEATABLE = (409, 422)
"""What a route may answer to a key that cannot be used."""

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_TEXT,
        pattern=VISIBLE,
        description="1 to 255 characters of your choice: the same key with the same body is the same request",
    ),
]


class Once:
    """One request that may be repeated, with its key."""

    def __init__(self, request: Request, key: IdempotencyKey) -> None:
        """Notes the route (keys of different routes are apart) and the path (which is part of what is asked)."""
        self.key = key
        self._route = f"{request.method} {request.scope['route'].path}"
        self._path: str = request.url.path

    def answer(
        self,
        access: Access[AnyContext],
        body: BaseModel | None,
        work: Callable[[AnyContext], BaseModel],
        *,
        status: int = 200,
        private: bool = False,
    ) -> Response:
        """Does `work` in one writing transaction of whoever may pass, or gives the first answer again, refusals too.

        `private`: the answer holds secrets that are shown once, see services.common.idempotency.once.
        """
        with access.writing() as context:
            owner = context.organization_id if isinstance(context, RequestContext) else OPERATORS
            request = Repeatable(owner, self._route, self.key, self.digest(body))

            def answered() -> object:
                return work(context).model_dump(mode="json", by_alias=True)

            outcome = idempotency.once(context.session, request, context.now, answered, private=private)
        if outcome.refusal is not None:
            raise outcome.refusal
        return JSONResponse(outcome.content, status, headers={REPEATED: "true"} if outcome.repeated else None)

    def digest(self, body: BaseModel | None) -> str:
        """Names what the request says: its path and its body, however that was written."""
        said = None if body is None else body.model_dump(mode="json")
        return hashlib.sha256(json.dumps([self._path, said], sort_keys=True).encode()).hexdigest()[:32]


FromRepeatable = Annotated[Once, Depends()]
