"""Reading an untrusted JSON document field by field, noting every mistake instead of stopping at the first.

A wrong or missing value becomes a harmless placeholder, so that reading goes on; whoever started the reading looks at
`mistakes` before using anything. A mistake says what is wrong and where.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

from billing_app.domain.common.errors import InvalidError
from billing_app.domain.credits.facts import MAX_QUANTITY

SHOWN_IN_SENTENCE = 3
"""How many mistakes the one-sentence form names; `mistakes` has them all."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to put right. `path` is where in the document (`plans[1].included.mau`), or empty for the whole.

    `line` and `column` (from 1) are known only where the file is not JSON at all.
    """

    file: str
    path: str
    message: str
    line: int | None = None
    column: int | None = None

    @property
    def place(self) -> str:
        """`plans.json:12:5` for syntax, else `plans.json: plans[1].included.mau`."""
        if self.line is not None:
            return f"{self.file}:{self.line}:{self.column}"
        return f"{self.file}: {self.path}" if self.path else self.file

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class CatalogInvalidError(InvalidError):
    """The catalogue says something that cannot be meant (422). `mistakes` has every one of them."""

    code = "catalogue_invalid"

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        named = "; ".join(str(mistake) for mistake in self.mistakes[:SHOWN_IN_SENTENCE])
        more = len(self.mistakes) - SHOWN_IN_SENTENCE
        super().__init__(
            f"{named}; and {more} more" if more > 0 else named,
            mistakes=[{"path": mistake.path, "message": mistake.message} for mistake in self.mistakes],
        )

    def __reduce__(self) -> tuple[type[CatalogInvalidError], tuple[tuple[Mistake, ...]]]:
        """Lets it travel between processes: an exception is rebuilt from its own argument, not from the sentence."""
        return type(self), (self.mistakes,)


class CatalogRefusedError(CatalogInvalidError):
    """A sound catalogue that contradicts what has already happened under an earlier one (409)."""

    status = 409
    code = "catalogue_refused"


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean "mau"?` when a known word is near, else the list of them."""
    words = list(known)
    near = get_close_matches(word, words, n=1, cutoff=0.6) or [name for name in words if name.lower() == word.lower()]
    if near:
        return f'did you mean "{near[0]}"?'
    return "known are " + ", ".join(words) if words else "none are known"


Choice = TypeVar("Choice", bound=StrEnum)

MAX_NAME_LENGTH = 80
"""Names stand in table cells and on Stripe's pages; longer ones break both."""

MAX_TEXT_LENGTH = 500
MAX_SHOWN_LENGTH = 40
"""How much of a wrong value a message repeats."""

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
"""Ids stand in URLs and, between colons, in Stripe's lookup keys (`pack:mau-10k`, `plan:pro:month`)."""


class Reading:
    """The mistakes found so far in one file."""

    def __init__(self, file: str, *, stored: bool = False) -> None:
        """`stored`: what is in force already, which today's rules about ids do not make unreadable."""
        self.file = file
        self.stored = stored
        self.mistakes: list[Mistake] = []

    def wrong(self, path: str, message: str) -> None:
        """Notes a mistake at `path`."""
        self.mistakes.append(Mistake(self.file, path, message))

    def claim(self, taken: dict[str, tuple[str, str]], identity: str, holder: str, path: str) -> None:
        """Notes a mistake where an id is in `taken` already, or one that differs from it in case alone.

        People type ids, spreadsheets and file systems fold their case: `Pro` beside `pro` is a mistake of somebody.
        """
        other, where = taken.setdefault(identity.casefold(), (identity, holder))
        if other == identity and where != holder:
            self.wrong(path, f'"{identity}" is used already by {where}')
        elif other != identity and not self.stored:
            self.wrong(path, f'"{identity}" differs from "{other}" ({where}) only in case; choose another id')

    def rows(self, value: Any, path: str, *, at_most: int, at_least: int = 0) -> list[tuple[str, Any]]:
        """The items of a list, each with its path; nothing where the value is not a list or has too many items."""
        if value is MISSING:
            return []
        if not isinstance(value, list):
            self.wrong(path, f"must be a list, not {shown(value)}")
            return []
        if len(value) > at_most:
            self.wrong(path, f"has {len(value)} items, at most {at_most} are allowed")
            return []
        if len(value) < at_least:
            self.wrong(path, f"needs at least {at_least} item")
        return [(f"{path}[{index}]", item) for index, item in enumerate(value)]


MISSING: Any = object()
"""The value of a key that is not there. Its absence has been noted once already."""


class Fields:
    """The fields of one JSON object at `path`: unknown, missing and repeated keys are noted when it is opened."""

    def __init__(
        self,
        reading: Reading,
        value: Any,
        path: str,
        *,
        required: Collection[str],
        optional: Collection[str] = (),
        noun: str = "key",
    ) -> None:
        self.reading = reading
        self.path = path
        self._values: Mapping[str, Any] = {}
        if value is MISSING:
            return
        if not isinstance(value, Mapping):
            reading.wrong(path, f"must be an object, not {shown(value)}")
            return
        self._values = value
        known = [*required, *optional]
        for key in getattr(value, "repeated", ()):
            reading.wrong(self.at(key), "is written more than once in the same object; keep one of them")
        for key in value:
            if key not in known:
                reading.wrong(self.at(key), f"unknown {noun}; {suggestion(str(key), known)}")
        for key in required:
            if key not in value:
                reading.wrong(self.at(key), "is missing")

    def at(self, key: str) -> str:
        """The path of a key of this object."""
        key = str(key)
        if not re.fullmatch(r"[\w.-]+", key):
            key = json.dumps(key, ensure_ascii=False)
        return f"{self.path}.{key}" if self.path else key

    def value(self, key: str) -> Any:
        """The raw value, or MISSING."""
        return self._values.get(key, MISSING)

    def wrong(self, key: str, message: str) -> None:
        """Notes a mistake of one field."""
        self.reading.wrong(self.at(key), message)

    def text(self, key: str, *, longest: int = MAX_NAME_LENGTH) -> str:
        """A text of 1 to `longest` printable characters."""
        value = self.value(key)
        if value is MISSING:
            return ""
        if not isinstance(value, str):
            self.wrong(key, f"must be a text, not {shown(value)}")
        elif not value.strip():
            self.wrong(key, "must not be empty")
        elif value != value.strip() or not value.isprintable():
            self.wrong(key, "must have no space at its ends and no line breaks or control characters")
        elif len(value) > longest:
            self.wrong(key, f"has {len(value)} characters, at most {longest} are allowed")
        else:
            return value
        return ""

    def identifier(self, key: str) -> str:
        """An id. A wrong one is still given back if it is a text, so that what refers to it is not called unknown."""
        value = self.value(key)
        if value is MISSING:
            return ""
        if not isinstance(value, str):
            self.wrong(key, f"must be a text, not {shown(value)}")
            return ""
        if not ID.fullmatch(value):
            self.wrong(key, f"{shown(value)} is not an id: use letters, digits, dots, - and _, at most 60 characters")
        return value

    def flag(self, key: str, *, absent: bool = False) -> bool:
        """true or false."""
        value = self.value(key)
        if isinstance(value, bool):
            return value
        if value is not MISSING:
            self.wrong(key, f"must be true or false, not {shown(value)}")
        return absent

    def choice(self, key: str, choices: type[Choice], *, absent: Choice | None = None) -> Choice:
        """One of a closed set of words."""
        value = self.value(key)
        names = [choice.value for choice in choices]
        if isinstance(value, str) and value in names:
            return choices(value)
        if isinstance(value, str):
            self.wrong(key, f"{shown(value)} is not one of {', '.join(names)}; {suggestion(value, names)}")
        elif value is not MISSING:
            self.wrong(key, f"must be one of {', '.join(names)}, not {shown(value)}")
        return absent or choices(names[0])

    def whole(self, key: str, *, least: int = 0, most: int = MAX_QUANTITY, absent: int | None = None) -> int:
        """A whole number from `least` to `most`."""
        value = self.value(key)
        stand_in = least if absent is None else absent
        if value is MISSING:
            return stand_in
        mistake = whole_mistake(value, least, most)
        if mistake is None:
            return value
        self.wrong(key, mistake)
        return stand_in

    def limit(self, key: str, *, most: int = MAX_QUANTITY, null: str = "unlimited") -> int | None:
        """A whole number of 0 or more, or null, which means `null`."""
        value = self.value(key)
        if value is None or value is MISSING:
            return None
        mistake = whole_mistake(value, 0, most)
        if mistake is None:
            return value
        self.wrong(key, f"{mistake} (null means {null})")
        return None


def whole_mistake(value: Any, least: int, most: int) -> str | None:
    """Why `value` is not a whole number from `least` to `most`, or None. true is not a number, and 1.0 is not whole."""
    if isinstance(value, (float, Decimal)):
        return f"must be a whole number without decimal point or exponent, not {shown(value)}"
    if isinstance(value, bool) or not isinstance(value, int):
        quoted = isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value)
        return f"must be a whole number, not {shown(value)}{'; remove the quotes' if quoted else ''}"
    if value < least:
        return f"must be {least} or more, not {shown(value)}"
    if value > most:
        return f"must be at most {most}, not {shown(value)}"
    return None


def shown(value: Any) -> str:
    """A value as the file writes it, cut short."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Decimal):
        written = str(value)
    elif isinstance(value, int) and value.bit_length() > 256:
        return "a number of very many digits"
    else:
        written = json.dumps(value, ensure_ascii=False, default=repr)
    return written if len(written) <= MAX_SHOWN_LENGTH else written[: MAX_SHOWN_LENGTH - 1] + "…"
