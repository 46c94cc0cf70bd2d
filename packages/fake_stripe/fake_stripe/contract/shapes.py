"""Complete answers from the SDK's resource classes: what is not said is null, empty or false, as annotated."""

import inspect
import types
import typing
from functools import cache
from typing import Any, Literal

from stripe._stripe_object import StripeObject, UntypedStripeObject

# Kept on stored objects under a leading underscore for the fake Stripe's own use, never shown.
PRIVATE = "_"
_ABSENT = object()


@cache
def annotations_of(shape: type) -> dict[str, Any]:
    """The annotated fields of a resource class, its own and inherited."""
    found: dict[str, Any] = {}
    for base in reversed(shape.__mro__):
        if base is not object and issubclass(base, StripeObject):
            found.update({k: v for k, v in inspect.get_annotations(base).items() if not k.startswith("_")})
    return {name: hint for name, hint in found.items() if typing.get_origin(hint) is not typing.ClassVar}


def build(shape: type, hidden: frozenset[str] = frozenset(), /, **values: Any) -> dict[str, Any]:
    """An answer of class `shape` with `values`; fields in `hidden` appear only if given.

    Raises TypeError for a value that the class has no field for, or a required field without a value: both are
    mistakes in the fake Stripe, not in a request.
    """
    hints = annotations_of(shape)
    answer: dict[str, Any] = {}
    for name, hint in hints.items():
        value = values[name] if name in values else (_ABSENT if name in hidden else blank(hint))
        if value is not _ABSENT:
            answer[name] = value
        elif name not in hidden:
            raise TypeError(f"{shape.__qualname__}.{name} needs a value")
    for name, value in values.items():
        if name.startswith(PRIVATE):
            answer[name] = value
        elif name not in hints:
            raise TypeError(f"{shape.__qualname__} has no field {name}")
    return answer


def blank(hint: Any) -> Any:
    """The value of a field that nobody set, or a marker if the annotation demands one."""
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if type(None) in arguments else _ABSENT
    if origin is Literal:
        return arguments[0] if len(arguments) == 1 else _ABSENT
    if origin is list:
        return []
    if origin in (dict, UntypedStripeObject):
        return {}
    if hint is bool:
        return False
    if isinstance(hint, type) and issubclass(hint, StripeObject):
        return build(hint)
    return _ABSENT


def public(value: Any) -> Any:
    """`value` without what the fake Stripe keeps for itself, at any depth."""
    if isinstance(value, dict):
        return {key: public(inner) for key, inner in value.items() if not key.startswith(PRIVATE)}
    return [public(item) for item in value] if isinstance(value, list) else value
