"""What of a record the API says."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import SimpleNamespace
from typing import Annotated

from pydantic import TypeAdapter

from billing_app.services.common.answers import AS_CHOICE, AS_TEXT, SAID_WHOLE, Internal, MetricId, filled
from tests.ui.records.facts import MAU


class Colour(StrEnum):
    """Two of them."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class PaintAnswer:
    """Something painted."""

    id: int
    metric: MetricId
    colour: Annotated[Colour, AS_TEXT]
    chosen: Annotated[Colour, AS_CHOICE]
    note: Internal[str]


@dataclass(frozen=True, slots=True)
class NewPaintAnswer(PaintAnswer):
    """With what is shown once."""

    __pydantic_config__ = SAID_WHOLE

    code: str = field(default="", repr=False)


METRIC = MAU
PAINT = PaintAnswer(1, METRIC, Colour.RED, Colour.BLUE, "for pages")


def test_what_is_internal_is_neither_said_nor_documented() -> None:
    answered = TypeAdapter(PaintAnswer)
    said = answered.dump_python(PAINT, mode="json")
    assert said == {"id": 1, "metric": METRIC.id, "colour": "red", "chosen": "blue"}
    schema = answered.json_schema(mode="serialization")
    assert list(schema["properties"]) == list(said)
    assert schema["properties"]["metric"] == {"title": "Metric", "type": "string"}
    assert schema["properties"]["colour"] == {"title": "Colour", "type": "string"}
    assert schema["properties"]["chosen"] == {"title": "Chosen", "type": "string", "enum": ["red", "blue"]}


def test_a_record_passes_through_as_it_is() -> None:
    assert TypeAdapter(list[PaintAnswer]).validate_python([PAINT])[0] is PAINT


def test_a_record_with_defaults_is_documented_as_always_whole() -> None:
    schema = TypeAdapter(NewPaintAnswer).json_schema(mode="serialization")
    assert schema["required"] == ["id", "metric", "colour", "chosen", "code"]
    assert "default" not in schema["properties"]["code"]


def test_a_record_is_filled_from_what_has_the_same_names() -> None:
    row = SimpleNamespace(id=2, metric=METRIC, colour=Colour.BLUE, note="", more=1)
    made = filled(PaintAnswer, row, chosen=Colour.RED)
    assert made == PaintAnswer(2, METRIC, Colour.BLUE, Colour.RED, "")
    assert filled(NewPaintAnswer, made, code="x").code == "x"
