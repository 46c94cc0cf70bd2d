"""What commands print: JSON for programs, else lines and tables for people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from billing_app.domain.common.moments import day_or_moment
from billing_app.services.common.months import rfc3339

DIGITS = re.compile(r"-?[0-9]{1,30}", re.ASCII)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]

ACTOR = "command line"
"""Who did it, for the record."""


def print_json(value: Any) -> None:
    """A value as indented JSON; moments as RFC 3339, everything else that JSON does not know as its text."""
    print(json.dumps(value, indent=1, ensure_ascii=False, default=_plain))


def print_items(items: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """A list: `{"items": [...]}`, or a table of some `columns` of it."""
    listed = list(items)
    if as_json:
        print_json({"items": listed})
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*(name.replace("_", " ").capitalize() for name in columns))
    for item in listed:
        table.add_row(*(escape(_shown(item[name])) for name in columns))
    Console().print(table)


def print_done(item: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """What was done: the thing itself, or a sentence."""
    if as_json:
        print_json(item)
    else:
        print(sentence)


def whole(text: str | int) -> int:
    """A number as files and requests have it. Python would read `1_000`, ` 5` and digits of other scripts, too."""
    if not DIGITS.fullmatch(str(text)):
        raise typer.BadParameter(f"{str(text)[:40]!r} is not a whole number in digits, such as 5000.")
    return int(text)


def number(help: str, argument: str = "", least: int | None = None, most: int | None = None, **more: Any) -> Any:
    """An option that is a whole number from `least` to `most`, or the `argument` of that name."""

    def read(text: str | int) -> int:
        value = whole(text)
        if (least is not None and value < least) or (most is not None and value > most):
            raise typer.BadParameter(f"{value} is not a number from {least} to {most}.")
        return value

    if argument:
        return typer.Argument(parser=read, metavar=argument, help=help, **more)
    return typer.Option(parser=read, metavar="<int>", help=help, **more)


def moment(text: str) -> datetime | None:
    """`2027-01-31` or `2027-01-31T12:00:00Z`; None for nothing. Raises InvalidError `invalid_moment`."""
    return day_or_moment(text) if text else None


def _plain(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, datetime) else str(value)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return rfc3339(value)[:10]
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return {True: "yes", False: ""}.get(value, str(value)) if isinstance(value, bool) else str(value)
