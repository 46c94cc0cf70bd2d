"""JSON as people write it: an object that says a member twice is a mistake of somebody, whichever of them counts.

RFC 8259 leaves open what a repeated name means, and readers differ: a program and a gateway before it would see two
different requests.
"""

from __future__ import annotations

import json
from typing import Any


class Members(dict[str, Any]):
    """A JSON object that remembers which of its members were said more than once."""

    repeated: tuple[str, ...] = ()


class RepeatedError(ValueError):
    """An object says a member twice; `name` is which."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name[:100]!r} appears twice in the same object")
        self.name = name[:100]


def remembering(pairs: list[tuple[str, Any]]) -> Members:
    """For `object_pairs_hook`: the last one counts, and what was repeated is remembered."""
    found = Members(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        found.repeated = tuple(name for name in found if names.count(name) > 1)
    return found


def strict(text: str | bytes) -> Any:
    """JSON of which every member was meant. Raises RepeatedError, and ValueError for what is not JSON, as NaN."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def no_constant(name: str) -> Any:
    """For `parse_constant`: Python reads NaN and Infinity, which JSON has not."""
    raise ValueError(f"{name} is not a number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = remembering(pairs)
    if found.repeated:
        raise RepeatedError(found.repeated[0])
    return found
