"""Hold a decoded request against a schema: every name known, every value of its type, nothing required absent."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from fake_stripe import errors
from fake_stripe.contract.schema import Schema, fields_of

_INTEGER = re.compile(r"-?\d{1,18}")
_DECIMAL_LIMIT = 32


class Parameters:
    """Validated parameters that remember which of them were read.

    An operation that finishes with unread parameters has ignored part of a request; `unread` finds them, so that the
    fake Stripe can refuse rather than pretend.
    """

    def __init__(self, values: dict[str, Any], path: str = "") -> None:
        self._values = values
        self._path = path
        self._read: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __getitem__(self, name: str) -> Any:
        self._read.add(name)
        return self._values[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default`; counts as read either way."""
        self._read.add(name)
        return self._values.get(name, default)

    def group(self, name: str) -> "Parameters":
        """Nested parameters, empty if absent or cleared with an empty value."""
        value = self.get(name)
        return value if isinstance(value, Parameters) else Parameters({})

    def names(self) -> list[str]:
        """The names given."""
        return list(self._values)

    def plain(self) -> dict[str, Any]:
        """Everything below as ordinary dictionaries; all of it counts as read."""
        self._read.update(self._values)
        return {name: _plain(value) for name, value in self._values.items()}

    def path(self, name: str) -> str:
        """The name as an error shows it, `line_items[0][price]`."""
        return f"{self._path}[{name}]" if self._path else name

    def unread(self) -> Iterator[str]:
        """Paths of parameters that nobody looked at."""
        for name, value in self._values.items():
            if name not in self._read:
                yield self.path(name)
            else:
                yield from _unread(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Parameters):
        return value.plain()
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _unread(value: Any) -> Iterator[str]:
    if isinstance(value, Parameters):
        yield from value.unread()
    elif isinstance(value, list):
        for item in value:
            yield from _unread(item)


def validate(shape: type, raw: dict[str, Any], path: str = "") -> Parameters:
    """Typed parameters of `raw` under the TypedDict `shape`. Raises StripeError naming the first fault."""
    fields = fields_of(shape)
    values: dict[str, Any] = {}
    for name, value in raw.items():
        inner = f"{path}[{name}]" if path else name
        if name not in fields.schemas:
            raise errors.unknown_parameter(inner)
        values[name] = _value(fields.schemas[name], value, inner)
    for name in sorted(fields.required):
        if name not in values:
            raise errors.missing_parameter(f"{path}[{name}]" if path else name)
    return Parameters(values, path)


def _value(schema: Schema, raw: Any, path: str) -> Any:
    if isinstance(raw, str):
        return _text(schema, raw, path)
    if schema.items is not None and all(key.isdigit() for key in raw):
        return [_value(schema.items, raw[key], f"{path}[{key}]") for key in sorted(raw, key=int)]
    if schema.shape is not None:
        return validate(schema.shape, raw, path)
    if schema.values is not None:
        inner = replace(schema.values, clearable=True)
        return Parameters({key: _value(inner, item, f"{path}[{key}]") for key, item in raw.items()}, path)
    raise errors.invalid(path, f"Invalid object: {path} takes no nested parameters")


def _text(schema: Schema, raw: str, path: str) -> Any:
    if raw == "":
        if schema.clearable:
            return ""
        raise errors.invalid(
            path, f"You passed an empty string for '{path}', which cannot be unset.", "parameter_invalid_empty"
        )
    if raw in schema.choices:
        return raw
    for kind in (bool, int, Decimal, float):
        if kind in schema.scalars and (value := _scalar(kind, raw)) is not None:
            return value
    if str in schema.scalars and not schema.choices:
        return raw
    raise _mismatch(schema, raw, path)


def _scalar(kind: type, raw: str) -> Any:
    if kind is bool:
        return {"true": True, "false": False}.get(raw)
    if kind is int:
        return int(raw) if _INTEGER.fullmatch(raw) else None
    try:
        number = Decimal(raw)
    except InvalidOperation:
        return None
    if not number.is_finite() or len(raw) > _DECIMAL_LIMIT:
        return None
    return float(number) if kind is float else raw


def _mismatch(schema: Schema, raw: str, path: str) -> errors.StripeError:
    shown = raw if len(raw) <= 80 else raw[:80] + "..."
    if schema.choices:
        listed = ", ".join(sorted(schema.choices))
        return errors.invalid(path, f"Invalid {path}: must be one of {listed}; got {shown}")
    if int in schema.scalars:
        return errors.invalid(path, f"Invalid integer: {shown}", "parameter_invalid_integer")
    if bool in schema.scalars:
        return errors.invalid(path, f"Invalid boolean: {shown}")
    if schema.scalars:
        return errors.invalid(path, f"Invalid decimal: {shown}")
    if schema.items is not None:
        return errors.invalid(path, "Invalid array", "parameter_invalid_string_blank" if not raw.strip() else None)
    return errors.invalid(path, "Invalid object")
