"""The SDK's TypedDicts, compiled into a schema that a request can be held against.

The SDK writes a closed choice as `Literal['a', 'b'] | str`, because a newer API may add to it. Here it is closed:
the fake Stripe speaks one version. `Literal[''] | X` means that an empty value unsets X.
"""

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Literal, Required

import typing_extensions
from stripe._request_options import RequestOptions
from stripe._stripe_object import UntypedStripeObject

# Options of the SDK's call itself (key, version, headers); they never reach the wire as parameters.
_CALL_OPTIONS = frozenset(RequestOptions.__annotations__)
# Names that those options use and that are not at hand where they are inherited.
_OPTION_NAMES = {"StripeContext": str, "Mapping": Mapping}
_OPTIONAL_MARKS = (typing.NotRequired, typing_extensions.NotRequired)
_REQUIRED_MARKS = (Required, typing_extensions.Required)


@dataclass
class Schema:
    """Everything that one value may be; several of these at once for a union."""

    choices: set[str] = field(default_factory=set)
    scalars: set[type] = field(default_factory=set)
    items: "Schema | None" = None
    values: "Schema | None" = None
    shape: type | None = None
    clearable: bool = False


@dataclass(frozen=True)
class Fields:
    """The parameters of one level: their schemas and which are required."""

    schemas: dict[str, Schema]
    required: frozenset[str]


@cache
def fields_of(shape: type) -> Fields:
    """Compile one TypedDict; nested ones are compiled when a request first reaches them."""
    hints = typing.get_type_hints(shape, localns=_OPTION_NAMES, include_extras=True)
    schemas: dict[str, Schema] = {}
    required: set[str] = set()
    for name, hint in hints.items():
        if name in _CALL_OPTIONS:
            continue
        origin = typing.get_origin(hint)
        if origin in _OPTIONAL_MARKS:
            hint = typing.get_args(hint)[0]
        else:
            required.add(name)
            hint = typing.get_args(hint)[0] if origin in _REQUIRED_MARKS else hint
        schemas[name] = compile_hint(hint)
    return Fields(schemas, frozenset(required))


def compile_hint(hint: Any) -> Schema:
    """A schema from one annotation. Raises TypeError for a form that the SDK has not used so far."""
    schema = Schema()
    _collect(hint, schema)
    return schema


def _collect(hint: Any, schema: Schema) -> None:
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        for argument in arguments:
            _collect(argument, schema)
    elif origin is Literal:
        schema.clearable |= "" in arguments
        schema.choices |= {str(argument) for argument in arguments if argument != ""}
    elif origin is list:
        schema.items = compile_hint(arguments[0])
    elif origin in (dict, UntypedStripeObject):
        schema.values = compile_hint(arguments[-1])
    elif typing_extensions.is_typeddict(hint):
        schema.shape = hint
    elif hint in (str, int, bool, float, Decimal, Any):
        schema.scalars.add(str if hint is Any else hint)
    elif hint is not type(None):
        raise TypeError(f"the SDK uses an annotation that the fake Stripe cannot read: {hint!r}")
