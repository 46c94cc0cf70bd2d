"""What a usage event has to look like, wherever it comes in: HTTP, CloudEvents, a CSV file, lines of JSON.

Every entrance makes the same members out of what it was sent and gives them to `read`, so that the same event meets the
same rules, codes and sentences at each of them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import chain, repeat
from types import NoneType
from typing import Any, NamedTuple, TypeVar

from billing_app.domain.common.errors import FactRefusedError, InvalidError
from billing_app.domain.common.json_objects import Members, remembering
from billing_app.domain.common.moments import moment, shown
from billing_app.domain.credits.facts import MAX_QUANTITY

MEMBERS = ("id", "metric", "quantity", "subject", "at")

MAX_TEXT = 255
"""Characters of an id or a subject (api.md)."""

MAX_METRIC = 64

UNWRITABLE = "\x00-\x1f\x7f-\x9f\u2028\u2029"
"""Control characters and line breaks: none belongs in an id, and PostgreSQL cannot store a NUL."""

VISIBLE = re.compile(f"[^{UNWRITABLE}\ud800-\udfff]+")

WHOLE_OR_POINT = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
"""A number in a cell of a file. No blanks, plus, exponent or underscores, and no digits of other scripts."""

FEW = 16
"""So many are looked at one by one rather than in smaller parts."""

FAR_BEYOND = 30
"""Digits before the point from which a number needs not be computed to be too large."""


class ReportedEvent(NamedTuple):
    """One event as it was sent. `id` is the caller's key of it; `at` None is the moment of receipt."""

    metric: str
    quantity: int | None = None
    subject: str | None = None
    at: datetime | None = None
    id: str | None = None


Item = TypeVar("Item")
Found = TypeVar("Found")

Read = ReportedEvent | FactRefusedError
"""What became of one event: it stands, or why it does not. The others of its batch are not concerned."""


def read(sent: object) -> Read:
    """The event that somebody sent as an object with MEMBERS."""
    try:
        return _read(members(sent, MEMBERS))
    except FactRefusedError as refusal:
        return refusal


def read_all(sent: Sequence[object]) -> list[Read]:
    """The same of many, for less: as long as nothing about them is unusual they are looked at together."""
    return in_parts(sent, usual, read)


def in_parts(
    sent: Sequence[Item], together: Callable[[Sequence[Item]], Sequence[Found] | None], alone: Callable[[Item], Found]
) -> list[Found]:
    """What many are read as: `together`, which says None if anything about them is unusual; then halves of them, and in
    the end a few of them each `alone`. The answer is the same; only what it takes differs.
    """
    if not sent:
        return []
    if (found := together(sent)) is not None:
        return list(found)
    if len(sent) <= FEW:
        return [alone(each) for each in sent]
    middle = len(sent) // 2
    return in_parts(sent[:middle], together, alone) + in_parts(sent[middle:], together, alone)


def usual(sent: Sequence[object]) -> Sequence[Read] | None:
    """Objects with MEMBERS alone, if all of them are as nearly all are, and so stand."""
    objects = [each for each in sent if isinstance(each, dict)]
    if len(objects) < len(sent) or set().union(*objects) - {*MEMBERS} or any(map(repeated, objects)):
        return None
    return usual_events(*([each.get(name) for each in objects] for name in MEMBERS))


def usual_events(
    ids: Sequence[Any], metrics: Sequence[Any], quantities: Sequence[Any], subjects: Sequence[Any], at: Sequence[Any]
) -> list[ReportedEvent] | None:
    """Events by member, if all of them are as nearly all events are, and so stand; None if any has to be looked at."""
    if _kinds(ids, metrics) - {str} or _kinds(subjects, at) - {str, NoneType} or _kinds(quantities) - {int, NoneType}:
        return None
    if not (_are_texts(ids, MAX_TEXT) and _are_texts({*metrics}, MAX_METRIC)):
        return None
    if not _are_texts({*subjects} - {None}, MAX_TEXT):
        return None
    if max((abs(number) for number in quantities if number is not None), default=0) > MAX_QUANTITY:
        return None
    try:
        moments = {text: None if text is None else moment(text) for text in {*at}}
    except InvalidError:
        return None
    columns = zip(metrics, quantities, subjects, [moments[text] for text in at], ids, strict=True)
    return list(map(tuple.__new__, repeat(ReportedEvent), columns))  # past its __new__, which is Python's


def _kinds(*columns: Iterable[object]) -> set[type]:
    return set(map(type, chain(*columns)))


def _are_texts(texts: Collection[str], longest: int) -> bool:
    """Whether each is what `_is_text` says: nothing that is printable is UNWRITABLE."""
    return all(texts) and max(map(len, texts), default=0) <= longest and all(map(str.isprintable, texts))


def read_cloud_event(sent: object) -> Read:
    """A CloudEvent 1.0: `type` is the metric, `source` and `id` its identity, other attributes say nothing to us."""
    try:
        return _read(_of_cloud_event(members(sent)))
    except FactRefusedError as refusal:
        return refusal


def parsed(text: str | bytes) -> Any:
    """JSON with exact numbers, also those that no float holds; a byte order mark before it is read over.

    Raises ValueError for what is not JSON.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    text = text.removeprefix("\ufeff")
    try:
        try:
            return _JSON.decode(text)
        except ValueError:  # no JSON, or a number of more digits than Python makes an int of
            return _JSON_OF_ANY_LENGTH.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def number(cell: str) -> object:
    """The number in a cell of a file, or the text that is none, which `read` then refuses as JSON's text."""
    return _exact(cell) if WHOLE_OR_POINT.fullmatch(cell) else cell


def _exact(digits: str) -> object:
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent of more digits than there are decimal numbers for
        return math.nan


_JSON = json.JSONDecoder(parse_float=_exact, object_pairs_hook=remembering)

_JSON_OF_ANY_LENGTH = json.JSONDecoder(parse_float=_exact, parse_int=_exact, object_pairs_hook=remembering)


def _read(sent: Mapping[str, object]) -> ReportedEvent:
    if sent.get("id") is None:
        raise FactRefusedError(
            "`id` is missing: each event has one of its own, so that sending it again changes nothing.",
            code="invalid_id",
        )
    if not _is_text(sent["id"], MAX_TEXT):
        raise FactRefusedError(f"`id` is a text of 1 to {MAX_TEXT} characters {PLAIN}.", code="invalid_id")
    if not _is_text(sent.get("metric"), MAX_METRIC):
        raise FactRefusedError(f"`metric` is a text of 1 to {MAX_METRIC} characters {PLAIN}.", code="invalid_metric")
    if sent.get("subject") is not None and not _is_text(sent["subject"], MAX_TEXT):
        raise FactRefusedError(f"`subject` is a text of 1 to {MAX_TEXT} characters {PLAIN}.", code="invalid_subject")
    return ReportedEvent(
        metric=str(sent["metric"]),
        quantity=None if sent.get("quantity") is None else _whole(sent["quantity"]),
        subject=None if sent.get("subject") is None else str(sent["subject"]),
        at=None if sent.get("at") is None else _moment(sent["at"]),
        id=str(sent["id"]),
    )


PLAIN = "without control characters or line breaks"


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and VISIBLE.fullmatch(value) is not None


def _whole(value: object) -> int:
    """JSON has one kind of number, so that 3.0 is the whole number 3."""
    if isinstance(value, float) and math.isfinite(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise FactRefusedError(
            f"`quantity` is a whole number of base units, not {shown(value)}.", code="invalid_quantity"
        )
    exact = Decimal(value)
    if (exact and exact.adjusted() > FAR_BEYOND) or exact.copy_abs() > MAX_QUANTITY:
        raise FactRefusedError(f"`quantity` is beyond {MAX_QUANTITY}.", code="quantity_too_large")
    if exact != exact.to_integral_value():
        raise FactRefusedError(
            f"`quantity` is a whole number of base units, not {shown(value)}.", code="invalid_quantity"
        )
    return int(exact)


def _moment(value: object) -> datetime:
    try:
        return moment(value)
    except InvalidError as refusal:
        raise FactRefusedError(f"`at`: {refusal.detail}", code="invalid_at") from None


def repeated(sent: object) -> tuple[str, ...]:
    """The members that an object as `parsed` gives it says more than once."""
    return sent.repeated if isinstance(sent, Members) else ()


def members(sent: object, known: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object with no members but the `known` ones, if any are. Raises FactRefusedError `invalid_event`."""
    if not isinstance(sent, dict):
        raise FactRefusedError(f"An event is an object, not {shown(sent)}.", code="invalid_event")
    if twice := repeated(sent):
        raise FactRefusedError(f"The event says {shown(twice[0])} twice.", code="invalid_event")
    unknown = [name for name in sent if known and name not in known]
    if unknown:
        raise FactRefusedError(
            f"An event has no {shown(unknown[0])}. It takes {', '.join(known)}.", code="invalid_event"
        )
    return sent


ATTRIBUTE = re.compile(r"[a-z0-9]+", re.ASCII)
SOURCE = re.compile(f"[^{UNWRITABLE} \ud800-\udfff]+")
"""A URI reference. It has no blank, so that source and id stay apart in the one key that they make."""


def _of_cloud_event(sent: dict[str, Any]) -> dict[str, object]:
    if sent.get("specversion") != "1.0":
        raise FactRefusedError('`specversion` is "1.0".', code="invalid_event")
    odd = next((name for name in sent if not ATTRIBUTE.fullmatch(name) and name != "data_base64"), None)
    if odd is not None:
        raise FactRefusedError(
            f"A CloudEvent has no {shown(odd)}: its attributes are small letters and digits.", code="invalid_event"
        )
    if sent.get("data_base64") is not None:
        raise FactRefusedError("Send `data` as JSON, not as data_base64.", code="invalid_event")
    data = {} if sent.get("data") is None else members(sent["data"], ("quantity",))
    source, name = sent.get("source"), sent.get("id")
    if not isinstance(source, str) or not SOURCE.fullmatch(source):
        raise FactRefusedError("`source` is a URI reference without blanks.", code="invalid_event")
    return {
        "id": f"{source} {name}" if isinstance(name, str) and name else name,
        "metric": sent.get("type"),
        "quantity": data.get("quantity"),
        "subject": sent.get("subject"),
        "at": sent.get("time"),
    }
