"""Cursors: where the next page of a list begins, in a form that nobody should read anything into."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from billing_app.domain.common.errors import NotFoundError

MAX_CURSOR = 1_000
"""Characters; ours are shorter."""

MAX_NUMBER = 2**63 - 1
"""What a BIGINT column can be compared with."""

Piece = int | str | datetime | UUID
"""What a place in a list is made of."""


def encode(*place: Piece) -> str:
    """The cursor of a place in a list. Moments are aware."""
    written = [part if isinstance(part, int | str) else _text(part) for part in place]
    return base64.urlsafe_b64encode(json.dumps(written).encode()).decode().rstrip("=")


def decode(cursor: str | None, *kinds: type[Piece]) -> tuple[Any, ...] | None:
    """The place again, a value of each of `kinds`; None for no cursor, which is the first page.

    Raises NotFoundError `cursor_not_found` for anything that `encode` did not make of such values.
    """
    if not cursor:
        return None
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError(cursor)
        written = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(written, list):
            raise ValueError(cursor)
        return tuple(_READ[kind](part) for kind, part in zip(kinds, written, strict=True))
    except (ValueError, binascii.Error, RecursionError):
        raise NotFoundError(
            "This cursor is not one of this list. Begin again without a cursor.", code="cursor_not_found"
        ) from None


def _text(part: datetime | UUID) -> str:
    return part.isoformat() if isinstance(part, datetime) else str(part)


def _words(part: object) -> str:
    if not isinstance(part, str):
        raise ValueError(part)
    return part


def _number(part: object) -> int:
    if type(part) is not int or not 0 <= part <= MAX_NUMBER:
        raise ValueError(part)
    return part


def _moment(part: object) -> datetime:
    moment = datetime.fromisoformat(_words(part))
    if moment.tzinfo is None:
        raise ValueError(part)
    return moment


_READ: dict[type[Piece], Callable[[object], Piece]] = {
    str: _words,
    int: _number,
    datetime: _moment,
    UUID: lambda part: UUID(_words(part)),
}
