"""The catalogue editor's questions, answered as values: mistakes and conflicts are answers there, not refusals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from billing_app.domain.catalog import CatalogInvalidError, to_document
from billing_app.domain.errors import ConflictError
from billing_app.services import catalog, catalogue_edits, catalogue_effects
from billing_app.services.views.catalogue import CatalogueView, CheckView


def catalogue(session: Session, now: datetime, file: Path) -> CatalogueView:
    """The version in force, and what `file` would undo of it."""
    head, current = catalogue_edits.editing(session, now)
    return CatalogueView(
        version=head.version,
        effective_at=head.effective_at,
        source=head.source,
        document=to_document(current),
        now=now,
        file_conflict=_conflict(session, now, file),
    )


def check(session: Session, document: Mapping[str, Any], based_on: int, now: datetime) -> CheckView:
    """What an edit would do so far."""
    try:
        found = catalogue_effects.preview(session, document, now, based_on=based_on, detailed=False)
    except CatalogInvalidError as error:
        return CheckView(mistakes=tuple((each.path, each.message) for each in error.mistakes))
    except ConflictError as error:
        return CheckView(newer=int(error.fields.get("version", 0)))
    return CheckView(changes=found.result.changes, affected=found.count)


def from_file(file: Path) -> Mapping[str, Any]:
    """The file's document, to be looked at as an edit. Raises CatalogInvalidError."""
    return catalog.read_document(file)


def _conflict(session: Session, now: datetime, file: Path) -> tuple[str, ...]:
    try:
        catalog.preview(session, catalog.read_document(file), now, file.name)
    except ConflictError as conflict:
        return tuple(conflict.fields.get("paths", ()))
    except CatalogInvalidError:
        return ()  # a start says so; it is nothing that the editor could do about
    return ()
