"""Usage in files: CSV or lines of JSON, plain or gzipped, with or without a byte order mark.

What is wrong with a line is that line's mistake: the others count. What an event has to look like is
`billing_app.domain.usage.reported`, as over HTTP. Lines are looked at many at once, and one by one where anything about
them is unusual.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from itertools import chain, islice, repeat
from pathlib import Path
from typing import NamedTuple

from billing_app.domain.common.access import is_address
from billing_app.domain.common.errors import FactRefusedError, InvalidError
from billing_app.domain.common.moments import shown
from billing_app.domain.usage.reported import (
    MEMBERS,
    Read,
    in_parts,
    members,
    number,
    parsed,
    read,
    usual,
    usual_events,
)

COLUMNS = ("organization", *MEMBERS)

NEEDED = ("organization", "id", "metric", "at")
"""Columns that a CSV file has; the others may be left out. An `id` makes that importing again changes nothing."""

GZIP = b"\x1f\x8b"

BLOCK = 2_000
"""Lines that are looked at together."""

QUOTED_LINES = 20
"""How far the end of an open quote is looked for: beyond, it was forgotten, and the lines stand for themselves."""

Text = tuple[int, str]
"""A line as it is written, with its number."""

Row = tuple[int, list[str] | None]
"""A record of CSV with the number of its first line; None for one that is none."""


class Line(NamedTuple):
    """One line that should be an event of an organization; `event` says why it is none, if so."""

    number: int
    address: str
    event: Read


def lines(path: Path, progress: Callable[[int], None] = lambda _bytes: None) -> Iterator[Line]:
    """Every line of a file with an event. `progress` is told how many bytes were read.

    Raises InvalidError `invalid_file` for what cannot be read, or has other columns.
    """
    return chain.from_iterable(blocks(path, progress))


def blocks(path: Path, progress: Callable[[int], None] = lambda _bytes: None) -> Iterator[list[Line]]:
    """The same, many at once."""
    try:
        with _opened(path) as (raw, stream):
            first, rest = _started(stream)
            json = first[1].lstrip().startswith("{")
            for block in _of_json(chain([first], rest)) if json else _of_csv(path.name, first[1], rest):
                progress(raw.tell())
                yield block
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        raise InvalidError(f"{path.name} can't be read: {error}", code="invalid_file") from None


@contextmanager
def _opened(path: Path) -> Generator[tuple[BufferedReader, TextIOWrapper]]:
    with path.open("rb") as raw:
        packed = raw.peek(2)[:2] == GZIP
        unpacked = gzip.GzipFile(fileobj=raw) if packed else raw
        mark = unpacked.peek(2)[:2]
        encoding = "utf-16" if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
        # What is not Unicode comes as lone surrogates, which no rule lets through: the mistake of its line alone.
        with TextIOWrapper(unpacked, encoding=encoding, errors="surrogateescape", newline="") as stream:
            yield raw, stream


def _started(stream: TextIOWrapper) -> tuple[Text, Iterator[Text]]:
    """The first line that says something, and those after it."""
    numbered = ((number, line) for number, line in enumerate(stream, start=1) if line.strip())
    return next(numbered, (1, "")), numbered


def _of_json(numbered: Iterator[Text]) -> Iterator[list[Line]]:
    while block := list(islice(numbered, BLOCK)):
        yield in_parts(block, _usual_json, lambda text: _json_line(*text))


def _usual_json(block: Sequence[Text]) -> list[Line] | None:
    try:
        sent = [parsed(text) for _, text in block]
        addresses = [each.pop("organization", "") for each in sent]
    except (ValueError, AttributeError, TypeError):
        return None
    if not _are_addresses(addresses) or (events := usual(sent)) is None:
        return None
    return _lines(block, addresses, events)


def _json_line(place: int, text: str) -> Line:
    address = ""
    try:
        sent = members(parsed(text), COLUMNS)
        address = _address(sent.pop("organization", ""))
    except ValueError:
        return Line(place, address, FactRefusedError("The line is not a JSON object.", code="invalid_row"))
    except FactRefusedError as refusal:
        return Line(place, address, refusal)
    return Line(place, address, read(sent))


def _of_csv(name: str, header: str, rest: Iterator[Text]) -> Iterator[list[Line]]:
    columns = _columns(name, header)
    for block in _records(rest, len(columns)):
        yield in_parts(block, lambda rows: _usual_csv(columns, rows), lambda row: _csv_line(columns, *row))


def _usual_csv(columns: list[str], rows: Sequence[Row]) -> list[Line] | None:
    records = [record for _, record in rows if record is not None and len(record) == len(columns)]
    if len(records) < len(rows):
        return None
    cells = dict(zip(columns, zip(*records, strict=True), strict=True))
    addresses, quantities = cells["organization"], _numbers(cells.get("quantity", ("",) * len(rows)))
    if quantities is None or not _are_addresses(addresses):
        return None
    texts = {name: [cell or None for cell in cells.get(name, ("",) * len(rows))] for name in ("id", "subject", "at")}
    events = usual_events(texts["id"], cells["metric"], quantities, texts["subject"], texts["at"])
    return None if events is None else _lines(rows, addresses, events)


def _lines(numbered: Sequence[Text | Row], addresses: Sequence[str], events: Sequence[Read]) -> list[Line]:
    columns = zip((number for number, _ in numbered), addresses, events, strict=True)
    return list(map(tuple.__new__, repeat(Line), columns))  # past its __new__, which is Python's


def _numbers(cells: Sequence[str]) -> list[int | None] | None:
    """Whole numbers, if every cell is written as Python writes one, or empty."""
    try:
        found = [int(cell) if cell else None for cell in cells]
    except ValueError:
        return None
    return found if ["" if each is None else str(each) for each in found] == list(cells) else None


def _are_addresses(texts: Sequence[object]) -> bool:
    return all(isinstance(text, str) for text in texts) and all(map(is_address, {*map(str, texts)}))


def _columns(name: str, header: str) -> list[str]:
    columns = _record(header) or []
    wrong = [f"no column {each}" for each in NEEDED if each not in columns]
    wrong += [f"an unknown column {shown(each)}" for each in columns if each not in COLUMNS]
    wrong += [f"the column {each} twice" for each in COLUMNS if columns.count(each) > 1]
    if wrong:
        raise InvalidError(f"{name} has {', '.join(wrong)}; it takes {','.join(COLUMNS)}.", code="invalid_file")
    return columns


def _csv_line(columns: list[str], place: int, record: list[str] | None) -> Line:
    if record is None or len(record) != len(columns):
        found = "a quote that does not end where a column does" if record is None else f"{len(record)} columns"
        said = FactRefusedError(f"The row has {found}; it needs {len(columns)} columns.", code="invalid_row")
        return Line(place, "", said)
    cells = {name: cell for name, cell in zip(columns, record, strict=True) if cell != ""}
    try:
        address = _address(cells.pop("organization", ""))
    except FactRefusedError as refusal:
        return Line(place, "", refusal)
    sent = cells | ({"quantity": number(cells["quantity"])} if "quantity" in cells else {})
    return Line(place, address, read(sent))


def _address(text: object) -> str:
    if not isinstance(text, str) or not is_address(text):
        raise FactRefusedError(f"{shown(text)} is not the address of any organization.", code="organization_not_found")
    return text


def _records(numbered: Iterator[Text], width: int) -> Iterator[list[Row]]:
    """Records, many at once; nearly always each of them is one line."""
    waiting: deque[Text] = deque()
    while True:
        waiting.extend(islice(numbered, max(0, BLOCK - len(waiting))))
        if not waiting:
            return
        if (records := _of_one_line([text for _, text in waiting])) is not None:
            yield [(place, record) for (place, _), record in zip(waiting, records, strict=True)]
            waiting.clear()
        else:
            yield list(islice(_one_by_one(waiting, numbered, width), BLOCK))


def _of_one_line(texts: list[str]) -> list[list[str]] | None:
    """The record of each line, if every line is one."""
    try:
        found = list(csv.reader(texts, strict=True))
    except csv.Error:
        return None
    return found if len(found) == len(texts) else None


def _one_by_one(waiting: deque[Text], numbered: Iterator[Text], width: int) -> Iterator[Row]:
    """Records, of which one in quotes may go over several lines; a quote that was forgotten takes only its own line."""
    while waiting:
        place, text = waiting.popleft()
        record = _record(text)
        if record is None and text.count('"') % 2:
            waiting.extend(islice(numbered, max(0, QUOTED_LINES - len(waiting))))
            record = _over_lines(text, waiting, width)
        yield place, record


def _over_lines(text: str, waiting: deque[Text], width: int) -> list[str] | None:
    for taken, (_, following) in enumerate(list(islice(waiting, QUOTED_LINES)), start=1):
        text += following
        record = _record(text)
        if record is not None and len(record) == width:
            for _ in range(taken):
                waiting.popleft()
            return record
    return None


def _record(text: str) -> list[str] | None:
    """The cells of one record; None where a quote is open or misplaced, or a cell is absurdly long."""
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return None
