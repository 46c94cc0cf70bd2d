"""The audit log: who changed what, from what to what.

Whoever changes something calls `record` in the same transaction: there is no change without its entry, and no entry of
a change that was undone. Secrets never go in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing_app.services.common import cursors
from billing_app.services.common.views import Entry
from billing_app.store.common import audit as store
from billing_app.store.organizations import organizations
from billing_app.store.tables.access import AuditEntry

CONSOLE = 0
"""Stands for an organization in entries about the console as a whole."""

SYSTEM = "system"
"""Who did what nobody asked for in person: a job, a message from Stripe."""

MAX_TEXT = 300
"""Characters of an actor or a subject."""

SECRET = re.compile(r"password|secret|token|hash", re.IGNORECASE)
"""Names of values that must not be written down."""


def record(
    session: Session,
    organization_id: int | None,
    now: datetime,
    actor: str,
    action: str,
    subject: str = "",
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Notes a change of an organization, or (None) of the whole console. `action` is noun.verb.

    Of values that are in both `before` and `after` only those that differ are kept; if none does, nothing changed and
    nothing is noted.
    """
    old, new = _plain(before or {}), _plain(after or {})
    same = {name for name in old.keys() & new.keys() if old[name] == new[name]}
    if same and not (old.keys() | new.keys()) - same:
        return
    entry = AuditEntry(
        organization_id=CONSOLE if organization_id is None else organization_id,
        at=now,
        actor=(actor or SYSTEM)[:MAX_TEXT],
        action=action,
        subject=subject[:MAX_TEXT],
        before=_json({name: value for name, value in old.items() if name not in same}),
        after=_json({name: value for name, value in new.items() if name not in same}),
    )
    store.add(session, entry)


def entries(
    session: Session,
    organization_id: int | None,
    limit: int,
    *,
    before: tuple[datetime, UUID] | None = None,
    action: str = "",
    actor: str = "",
) -> list[Entry]:
    """The newest first, beginning after `before`; of one organization, of the console (CONSOLE), or (None) of all.

    `action` is a whole one (member.invited) or its noun (member).
    """
    rows = store.page(session, organization_id, limit, before=before, action=action, actor=actor)
    names = _names(session, rows)
    addresses = organizations.addresses(session, {row.organization_id for row in rows})
    return [
        Entry(
            id=row.id,
            at=row.at,
            actor=row.actor,
            who=names.get(row.actor, row.actor),
            action=row.action,
            subject=row.subject,
            before=json.loads(row.before),
            after=json.loads(row.after),
            address=addresses.get(row.organization_id, ""),
        )
        for row in rows
    ]


def place_at(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The place of the entry after which a page begins. Raises NotFoundError `cursor_not_found`."""
    at, entry = cursors.decode(cursor, datetime, UUID) or (None, None)
    return (at, entry) if at and entry else None


def _names(session: Session, rows: list[AuditEntry]) -> dict[str, str]:
    """People and keys by the form in which they are written down."""
    people: dict[UUID, str] = {}
    keys: dict[UUID, str] = {}
    for row in rows:
        kind, _, name = row.actor.partition(":")
        if kind in ("user", "key") and (found := _uuid(name)) is not None:
            (people if kind == "user" else keys)[found] = row.actor
    named = {people[found]: email for found, email in store.user_emails(session, set(people)).items()}
    return named | {keys[found]: f"API key {name}" for found, name in store.key_names(session, set(keys)).items()}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON has them. Raises ValueError for what looks like a secret: a mistake of the caller."""
    for name in values:
        if SECRET.search(name):
            raise ValueError(f"{name} looks like a secret: the audit log must not have it")
    return {name: _value(value) for name, value in values.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_value(each) for each in value]
    return value if value is None or isinstance(value, bool | int | str | dict) else str(value)


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True, default=str)
