"""The first answers to requests that may be repeated (api.md, Idempotency)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Insert, Update, bindparam, update
from sqlmodel import Session, col

from billing_app.domain.common.errors import InvalidError
from billing_app.store.common import columns
from billing_app.store.common.statements import upsert_on
from billing_app.store.tables.usage import IdempotencyKey

KEY = ("organization_id", "space", "key")


def take(
    session: Session, organization_id: int, space: str, key: str, digest: str, now: datetime, *, strict: bool = True
) -> str | None:
    """Takes a key for the running transaction; answers the first answer if it was taken before.

    Two at once: the second waits for the first one's transaction. Where `strict`, raises InvalidError
    `idempotency_mismatch` if it was taken by another request.
    """
    row = {"organization_id": organization_id, "space": space, "key": key}
    new = {**row, "digest": digest, "answer": "", "recorded_at": now}
    if session.connection().execute(_take(session.get_bind().dialect.name), new).rowcount:
        return None
    found = session.get(IdempotencyKey, (organization_id, space, key), populate_existing=True)
    if found is None or (strict and found.digest != digest):
        raise mismatch(key)
    return found.answer


def mismatch(key: str) -> InvalidError:
    """What is said of a key that another request has taken."""
    detail = f"The key {key!r} was used with another request. A new attempt takes a new key."
    return InvalidError(detail, code="idempotency_mismatch")


def known(session: Session, organization_id: int, space: str, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Those of the keys that were taken before: the digests and answers of their requests, in one statement."""
    given = ([organization_id] * len(keys), [space] * len(keys), keys)
    found = columns.matching(session, IdempotencyKey, KEY, given, ("digest", "answer"))
    return {key: (digest, answer) for _, _, key, digest, answer in found}


def answer(session: Session, organization_id: int, space: str, key: str, text: str) -> None:
    """Keeps the answer to the request that took `key`, in the same transaction."""
    given = {"of_organization": organization_id, "of_space": space, "of_key": key, "text": text}
    session.connection().execute(_answer(), given)


@lru_cache
def _take(dialect: str) -> Insert:
    return upsert_on(dialect, IdempotencyKey).on_conflict_do_nothing()


@lru_cache
def _answer() -> Update:
    row = IdempotencyKey
    return (
        update(row)
        .where(
            col(row.organization_id) == bindparam("of_organization"),
            col(row.space) == bindparam("of_space"),
            col(row.key) == bindparam("of_key"),
        )
        .values(answer=bindparam("text"))
    )
