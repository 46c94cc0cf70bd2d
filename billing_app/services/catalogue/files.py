"""A catalogue's file, as plans.json: read without a database, and without what a database needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from billing_app.domain.catalogue import CatalogInvalidError, Mistake, decode_document, parse_catalog

NAME = "catalogue"
"""What mistakes of an edit are reported under; a file has its own name."""

MAX_FILE_BYTES = 4 * 1024 * 1024
"""Far above any real catalogue: 500 packs are 100 kB."""


def read_document(path: Path) -> Mapping[str, Any]:
    """The JSON document of a file.

    Raises CatalogInvalidError: it cannot be read, is too large, or is not JSON (with line and column).
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise _file_mistake(path, "there is no such file; copy the one that comes with the program") from None
    except OSError as error:
        raise _file_mistake(path, f"can't be read: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise _file_mistake(path, f"is larger than {MAX_FILE_BYTES} bytes, which no catalogue is")
    return decode_document(content, path.name)


def mistakes(document: Mapping[str, Any]) -> tuple[Mistake, ...]:
    """Everything that is wrong with a document by itself, each with its place; nothing if it is sound."""
    try:
        parse_catalog(document, NAME)
    except CatalogInvalidError as error:
        return error.mistakes
    return ()


def _file_mistake(path: Path, message: str) -> CatalogInvalidError:
    return CatalogInvalidError([Mistake(path.name, "", message)])
