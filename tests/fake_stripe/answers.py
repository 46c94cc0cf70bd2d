"""Answers held against the annotations of the SDK's resource classes, so that the fake Stripe moves with the pin."""

import types
import typing
from decimal import Decimal
from importlib import import_module
from typing import Any, ForwardRef, Literal

from stripe._list_object import ListObject
from stripe._object_classes import OBJECT_CLASSES
from stripe._stripe_object import StripeObject, UntypedStripeObject

from fake_stripe.contract.shapes import annotations_of

# Kinds that the SDK annotates but that no endpoint answers by themselves.
_EMBEDDED = {"item": ("stripe._line_item", "LineItem"), "line_item": ("stripe._invoice_line_item", "InvoiceLineItem")}


def check(answer: Any) -> Any:
    """`answer`, which is a StripeObject; fails the test if it differs from the class that describes it."""
    faults = list(faults_of(answer.to_dict()))
    assert not faults, "\n".join(faults)
    return answer


def faults_of(body: dict[str, Any], place: str = "") -> typing.Iterator[str]:
    """Where an object with an `object` member departs from its class."""
    kind = body.get("object")
    place = place or str(kind)
    if kind == "list":
        for index, item in enumerate(body["data"]):
            yield from faults_of(item, f"{place}.data[{index}]")
        return
    if body.get("deleted"):
        if set(body) != {"id", "object", "deleted"}:
            yield f"{place}: a deleted object shows more than its id"
        return
    if kind == "event":
        yield from faults_of(body["data"]["object"], f"{place}.data.object")
    module, name = {**OBJECT_CLASSES, **_EMBEDDED}[str(kind)]
    yield from _members(body, getattr(import_module(module), name), place)


def _members(body: dict[str, Any], shape: type, place: str) -> typing.Iterator[str]:
    hints = annotations_of(shape)
    for name in body:
        if name not in hints:
            yield f"{place}.{name}: {shape.__qualname__} has no such field"
    for name, hint in hints.items():
        if name in body:
            yield from _value(body[name], hint, f"{place}.{name}")
        elif not _optional(hint):
            yield f"{place}.{name}: missing"


def _optional(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType) and type(None) in typing.get_args(hint)


def _value(value: Any, hint: Any, place: str) -> typing.Iterator[str]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        yield from _union(value, arguments, place)
    elif origin is Literal:
        if value not in arguments:
            yield f"{place}: {value!r} is none of {arguments}"
    elif origin is list:
        if not isinstance(value, list):
            yield f"{place}: {value!r} is no list"
            return
        for index, item in enumerate(value):
            yield from _value(item, arguments[0], f"{place}[{index}]")
    elif origin in (dict, UntypedStripeObject):
        if not isinstance(value, dict):
            yield f"{place}: {value!r} is no mapping"
            return
        for key, item in value.items():
            yield from _value(item, arguments[-1], f"{place}.{key}")
    elif origin is ListObject or hint is ListObject or isinstance(hint, (str, ForwardRef)):
        if not isinstance(value, dict) or "object" not in value:
            yield f"{place}: {value!r} is no object of the API"
            return
        yield from faults_of(value, place)
    elif isinstance(hint, type) and issubclass(hint, StripeObject):
        if not isinstance(value, dict):
            yield f"{place}: {value!r} is no {hint.__qualname__}"
        elif typing.get_origin(annotations_of(hint).get("object")) is Literal:
            yield from faults_of(value, place)
        else:
            yield from _members(value, hint, place)
    else:
        yield from _scalar(value, hint, place)


def _union(value: Any, alternatives: tuple[Any, ...], place: str) -> typing.Iterator[str]:
    if value is None:
        if type(None) not in alternatives:
            yield f"{place}: null is not allowed"
        return
    rest = [one for one in alternatives if one is not type(None)]
    choices = [one for one in rest if typing.get_origin(one) is Literal]
    if choices and isinstance(value, str) and str in rest:
        # `Literal[...] | str` is how the SDK writes a closed choice that a newer API may widen.
        rest = choices
    found = [list(_value(value, one, place)) for one in rest]
    if all(found):
        yield from min(found, key=len)


def _scalar(value: Any, hint: Any, place: str) -> typing.Iterator[str]:
    if hint is Any:
        return
    wanted = {Decimal: (Decimal, str), float: (float, int)}.get(hint, hint)
    if not isinstance(value, wanted) or (isinstance(value, bool) and hint is not bool):
        yield f"{place}: {value!r} is no {getattr(hint, '__name__', hint)}"
