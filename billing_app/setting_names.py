"""The names in the environment and in `.env`: which of them look like a setting and are none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from dotenv import dotenv_values

from billing_app import locations
from billing_app.domain.common.errors import UnavailableError

PREFIX = "BILLING_"

INTERNAL = frozenset({"BILLING_LOG_FILE", "BILLING_FAKE_STRIPE"})
"""What the launcher tells the processes that it starts."""

ALIKE = 0.6
"""How much of a name has to be right for another to be suggested (difflib's ratio)."""

NEARLY = 0.85
"""The same for a name whose prefix is wrong, too: the environment is full of other programs' names."""


def unreadable(error: OSError | UnicodeDecodeError) -> str:
    """Why `.env` cannot be read, as a sentence."""
    cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
    where = f"in {locations.HOME}" if os.environ.get(locations.HOME) else "in this folder"
    return f".env {where} cannot be read: {cause}."


def in_file() -> Mapping[str, str | None]:
    """What `.env` says. Raises UnavailableError where it cannot be read."""
    file = locations.env_file()
    if not file.is_file():
        return {}
    try:
        return dotenv_values(file)
    except (OSError, UnicodeDecodeError) as error:
        raise UnavailableError(unreadable(error)) from None


def misspelt(fields: Iterable[str]) -> list[str]:
    """A sentence for every name that is not a setting but perhaps meant as one of `fields`."""
    known = {f"{PREFIX}{name.upper()}" for name in fields} | INTERNAL
    sentences = []
    for place, names in (("the environment", os.environ), (".env", in_file())):
        given = {name.upper() for name in names}
        if locations.HOME in given and place == ".env":
            sentences.append(f"{locations.HOME} in .env is not used: it says where .env is. Set it in the environment.")
        for name in sorted(given - known - {locations.HOME}):
            ours = name.startswith(PREFIX)
            nearest = get_close_matches(name, sorted(known - INTERNAL), 1, ALIKE if ours else NEARLY)
            if ours or nearest:
                meant = f"did you mean {nearest[0]}?" if nearest else "docs/operations.md lists them all."
                sentences.append(f"{name} in {place} is not a setting and is not used: {meant}")
    return sentences
