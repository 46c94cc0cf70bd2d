"""The first answers to requests that may be repeated (api.md, Idempotency)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col

from billing_app.domain.errors import InvalidError
from billing_app.store.tables.usage import IdempotencyKey
from billing_app.store.upserts import upsert


def take(session: Session, organization_id: int, space: str, key: str, digest: str, now: datetime) -> str | None:
    """Takes a key for the running transaction; answers the first answer if it was taken before.

    Two at once: the second waits for the first one's transaction. Raises InvalidError `idempotency_mismatch` if it was
    taken by another request.
    """
    statement = upsert(session, IdempotencyKey).values(
        organization_id=organization_id, space=space, key=key, digest=digest, answer="", recorded_at=now
    )
    if session.connection().execute(statement.on_conflict_do_nothing()).rowcount:
        return None
    row = session.get(IdempotencyKey, (organization_id, space, key), populate_existing=True)
    if row is None or row.digest != digest:
        raise InvalidError(
            f"The key {key!r} was used with another request. A new attempt takes a new key.",
            code="idempotency_mismatch",
        )
    return row.answer


def answer(session: Session, organization_id: int, space: str, key: str, text: str) -> None:
    """Keeps the answer to the request that took `key`, in the same transaction."""
    session.connection().execute(
        update(IdempotencyKey)
        .where(
            col(IdempotencyKey.organization_id) == organization_id,
            col(IdempotencyKey.space) == space,
            col(IdempotencyKey.key) == key,
        )
        .values(answer=text)
    )
