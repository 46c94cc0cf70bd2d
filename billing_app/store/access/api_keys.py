"""Queries about API keys."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, update
from sqlmodel import Session, col, select

from billing_app.store.tables.access import ApiKey, OperatorKey
from billing_app.store.tables.organizations import Organization

_BY_HASH = (
    select(Organization, ApiKey.id, ApiKey.scopes, ApiKey.last_used_at)
    .join(Organization, col(Organization.id) == col(ApiKey.organization_id))
    .where(col(ApiKey.key_hash) == bindparam("key_hash"), col(ApiKey.revoked_at).is_(None))
)
"""Made once: every request of a program asks it."""


class Found(NamedTuple):
    """What a request needs of a key, with the key's organization."""

    organization: Organization
    id: UUID
    scopes: str
    last_used_at: datetime | None


def by_hash(session: Session, key_hash: str) -> Found | None:
    """The organization's key, unless it was revoked."""
    found = session.exec(_BY_HASH, params={"key_hash": key_hash}).first()
    return None if found is None else Found._make(found)


def operators_by_hash(session: Session, key_hash: str) -> OperatorKey | None:
    """The operator's key, unless it was revoked."""
    query = select(OperatorKey).where(OperatorKey.key_hash == key_hash, col(OperatorKey.revoked_at).is_(None))
    return session.exec(query).first()


def by_id(session: Session, organization_id: int | None, key_id: UUID) -> ApiKey | OperatorKey | None:
    """The organization's key, or the operator's, revoked or not."""
    if organization_id is None:
        return session.get(OperatorKey, key_id)
    return session.get(ApiKey, (organization_id, key_id))


def of(session: Session, organization_id: int) -> list[ApiKey]:
    """The organization's keys, revoked ones too, the newest first."""
    query = select(ApiKey).where(ApiKey.organization_id == organization_id).order_by(col(ApiKey.id).desc())
    return list(session.exec(query))


def operators(session: Session) -> list[OperatorKey]:
    """The operator's keys, revoked ones too, the newest first."""
    return list(session.exec(select(OperatorKey).order_by(col(OperatorKey.id).desc())))


def lock_operators(session: Session) -> None:
    """Lets one at a time count the operator's keys and make one. SQLite's writers exclude each other anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("LOCK TABLE operator_keys IN SHARE ROW EXCLUSIVE MODE")


def forget_revoked(session: Session, organization_id: int | None, most: int) -> None:
    """Deletes the revoked keys, of the organization or the operator's, that are older than the newest `most`."""
    table = OperatorKey if organization_id is None else ApiKey
    theirs = col(table.revoked_at).is_not(None)
    if organization_id is not None:
        theirs &= col(ApiKey.organization_id) == organization_id
    older = select(table.id).where(theirs).order_by(col(table.revoked_at).desc(), col(table.id).desc()).offset(most)
    found = list(session.exec(older))
    if found:
        session.exec(delete(table).where(theirs, col(table.id).in_(found)))


def used(session: Session, organization_id: int | None, key_id: UUID, now: datetime, before: datetime) -> None:
    """Notes a use, unless one after `before` is noted already."""
    table = OperatorKey if organization_id is None else ApiKey
    last = col(table.last_used_at)
    statement = update(table).where(col(table.id) == key_id, last.is_(None) | (last < before)).values(last_used_at=now)
    if organization_id is not None:
        statement = statement.where(col(ApiKey.organization_id) == organization_id)
    session.exec(statement.execution_options(synchronize_session=False))


def revoke(session: Session, organization_id: int | None, key_id: UUID, now: datetime) -> bool:
    """Revokes the key; revoking twice keeps the first moment. False if there is no such key."""
    key = by_id(session, organization_id, key_id)
    if key is None:
        return False
    key.revoked_at = key.revoked_at or now
    session.add(key)
    return True
