"""Cursors: where the next page of a list begins, in a form that nobody should read anything into."""

from __future__ import annotations

import base64
import binascii
import json

from billing_app.domain.common.errors import NotFoundError

MAX_CURSOR = 500
"""Characters; ours are far shorter."""

MAX_NUMBER = 2**63 - 1
"""What a BIGINT column can be compared with."""


def encode(*place: str | int) -> str:
    """The cursor of a place in a list."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type) -> tuple[str | int, ...]:
    """The place again. Raises NotFoundError `cursor_not_found` for anything that `encode` did not make."""
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError(cursor)
        place = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise _unknown() from None
    if not isinstance(place, list) or [type(part) for part in place] != list(kinds):
        raise _unknown()
    if any(isinstance(part, int) and not 0 <= part <= MAX_NUMBER for part in place):
        raise _unknown()
    return tuple(place)


def _unknown() -> NotFoundError:
    return NotFoundError("The list has no such place. Begin again without a cursor.", code="cursor_not_found")
