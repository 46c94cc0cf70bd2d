"""CSV downloads: streamed line by line, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from starlette.responses import StreamingResponse

from billing_app.domain.common.texts import BYTE_ORDER_MARK, harmless
from billing_app.services.common.months import rfc3339

MEDIA_TYPE = "text/csv; charset=utf-8"

LINES_PER_CHUNK = 500
"""Few enough to begin at once, enough not to send each line by itself."""

Cell = str | int | datetime | None


def csv_answer(filename: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> StreamingResponse:
    """A download of `rows`. `filename` is ours (an address and a word), so it needs no escaping."""
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return StreamingResponse(_chunks(header, rows), media_type=MEDIA_TYPE, headers=headers)


def written(cell: Cell) -> str:
    """A cell as text. Numbers stay numbers, also negative ones; texts that would be formulas get an apostrophe."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return rfc3339(cell)
    if isinstance(cell, str):
        return harmless(cell)
    return str(cell)


def _chunks(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    buffer = io.StringIO()
    buffer.write(BYTE_ORDER_MARK)
    writer = csv.writer(buffer)
    writer.writerow(header)
    for number, row in enumerate(rows, start=1):
        writer.writerow([written(cell) for cell in row])
        if number % LINES_PER_CHUNK == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
