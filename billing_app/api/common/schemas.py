"""Kinds of values that many shapes have: texts, moments, quantities, pages of a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    TypeAdapter,
)
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from billing_app.domain.common.errors import InvalidError
from billing_app.domain.common.moments import moment, within
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.services.common import cursors, kept, payers
from billing_app.services.common.context import Context

VISIBLE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$"
"""Texts without control characters and line breaks: PostgreSQL cannot store a NUL, and none belongs in a name."""

MAX_TEXT = 255
"""Characters of an id or a subject (api.md)."""

MAX_LIST = 200
DEFAULT_LIST = 50
"""Lines of a list (api.md)."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=VISIBLE)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=VISIBLE)]
"""An id from the catalogue: of a metric, an action, a plan."""


def _counted(value: object) -> object:
    """JSON has one kind of number, and `integer` of JSON Schema takes 3.0 for 3, as some languages write it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_counted)
"""Beside a strict int: 1.5, true and "1" are mistakes, not roundable; 3.0 is none."""


def _in_digits(value: object) -> object:
    if isinstance(value, str) and not DIGITS.fullmatch(value):
        raise PydanticCustomError("digits", "write a whole number in digits, such as 50")
    return value


DIGITS = re.compile(r"-?[0-9]{1,30}", re.ASCII)

TYPED = BeforeValidator(_in_digits)
"""Beside an int in a path or a query: `+5`, ` 5`, `1_0`, `5.0` and digits of other scripts are mistakes."""

Limit = Annotated[int, Field(ge=1, le=MAX_LIST), TYPED]
"""How many lines of a list are wanted."""

Number = Annotated[int, Path(ge=1, le=MAX_QUANTITY, description="as the list says it"), TYPED]
"""A number in a path that names a row. What no column could hold is a mistake (422), what no row has is not found."""

Quantity = Annotated[int, Field(strict=True, ge=-MAX_QUANTITY, le=MAX_QUANTITY), WHOLE]
"""Whole base units."""


Flag = Annotated[bool, Strict()]
"""true or false. Strict: 1, "yes" and "on" are mistakes."""


def _written_out(value: object) -> object:
    """The one reading of moments (billing_app.domain.common.moments), also of what is a moment already."""
    try:
        return within(value) if isinstance(value, datetime) and value.tzinfo else moment(value)
    except InvalidError as refusal:
        raise PydanticCustomError("moment", "{sentence}", {"sentence": refusal.detail}) from None


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
"""RFC 3339 with a zone; in UTC from here on. What is out of range is refused, not bent."""


class Request(BaseModel):
    """A body. Unknown members are mistakes: a misspelt `quantity` would otherwise count as 1."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """A body that we send."""

    model_config = ConfigDict(from_attributes=True)


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def written(answer: object, headers: dict[str, str] | None = None) -> Response:
    """The answer as JSON without its unset members, for routes that are asked before everything a product does.

    FastAPI would check it once more and write it in another thread, which takes longer than answering.
    """
    content = _adapter(type(answer)).dump_json(answer, exclude_unset=True)
    return Response(content, media_type="application/json", headers=headers)


def as_json(answer: BaseModel) -> Response:
    """The whole answer as JSON, its unset members too: made and written once, in the thread of the route."""
    return Response(answer.model_dump_json(), media_type="application/json")


Item = TypeVar("Item")


class Items(Answer, Generic[Item]):
    """A page of a list. `next_cursor` asks for the next one; null on the last."""

    items: list[Item]
    next_cursor: str | None = None


def page_of(found: Sequence[Item], limit: int, place: Callable[[Item], tuple[Any, ...]]) -> dict[str, Any]:
    """The first `limit` of what was `found` (one more, if there is more), and the cursor of the place of the last."""
    page = found[:limit]
    return {"items": page, "next_cursor": cursors.encode(*place(page[-1])) if len(found) > limit else None}


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
