"""Puts one edit on top of another that was saved meanwhile, place by place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing_app.domain.catalogue.changes import IDENTITIES

Document = Mapping[str, Any]


def merged(base: Document, mine: Document, theirs: Document) -> tuple[dict[str, Any], list[str]]:
    """`theirs` with everything that `mine` changed of `base`; and the places that both changed, where mine stands.

    What somebody else removed and mine did not touch stays removed. The order is theirs, what mine added comes after.
    """
    both: list[str] = []
    keys = [*theirs, *(key for key in mine if key not in theirs)]
    result: dict[str, Any] = {}
    for key in keys:
        identity = IDENTITIES.get(key)
        documents = [document.get(key) for document in (base, mine, theirs)]
        if identity is not None and all(isinstance(each, list) for each in documents):
            indexed = [{item[identity]: item for item in each or ()} for each in documents]
            result[key] = list(_merged(key, *indexed, both).values())
        else:
            result |= _merged("", *({key: each} for each in documents), both)
    return result, both


def _merged(
    path: str, base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any], both: list[str]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key in [*theirs, *(key for key in mine if key not in theirs)]:
        place = f"{path}.{key}" if path else str(key)
        was, my, their = base.get(key), mine.get(key), theirs.get(key)
        if isinstance(was, dict) and isinstance(my, dict) and isinstance(their, dict):
            result[key] = _merged(place, was, my, their, both)
            continue
        changed = (key in mine) != (key in base) or my != was
        if changed and ((key in theirs) != (key in base) or their != was) and my != their:
            both.append(place)
        if changed and key in mine:
            result[key] = my
        elif not changed and key in theirs:
            result[key] = their
    return result
