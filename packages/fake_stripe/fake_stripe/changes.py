"""How the parameters of an update meet the members of an object."""

from collections.abc import Iterable
from typing import Any

from fake_stripe.contract.parameters import Parameters
from fake_stripe.errors import StripeError

MAX_METADATA_KEYS = 50
MAX_METADATA_KEY_LENGTH = 40
MAX_METADATA_VALUE_LENGTH = 500


def given(parameters: Parameters, names: Iterable[str]) -> dict[str, Any]:
    """Those of `names` that were sent, as plain values; an empty value means null."""
    found = {}
    for name in names:
        if name in parameters:
            value = parameters[name]
            found[name] = None if value == "" else value.plain() if isinstance(value, Parameters) else value
    return found


def metadata(parameters: Parameters, current: dict[str, str] | None = None, name: str = "metadata") -> dict[str, str]:
    """`current` with the keys sent; an empty value removes its key, an empty whole removes all."""
    if name not in parameters:
        return dict(current or {})
    sent = parameters[name]
    if sent == "":
        return {}
    merged = {**(current or {}), **sent.plain()}
    kept = {key: value for key, value in merged.items() if value != ""}
    path = parameters.path(name)
    if len(kept) > MAX_METADATA_KEYS:
        raise StripeError(f"Metadata can have at most {MAX_METADATA_KEYS} keys.", param=path)
    for key, value in kept.items():
        if len(key) > MAX_METADATA_KEY_LENGTH or len(value) > MAX_METADATA_VALUE_LENGTH:
            raise StripeError(
                f"Metadata keys have at most {MAX_METADATA_KEY_LENGTH} characters, values {MAX_METADATA_VALUE_LENGTH}.",
                param=f"{path}[{key}]",
            )
    return kept
