"""API keys: how a program proves who it is. Shown once when made, stored as a hash, revocable."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing_app.domain.common.access import Scope
from billing_app.domain.common.errors import ConflictError, InvalidError, NotFoundError
from billing_app.services.access.views import KeyAnswer, NewKeyAnswer
from billing_app.services.common import audit, organizations, payers
from billing_app.services.common.answers import filled
from billing_app.services.common.secrets import digest, new_secret
from billing_app.store.access import api_keys as store
from billing_app.store.common import locks
from billing_app.store.tables.access import ApiKey, OperatorKey
from billing_app.store.tables.organizations import Organization

PREFIX = "bk_live_"
"""What a key begins with, so that a scanner for leaked secrets can find one."""

KEY = re.compile(r"bk_live_[A-Za-z0-9_-]{43}")

USE_NOTED_EVERY = timedelta(minutes=1)
"""How exact `last_used_at` is: a write for every request would cost more than the request."""

MAX_KEYS = 50
"""Keys of one organization that open something: one for each program and place, and some while they are replaced."""

MAX_OPERATOR_KEYS = 50
"""The operator's, counted likewise."""

MAX_REVOKED = 200
"""Revoked keys that are still listed; of older ones the audit log tells who made and who revoked them."""

MAX_NAME = 100
"""Characters of a key's name."""

SHOWN = 4
"""Characters of a secret that its hint shows at each end: enough to tell keys apart, nothing to guess from."""


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """The program that sent a key. Without an organization it is the operator's. `use_due`: call `note_use`."""

    key_id: UUID
    organization: Organization | None
    organization_id: int | None
    """Kept apart, because the row cannot be asked any more once its transaction was rolled back."""
    scopes: frozenset[Scope]
    use_due: bool

    @property
    def operator(self) -> bool:
        """Whether the key opens every organization."""
        return self.organization_id is None


def create(
    session: Session,
    organization_id: int | None,
    name: str,
    scopes: Iterable[str],
    created_by: str,
    now: datetime,
) -> NewKeyAnswer:
    """Makes a key of the organization, or the operator's if there is none (which has every scope).

    Raises InvalidError `invalid_name` or `invalid_scope`, ForbiddenError `organization_inactive`, ConflictError
    `too_many_keys`.
    """
    now = _room(session, organization_id, now)
    title = name.strip()
    if not title or len(title) > MAX_NAME or not title.isprintable():
        raise InvalidError(f"A key's name has 1 to {MAX_NAME} visible characters.", code="invalid_name")
    wanted = set(scopes)
    unknown = wanted - set(Scope)
    if unknown or (organization_id is not None and not wanted):
        raise InvalidError(f"A key's scopes are one or more of {', '.join(Scope)}.", code="invalid_scope")
    secret = PREFIX + new_secret()
    hint = f"{secret[: len(PREFIX) + SHOWN]}...{secret[-SHOWN:]}"
    common: dict[str, Any] = {"name": title, "hint": hint, "created_by": created_by, "created_at": now}
    if organization_id is None:
        key: ApiKey | OperatorKey = OperatorKey(key_hash=digest(secret), **common)
    else:
        scoped = " ".join(sorted(wanted))
        key = ApiKey(organization_id=organization_id, scopes=scoped, key_hash=digest(secret), **common)
    session.add(key)
    session.flush()
    after = {"name": title, "scopes": sorted(wanted) or sorted(Scope), "hint": hint}
    audit.record(session, organization_id, now, created_by, "api_key.created", title, after=after)
    if organization_id is not None:
        organizations.raise_revision(session, organization_id)
    return filled(NewKeyAnswer, _view(key), secret=secret)


def identify(session: Session, secret: str, now: datetime) -> KeyHolder | None:
    """Who holds this key; None for an unknown or a revoked one. Writes nothing."""
    if not KEY.fullmatch(secret):
        return None
    key_hash = digest(secret)
    found = store.by_hash(session, key_hash)
    if found is not None:
        scopes = frozenset(Scope(scope) for scope in found.scopes.split())
        held_by = found.organization
        return KeyHolder(found.id, held_by, held_by.pk, scopes, _use_due(found.last_used_at, now))
    operators = store.operators_by_hash(session, key_hash)
    if operators is None:
        return None
    return KeyHolder(operators.id, None, None, frozenset(Scope), _use_due(operators.last_used_at, now))


def note_use(session: Session, holder: KeyHolder, now: datetime) -> None:
    """Notes that the key was used, at most once a minute. Worth a write only if `use_due`."""
    store.used(session, holder.organization_id, holder.key_id, now, now - USE_NOTED_EVERY)


def every(session: Session, organization_id: int | None) -> list[KeyAnswer]:
    """The keys of the organization, or the operator's, revoked ones too, the newest first."""
    keys = store.operators(session) if organization_id is None else store.of(session, organization_id)
    return [_view(key) for key in keys]


def revoke(session: Session, organization_id: int | None, key_id: UUID, now: datetime, *, actor: str = "") -> None:
    """Ends the key for good, from the next request on. Raises NotFoundError `api_key_not_found`."""
    if organization_id is not None:
        now = locks.hold(session, organization_id, now)
    found = store.by_id(session, organization_id, key_id)
    if found is None:
        raise NotFoundError("There is no such API key.", code="api_key_not_found")
    if found.revoked_at is None:
        store.revoke(session, organization_id, key_id, now)
        before = {"name": found.name, "hint": found.hint}
        audit.record(session, organization_id, now, actor, "api_key.revoked", found.name, before=before)
        if organization_id is not None:
            organizations.raise_revision(session, organization_id)


def _room(session: Session, organization_id: int | None, now: datetime) -> datetime:
    """The moment at which one more key may be made: who makes many at once is counted one by one.

    The longest revoked keys make way. Raises as `create` does.
    """
    if organization_id is None:
        store.lock_operators(session)
        most, keys = MAX_OPERATOR_KEYS, [each.revoked_at for each in store.operators(session)]
    else:
        holder, now = locks.hold_row(session, organization_id, now)
        payers.require_active(holder, holder)
        most, keys = MAX_KEYS, [each.revoked_at for each in store.of(session, organization_id)]
    if sum(revoked_at is None for revoked_at in keys) >= most:
        raise ConflictError(
            f"There are {most} API keys already. Revoke one that nothing uses any more first.", code="too_many_keys"
        )
    if len(keys) > MAX_REVOKED:
        store.forget_revoked(session, organization_id, MAX_REVOKED)
    return now


def _use_due(last_used_at: datetime | None, now: datetime) -> bool:
    return last_used_at is None or last_used_at + USE_NOTED_EVERY < now


def _view(key: ApiKey | OperatorKey) -> KeyAnswer:
    return filled(
        KeyAnswer,
        key,
        scopes=tuple(key.scopes.split()) if isinstance(key, ApiKey) else tuple(Scope),
        operator=isinstance(key, OperatorKey),
    )
