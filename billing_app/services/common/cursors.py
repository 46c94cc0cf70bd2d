"""Where the next page of a list begins, as text that nobody should read anything into."""

from __future__ import annotations

import base64
import binascii
import json

from billing_app.domain.common.errors import InvalidError

MAX_CURSOR = 1_000
"""Characters; ours are shorter."""


def cursor_of(*place: str) -> str:
    """The cursor of a place in a list."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_at(cursor: str, parts: int) -> tuple[str, ...] | None:
    """The place again; None for no cursor. Raises InvalidError `invalid_cursor` for what `cursor_of` did not make."""
    if not cursor:
        return None
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError(cursor)
        place = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        place = None
    if not isinstance(place, list) or len(place) != parts or not all(isinstance(part, str) for part in place):
        raise InvalidError("This cursor is not one of ours: begin with the first page.", code="invalid_cursor")
    return tuple(place)
