"""The catalogue over time: loading a version, and which one is in force.

An edit is a new version from now on; what held before still decides what happened before (docs/decisions/0002).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlmodel import Session

from billing_app.domain.catalogue import (
    Catalog,
    CatalogChange,
    CatalogRefusedError,
    Mistake,
    changes,
    digest,
    keep_in_use,
    parse_catalog,
    refusals,
    to_document,
    uses_that_matter,
)
from billing_app.domain.common.errors import ConflictError, UnavailableError
from billing_app.services.catalogue.files import read_document as read_document
from billing_app.store.catalogue import versions as store
from billing_app.store.catalogue.versions import VersionHead
from billing_app.store.common import locks
from billing_app.store.organizations import organizations
from billing_app.store.tables.catalogue import CatalogueVersion
from billing_app.store.usage import meters

MAX_CACHED = 64
"""Parsed versions that a process keeps; a correction over years of history looks at a few dozen."""

NEWEST = "catalogue.newest"
"""In `Session.info`: the digest of the newest version, as this transaction found it."""

_parsed: dict[str, Catalog] = {}
"""By digest, which names a document by what it says: the same in every database, and never out of date."""

_last_seen: WeakKeyDictionary[Engine, VersionHead] = WeakKeyDictionary()
"""By database, the version that this process last found in force."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What loading did, or would do.

    `version` is the one in force afterwards; None if it would be the first one and nothing was written. `kept` are the
    plans and packs that the document drops and that stay as retired, as `plans.pro`. `edits_kept` says that the file
    is the one loaded last, so that what was edited since stays.
    """

    version: int | None
    changes: tuple[CatalogChange, ...]
    kept: tuple[str, ...]
    written: bool
    edits_kept: bool = False


def load(
    session: Session,
    document: Mapping[str, Any],
    now: datetime,
    source: str,
    *,
    from_file: bool = True,
    replace: bool = False,
    based_on: int | None = None,
    correcting: bool = False,
) -> LoadResult:
    """Makes `document` the catalogue from `now` on. `source` says where it came from and is kept with the version.

    `correcting` puts it in the place of the version in force, as if that had never held. An edit says the version that
    it is `based_on`; if another is in force by now it is refused (ConflictError `catalogue_changed`).
    A document that changes nothing writes nothing. A file that is the one loaded last changes nothing either, whatever
    was edited on the pages since; a changed file that would undo such edits is refused unless `replace`.
    Raises CatalogInvalidError (all mistakes), CatalogRefusedError (it contradicts facts) and ConflictError
    `catalogue_conflict`.
    """
    store.lock(session)
    now = locks.moment_of(session, "catalogue", now, *(head.recorded_at for head in store.history(session, 1)))
    loading = prepared(session, document, now, source, from_file=from_file, replace=replace, based_on=based_on)
    if not loading.result.changes and loading.current is not None:
        return loading.result
    before = loading.current
    version = store.next_version(session)
    store.add(
        session,
        CatalogueVersion(
            version=version,
            document=json.dumps(to_document(loading.catalog), ensure_ascii=False),
            digest=digest(loading.catalog),
            file_digest=loading.file_digest,
            # A clock that is behind must not put an edit before the one that it was made on.
            effective_at=now
            if before is None
            else before.effective_at
            if correcting
            else max(now, before.effective_at),
            recorded_at=now,
            source=source,
            corrects=before.version if correcting and before is not None else None,
        ),
    )
    meters.mark_all_stale(session)
    organizations.raise_all_revisions(session)
    return LoadResult(version, loading.result.changes, loading.result.kept, written=True)


def preview(
    session: Session,
    document: Mapping[str, Any],
    now: datetime,
    source: str,
    *,
    from_file: bool = True,
    replace: bool = False,
    based_on: int | None = None,
) -> LoadResult:
    """What `load` would do with the same arguments; raises the same errors and writes nothing."""
    return prepared(session, document, now, source, from_file=from_file, replace=replace, based_on=based_on).result


def head(session: Session, now: datetime) -> VersionHead:
    """The version in force at `now`. Raises UnavailableError `catalogue_missing` before any was loaded."""
    found = store.in_force(session, now)
    if found is None:
        raise UnavailableError(
            "No catalogue has been loaded yet: run `billing catalogue load`.", code="catalogue_missing"
        )
    _last_seen[session.get_bind().engine] = found
    return found


def current(session: Session, now: datetime, *, newest: str | None = None) -> Catalog:
    """The catalogue in force at `now`. Raises UnavailableError `catalogue_missing` before any was loaded.

    `newest` is the newest version's digest, where another query has just read it: it may save this one.
    """
    seen, known = assumed(session, now) or ("", None)
    newest = newest or session.info.get(NEWEST)
    return known if known is not None and seen == newest else of_version(session, head(session, now))


def just_read(session: Session, newest: str | None) -> None:
    """Notes the newest version's digest for the rest of a transaction that cannot write."""
    session.info[NEWEST] = newest


def assumed(session: Session, now: datetime) -> tuple[str, Catalog] | None:
    """What this process last found in force and its digest, without asking; None where nothing can be assumed.

    Only for a statement that does nothing where the newest version has another digest: then ask `current`.
    """
    return assumed_in(session.get_bind().engine, now)


def assumed_in(engine: Engine, now: datetime) -> tuple[str, Catalog] | None:
    """The same of a database."""
    seen = _last_seen.get(engine)
    catalog = None if seen is None or now < seen.effective_at else _parsed.get(seen.digest)
    return None if seen is None or catalog is None else (seen.digest, catalog)


def of_version(session: Session, version: VersionHead) -> Catalog:
    """The catalogue of a version, parsed once per process."""
    catalog = _parsed.get(version.digest)
    if catalog is None:
        text = store.document(session, version.version)
        if text is None:
            raise UnavailableError(f"Version {version.version} of the catalogue is gone.", code="catalogue_missing")
        catalog = parse_catalog(json.loads(text), f"catalogue version {version.version}", stored=True)
        if len(_parsed) >= MAX_CACHED:
            _parsed.clear()
        _parsed[version.digest] = catalog
    return catalog


def timeline(session: Session) -> list[tuple[datetime, Catalog]]:
    """Every catalogue that has held, with the moment from which it did; the first one has always been held."""
    return [(each.effective_at, of_version(session, each)) for each in store.timeline(session)]


@dataclass(frozen=True, slots=True)
class Loading:
    """A document that may become a version: `catalog` has what is kept because it is in use."""

    catalog: Catalog
    current: VersionHead | None
    file_digest: str | None
    result: LoadResult


def prepared(
    session: Session,
    document: Mapping[str, Any],
    now: datetime,
    source: str,
    *,
    from_file: bool,
    replace: bool = False,
    based_on: int | None = None,
) -> Loading:
    """Everything about loading a document but writing it. Raises as `load` does."""
    given = parse_catalog(document, source)
    file_digest = digest(given) if from_file else None
    head = store.in_force(session, now)
    if head is None:
        return Loading(given, None, file_digest, LoadResult(None, (), (), written=False))
    if based_on is not None and head.version != based_on:
        raise ConflictError(
            f"Somebody saved version {head.version} of the catalogue meanwhile; this edit is based on {based_on}.",
            code="catalogue_changed",
            version=head.version,
        )
    old = of_version(session, head)
    in_use = store.used(session, uses_that_matter(old, given))
    new = keep_in_use(old, given, in_use)
    found = changes(old, new)
    if file_digest is not None and not replace and _edits_stay(session, head, old, file_digest, found):
        return Loading(old, head, file_digest, LoadResult(head.version, (), (), written=False, edits_kept=True))
    refused = refusals(old, given, in_use)
    if refused:
        raise CatalogRefusedError(Mistake(source, refusal.path, refusal.message) for refusal in refused)
    kept = [f"plans.{plan.id}" for plan in new.plans if plan not in given.plans]
    kept += [f"packs.{pack.id}" for pack in new.packs if pack not in given.packs]
    return Loading(new, head, file_digest, LoadResult(head.version, tuple(found), tuple(kept), written=False))


def _edits_stay(
    session: Session, head: VersionHead, old: Catalog, file_digest: str, wanted: list[CatalogChange]
) -> bool:
    """Whether the file says nothing new, so that what was edited on the pages since it was loaded stays.

    Raises ConflictError `catalogue_conflict` if the file did change, and would undo such an edit.
    """
    last = store.newest_from_file(session)
    if last is None or last.version == head.version or not wanted:
        return False
    if last.file_digest == file_digest or store.known_since(session, file_digest, last.version):
        return True
    edits = changes(of_version(session, last), old)
    undone = [edit.path for edit in edits if any(edit.meets(change) for change in wanted)]
    if undone:
        raise ConflictError(
            f"The file would undo what was edited since it was last loaded: {', '.join(undone)}. Take the edits over "
            "into the file (`billing catalogue show --json` prints them), load it with --replace, or open it in the "
            "catalogue editor.",
            code="catalogue_conflict",
            paths=undone,
        )
    return False
