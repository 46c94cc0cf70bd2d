"""What is wrong with a catalogue, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from billing_app.domain.common.errors import InvalidError

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
