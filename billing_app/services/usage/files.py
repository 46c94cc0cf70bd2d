"""Usage in files: CSV or lines of JSON, plain or gzipped, with or without a byte order mark.

A file is read line by line, and what is wrong with a line is that line's mistake: the others count. What an event has
to look like is `billing_app.domain.usage.reported`, as over HTTP.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from itertools import chain, islice
from pathlib import Path

from billing_app.domain.common.access import is_address
from billing_app.domain.common.errors import FactRefusedError, InvalidError
from billing_app.domain.common.moments import shown
from billing_app.domain.usage.reported import MEMBERS, Read, members, number, parsed, read

COLUMNS = ("organization", *MEMBERS)

NEEDED = ("organization", "id", "metric", "at")
"""Columns that a CSV file has; the others may be left out. An `id` makes that importing again changes nothing."""

GZIP = b"\x1f\x8b"

QUOTED_LINES = 20
"""How far the end of an open quote is looked for: beyond, it was forgotten, and the lines stand for themselves."""

Rows = Iterator[tuple[int, list[str] | None]]
"""Each record of CSV with the number of its first line; None for one that is none."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that should be an event of an organization; `event` says why it is none, if so."""

    number: int
    address: str
    event: Read


def lines(path: Path, progress: Callable[[int], None] = lambda _bytes: None) -> Iterator[Line]:
    """Every line of a file with an event. `progress` is told how many bytes were read.

    Raises InvalidError `invalid_file` for what cannot be read, or has other columns.
    """
    try:
        with _opened(path) as (raw, stream):
            first, rest = _started(stream)
            json = first[1].lstrip().startswith("{")
            found = _of_json(chain([first], rest)) if json else _of_csv(path.name, first[1], rest)
            for line in found:
                progress(raw.tell())
                yield line
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


def _started(stream: TextIOWrapper) -> tuple[tuple[int, str], Iterator[tuple[int, str]]]:
    """The first line that says something, and those after it."""
    numbered = ((number, line) for number, line in enumerate(stream, start=1) if line.strip())
    return next(numbered, (1, "")), numbered


def _of_json(numbered: Iterable[tuple[int, str]]) -> Iterator[Line]:
    return (_json_line(place, text) for place, text in numbered)


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


def _of_csv(name: str, header: str, rest: Iterator[tuple[int, str]]) -> Iterator[Line]:
    columns = _columns(name, header)
    for place, record in _records(rest, len(columns)):
        yield _csv_line(place, columns, record)


def _columns(name: str, header: str) -> list[str]:
    columns = _record(header) or []
    wrong = [f"no column {each}" for each in NEEDED if each not in columns]
    wrong += [f"an unknown column {shown(each)}" for each in columns if each not in COLUMNS]
    wrong += [f"the column {each} twice" for each in COLUMNS if columns.count(each) > 1]
    if wrong:
        raise InvalidError(f"{name} has {', '.join(wrong)}; it takes {','.join(COLUMNS)}.", code="invalid_file")
    return columns


def _csv_line(place: int, columns: list[str], record: list[str] | None) -> Line:
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


def _records(numbered: Iterator[tuple[int, str]], width: int) -> Rows:
    """Records, of which one in quotes may go over several lines; a quote that was forgotten takes only its own line."""
    waiting: deque[tuple[int, str]] = deque()
    while True:
        waiting.extend(islice(numbered, 1 if not waiting else 0))
        if not waiting:
            return
        place, text = waiting.popleft()
        record = _record(text)
        if record is None and text.count('"') % 2:
            waiting.extend(islice(numbered, max(0, QUOTED_LINES - len(waiting))))
            record = _over_lines(text, waiting, width)
        yield place, record


def _over_lines(text: str, waiting: deque[tuple[int, str]], width: int) -> list[str] | None:
    for taken, (_, following) in enumerate(list(waiting), start=1):
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
