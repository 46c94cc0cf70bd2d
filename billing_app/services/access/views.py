"""People, keys and links as they are shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from billing_app.domain.common.access import Role
from billing_app.services.common.answers import AS_TEXT, Internal


class Kind(StrEnum):
    """What a link is for. The page that handles it has the path PAGES[kind]; SIGN_IN has none (sign_in_links)."""

    SET_UP = "set_up"
    NEW_PASSWORD = "new_password"  # noqa: S105 - the name of a kind
    INVITATION = "invitation"
    SIGN_IN = "sign_in"


@dataclass(frozen=True, slots=True)
class LinkView:
    """What the page of a link shows. `has_password`: whoever accepts must prove to be the owner."""

    kind: Kind
    email: str
    name: str
    organization: str
    role: str
    has_password: bool


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """A key without its secret."""

    id: UUID
    name: str
    hint: str
    scopes: tuple[str, ...]
    operator: Internal[bool]
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKeyAnswer(KeyAnswer):
    """A key just made: its secret is shown now and never again."""

    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MemberAnswer:
    """A person with a role; `accepted_at` null: invited."""

    id: UUID
    email: str
    name: str
    role: Annotated[Role, AS_TEXT]
    since: datetime
    accepted_at: datetime | None
