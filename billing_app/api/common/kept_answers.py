"""Answers that are written once and sent until something that they tell has changed (services.common.kept)."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from pydantic import BaseModel
from starlette.responses import Response

from billing_app.services.common import kept, payers
from billing_app.services.common.context import Context

BYTES = 150
"""Of an answer that weigh as much as a point of a timeline."""


def kept_json(context: Context, asked: Hashable, make: Callable[[], BaseModel]) -> Response:
    """The JSON of what `make` gives, which says nothing of the moment at which it is asked.

    `make` takes what is computed from what is kept below it, and so knows until when it stands.
    """
    session, organization, now = context.session, context.organization, context.now

    def read() -> kept.Fresh[bytes]:
        content = make().model_dump_json().encode()
        return kept.Fresh(content, weight=1 + len(content) // BYTES)

    owners = (organization, payers.payer(session, organization, now))
    content = kept.get(session, owners, now, ("json", asked), read)
    return Response(content, media_type="application/json")
