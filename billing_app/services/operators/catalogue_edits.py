"""Editing the catalogue: what an edit says, whom it affects, and saving it.

An edit is a whole document and the version that it began with. Nothing is written before it was looked at; what
somebody else saved meanwhile is never overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from billing_app.domain.catalogue import (
    Catalog,
    changes,
    to_document,
)
from billing_app.domain.catalogue.changes import merged
from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.services.catalogue import versions as catalog
from billing_app.services.catalogue.files import NAME
from billing_app.services.catalogue.files import mistakes as mistakes
from billing_app.services.catalogue.versions import LoadResult
from billing_app.services.common import audit
from billing_app.services.operators.views_catalogue import Version
from billing_app.store.catalogue import versions as store
from billing_app.store.catalogue.versions import VersionHead


def editing(session: Session, now: datetime) -> tuple[VersionHead, Catalog]:
    """The version that an edit begins with."""
    head = catalog.head(session, now)
    return head, catalog.of_version(session, head)


def preview(session: Session, document: Mapping[str, Any], now: datetime, *, based_on: int) -> LoadResult:
    """What saving would change. Raises as `save` does."""
    return catalog.preview(session, document, now, NAME, from_file=False, based_on=based_on)


def save(
    session: Session,
    document: Mapping[str, Any],
    now: datetime,
    *,
    based_on: int,
    correcting: bool = False,
    actor: str = "",
) -> LoadResult:
    """Makes `document` a version from `now` on, or (`correcting`) in the place of the one in force.

    Raises CatalogInvalidError, CatalogRefusedError (it contradicts facts), ConflictError `catalogue_changed`.
    """
    result = catalog.load(
        session, document, now, actor or "editor", from_file=False, based_on=based_on, correcting=correcting
    )
    if result.written:
        said = {"version": result.version, "changes": [change.path for change in result.changes]}
        action = "catalogue.corrected" if correcting else "catalogue.saved"
        audit.record(session, None, now, actor, action, f"version {result.version}", after=said)
    return result


def rebased(
    session: Session, document: Mapping[str, Any], now: datetime, *, based_on: int
) -> tuple[VersionHead, dict[str, Any], list[str]]:
    """An edit put on top of the version in force: that version, the document, and the places that both had changed."""
    head, current = editing(session, now)
    base = to_document(of_number(session, based_on))
    document, both = merged(base, document, to_document(current))
    return head, document, both


def of_number(session: Session, version: int) -> Catalog:
    """The catalogue of a version. Raises NotFoundError `version_not_found`."""
    return catalog.of_version(session, head_of(session, version))


def versions(session: Session, now: datetime, limit: int, before: int | None = None) -> list[Version]:
    """Everything that was ever saved, the newest first, with what each changed."""
    heads = store.history(session, limit + 1, before)
    current = catalog.head(session, now).version
    replaced = {head.corrects: head.version for head in store.history(session, MAX_HISTORY) if head.corrects}
    found = []
    for place, head in enumerate(heads[:limit]):
        older = heads[place + 1] if place + 1 < len(heads) else None
        differing = (
            () if older is None else changes(catalog.of_version(session, older), catalog.of_version(session, head))
        )
        found.append(
            Version(
                version=head.version,
                effective_at=head.effective_at,
                recorded_at=head.recorded_at,
                source=head.source,
                corrects=head.corrects,
                corrected_by=replaced.get(head.version),
                in_force=head.version == current,
                changes=tuple(differing),
            )
        )
    return found


MAX_HISTORY = 10_000
"""Versions that are looked through for corrections: heads only, and nobody saves this often."""


def head_of(session: Session, version: int) -> VersionHead:
    head = store.head_of(session, version) if 1 <= version <= MAX_QUANTITY else None
    if head is not None:
        return head
    raise NotFoundError(f"There is no version {version} of the catalogue.", code="version_not_found")
