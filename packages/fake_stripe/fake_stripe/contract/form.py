"""Stripe's form encoding, `a[b][0]=c`, read into nested dictionaries; the schema tells which of them are lists."""

import re
from collections.abc import Iterable
from typing import Any

from fake_stripe.errors import StripeError

# Deeper than any parameter of the SDK (about six levels); a bound keeps a hostile body from building towers.
MAX_DEPTH = 12
_PART = re.compile(r"\[([^\[\]]*)\]")


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Nested values of form or query `pairs`. Raises StripeError for a malformed or contradicting name."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        _put(tree, _parts(name), value, name)
    return tree


def _parts(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    parts = [head, *_PART.findall(bracket + rest)]
    if not head or "".join(f"[{part}]" for part in parts[1:]) != bracket + rest or len(parts) > MAX_DEPTH:
        raise StripeError(f"Invalid parameter name: {name}", code="parameter_unknown", param=name)
    return parts


def _put(tree: dict[str, Any], parts: list[str], value: str, name: str) -> None:
    for part in parts[:-1]:
        tree = tree.setdefault(part or str(len(tree)), {})
        if not isinstance(tree, dict):
            raise StripeError(f"Invalid parameter name: {name}", code="parameter_unknown", param=name)
    last = parts[-1] or str(len(tree))
    if isinstance(tree.get(last), dict):
        raise StripeError(f"Invalid parameter name: {name}", code="parameter_unknown", param=name)
    tree[last] = value
