"""The catalogue editor's questions, answered as values: mistakes and conflicts are answers there, not refusals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from billing_app.domain.catalogue import CatalogInvalidError, parse_catalog, to_document
from billing_app.domain.common.errors import ConflictError
from billing_app.services.catalogue import versions
from billing_app.services.operators import catalogue_edits, catalogue_effects
from billing_app.services.operators.views_catalogue import CatalogueAnswer, CheckView, FileState, FileView
from billing_app.services.payments import stripe_names


def catalogue(session: Session, now: datetime, file: Path) -> CatalogueAnswer:
    """The version in force, and what the next start would make of `file`."""
    head, current = catalogue_edits.editing(session, now)
    return CatalogueAnswer(
        version=head.version,
        effective_at=head.effective_at,
        source=head.source,
        document=to_document(stripe_names.named(session, current)),
        now=now,
        file=_file(session, now, file),
    )


def document(session: Session, now: datetime) -> Mapping[str, Any]:
    """The catalogue in force, as an edit would begin with it."""
    return to_document(stripe_names.named(session, catalogue_edits.editing(session, now)[1]))


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
    return to_document(parse_catalog(versions.read_document(file), file.name))


def _file(session: Session, now: datetime, file: Path) -> FileView:
    """What the next start would do with the file."""
    try:
        found = versions.preview(session, versions.read_document(file), now, file.name)
    except ConflictError as conflict:
        return FileView(FileState.CONFLICT, tuple(conflict.fields.get("paths", ())))
    except CatalogInvalidError as error:
        return FileView(FileState.BROKEN, tuple(str(mistake) for mistake in error.mistakes))
    if found.changes:
        return FileView(FileState.WAITING, tuple(change.path for change in found.changes))
    return FileView()
