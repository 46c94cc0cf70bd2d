"""How a record says what of it the API answers: decision 25.

A record is a frozen dataclass in a `views*.py`. Pages read it, and the API answers with it as it is and under its name;
what differs there is written beside the field.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, Field, GetPydanticSchema, TypeAdapter
from pydantic_core import core_schema

from billing_app.domain.catalogue.model import Metric

Value = TypeVar("Value")
Record = TypeVar("Record")

Internal = Annotated[Value, Field(exclude=True)]
"""For pages and the command line; the API does not say it."""

AS_TEXT = GetPydanticSchema(lambda _source, _handler: core_schema.str_schema())
"""Beside one of our enumerations that the API writes as a text, so that a new member breaks no client."""

AS_CHOICE = GetPydanticSchema(lambda source, _handler: core_schema.literal_schema([each.value for each in source]))
"""Beside one of our enumerations whose members the API names in place."""

MetricId = Annotated[
    Metric,
    GetPydanticSchema(
        lambda _source, _handler: core_schema.str_schema(
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda metric: metric.id, return_schema=core_schema.str_schema()
            )
        )
    ),
]
"""The catalogue's metric to a page, which needs its name and units; its id to other programs."""


def _always_said(schema: dict[str, Any]) -> None:
    for field in schema["properties"].values():
        field.pop("default", None)
    schema["required"] = list(schema["properties"])


SAID_WHOLE = ConfigDict(json_schema_extra=_always_said)
"""The `__pydantic_config__` of a record with defaults: they are for whoever makes it, and an answer has every field."""


def filled(record: type[Record], source: object, **others: Any) -> Record:
    """A record whose fields have the values that `source` has under the same names, and those of `others`."""
    return record(**{name: getattr(source, name) for name in _names(record) if name not in others}, **others)


def answered(record: type[Any], *, without: str = "") -> tuple[str, ...]:
    """The names that the API says of a record, in its order."""
    said = TypeAdapter(record).json_schema(mode="serialization")["properties"]
    return tuple(name for name in said if name != without)


@cache
def _names(record: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record))
