"""Queries about the catalogue's versions, and about what facts refer to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, func
from sqlalchemy import select as select_columns
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from billing_app.domain.catalogue import CatalogUse
from billing_app.store.common.statements import read
from billing_app.store.tables.base import Moment
from billing_app.store.tables.catalogue import CatalogueVersion
from billing_app.store.tables.credits import GrantRow, PlanChange
from billing_app.store.tables.usage import UsageHour


@dataclass(frozen=True, slots=True)
class VersionHead:
    """A version without its document: enough to know whether one has it already."""

    version: int
    digest: str
    file_digest: str | None
    effective_at: datetime
    recorded_at: datetime
    source: str
    corrects: int | None


def in_force(session: Session, at: datetime) -> VersionHead | None:
    """The version that holds at `at`, as known now; None before anything was loaded.

    The first one has always been held, as an organization's first plan has: history may be imported from before it.
    """
    found = session.connection().execute(_latest(), {"at": at}).first()
    if found is None:
        effective_at, version = col(CatalogueVersion.effective_at), col(CatalogueVersion.version)
        first = session.exec(_standing().order_by(effective_at, version).limit(1)).first()
        return None if first is None else _head(first)
    return _head(found)


@lru_cache
def _latest() -> Select[Any]:
    """The statement of `in_force`, made once: every request asks it."""
    row = CatalogueVersion
    columns = [getattr(row, field.name) for field in fields(VersionHead)]
    effective_at, version = col(row.effective_at), col(row.version)
    held = select_columns(*columns).where(version.not_in(_corrected()), effective_at <= bindparam("at", type_=Moment))
    return held.order_by(effective_at.desc(), version.desc()).limit(1)


def timeline(session: Session) -> list[VersionHead]:
    """The versions as they follow each other in time, without those that were corrected; each holds until the next."""
    return [_head(row) for row in read(session, _timeline(), {})]


@lru_cache
def _timeline() -> Select[Any]:
    row = CatalogueVersion
    columns = [getattr(row, field.name) for field in fields(VersionHead)]
    return select_columns(*columns).where(col(row.version).not_in(_corrected())).order_by(row.effective_at, row.version)


def history(session: Session, limit: int, before: int | None = None) -> list[VersionHead]:
    """Everything that was ever recorded, newest first, `limit` at a time, beginning below the version `before`."""
    query = _heads().order_by(col(CatalogueVersion.version).desc()).limit(limit)
    if before is not None:
        query = query.where(col(CatalogueVersion.version) < before)
    return [_head(row) for row in session.exec(query)]


def head_of(session: Session, version: int) -> VersionHead | None:
    """That version, in force or not."""
    row = session.exec(_heads().where(col(CatalogueVersion.version) == version)).first()
    return None if row is None else _head(row)


def newest_from_file(session: Session) -> VersionHead | None:
    """The last version that came from a file."""
    query = _heads().where(col(CatalogueVersion.file_digest).is_not(None))
    row = session.exec(query.order_by(col(CatalogueVersion.version).desc()).limit(1)).first()
    return None if row is None else _head(row)


def known_since(session: Session, digest: str, version: int) -> bool:
    """Whether `version` or a later one says exactly this."""
    query = select(CatalogueVersion.version).where(
        CatalogueVersion.digest == digest, CatalogueVersion.version >= version
    )
    return session.exec(query.limit(1)).first() is not None


def lock(session: Session) -> None:
    """Lets one writer at a time decide what the next version is, until its transaction ends; readers go on.

    Replicas that start together all load the file: the first one writes, the others then see that nothing changes.
    SQLite's writing transactions exclude each other anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("LOCK TABLE catalogue_versions IN SHARE ROW EXCLUSIVE MODE")


def share(session: Session) -> None:
    """Waits for whoever writes a version, and lets nobody write one until the transaction ends; many may share it.

    Between the organization and its meters in the common order: whoever writes a version takes meters after this.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("LOCK TABLE catalogue_versions IN ROW EXCLUSIVE MODE")


def document(session: Session, version: int) -> str | None:
    """The whole document of a version, as JSON text."""
    return session.exec(select(CatalogueVersion.document).where(CatalogueVersion.version == version)).first()


def add(session: Session, row: CatalogueVersion) -> None:
    """Writes a version. Two writers of the same number: the primary key lets one of them through."""
    session.add(row)
    session.flush()


def next_version(session: Session) -> int:
    """The number of the version to come."""
    return (session.exec(select(func.max(col(CatalogueVersion.version)))).one() or 0) + 1


def used(session: Session, asked: CatalogUse) -> CatalogUse:
    """Which of the metrics, plans and packs that are asked for do facts refer to?

    Only those are looked up, each with a query that ends at the first row: a catalogue is mostly loaded unchanged.
    """
    return CatalogUse(
        metrics=frozenset(metric for metric in asked.metrics if _metric_used(session, metric)),
        plans=_present(session, PlanChange, "plan", asked.plans),
        packs=_present(session, GrantRow, "pack", asked.packs),
    )


def _heads() -> SelectOfScalar[CatalogueVersion]:
    """Versions without reading their documents, which are long."""
    return select(CatalogueVersion).options(defer(CatalogueVersion.document))  # ty: ignore[invalid-argument-type]


def _standing() -> SelectOfScalar[CatalogueVersion]:
    """The versions that no other one corrects."""
    return _heads().where(col(CatalogueVersion.version).not_in(_corrected()))


def _corrected() -> Select[Any]:
    return select_columns(col(CatalogueVersion.corrects)).where(col(CatalogueVersion.corrects).is_not(None))


def _head(row: CatalogueVersion | Row[Any]) -> VersionHead:
    return VersionHead(
        version=row.version,
        digest=row.digest,
        file_digest=row.file_digest,
        effective_at=row.effective_at,
        recorded_at=row.recorded_at,
        source=row.source,
        corrects=row.corrects,
    )


def _metric_used(session: Session, metric: str) -> bool:
    return bool(_present(session, UsageHour, "metric", {metric}) or _present(session, GrantRow, "metric", {metric}))


def _present(
    session: Session, table: type[UsageHour | GrantRow | PlanChange], column: str, ids: Collection[str]
) -> frozenset[str]:
    """Those of `ids` that occur in a column."""
    field = getattr(table, column)
    return frozenset(name for name in ids if session.exec(select(field).where(field == name).limit(1)).first())
