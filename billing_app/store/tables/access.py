"""Who may come in: users, their memberships, sessions, one-time links, throttled sign-ins, API keys; and the audit log.

Every secret is stored only as its SHA-256. They are random and 256 bits long, so a plain hash cannot be searched; the
passwords, which are neither, are stored as argon2.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table, new_id

HASH_LENGTH = 64
"""A SHA-256 in hexadecimal."""


class User(Table, table=True):
    """A person. `email` is stored folded (see store.access.users.folded), `password_hash` is None until a password was
    set."""

    __tablename__ = "users"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    email: str = Field(max_length=254, unique=True)
    name: str = Field(max_length=200)
    password_hash: str | None = Field(default=None, max_length=255)
    operator: bool = Field(default=False)
    demo: bool = Field(default=False)
    created_at: datetime = Field(sa_type=Moment)


class Membership(Table, table=True):
    """A person's role in an organization. Until one of two moments it is an invitation and lets nobody in.

    `accepted_at`: the person took it, and whatever session of theirs opens the organization. `linked_at`: a sign-in
    link of the organization was made for their e-mail address. The organization vouches for that, and an account
    elsewhere under the same address may be somebody else's; so only sessions of such links get in (decision 13).
    """

    __tablename__ = "memberships"
    __table_args__ = (CheckConstraint("role IN ('admin', 'billing', 'member')", name="role"),)

    organization_id: int = Field(primary_key=True, sa_type=Big, foreign_key="organizations.id")
    user_id: UUID = Field(primary_key=True, foreign_key="users.id", index=True)
    role: str = Field(max_length=20)
    created_at: datetime = Field(sa_type=Moment)
    accepted_at: datetime | None = Field(default=None, sa_type=Moment)
    linked_at: datetime | None = Field(default=None, sa_type=Moment)

    @property
    def since(self) -> datetime | None:
        """Since when the person is in, by either way; None while invited."""
        return self.accepted_at or self.linked_at


class BrowserSession(Table, table=True):
    """One sign-in of a browser. With `organization_id` it opens that organization only (a sign-in link)."""

    __tablename__ = "sessions"

    token_hash: str = Field(primary_key=True, max_length=HASH_LENGTH)
    user_id: UUID = Field(foreign_key="users.id", index=True)
    organization_id: int | None = Field(default=None, sa_type=Big, foreign_key="organizations.id")
    created_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment, index=True)


class OneTimeLink(Table, table=True):
    """A link that works once and ends: set-up, password reset, invitation, sign-in."""

    __tablename__ = "one_time_links"

    token_hash: str = Field(primary_key=True, max_length=HASH_LENGTH)
    kind: str = Field(max_length=20)
    user_id: UUID | None = Field(default=None, foreign_key="users.id", index=True)
    organization_id: int | None = Field(default=None, sa_type=Big, foreign_key="organizations.id")
    return_to: str = Field(default="", max_length=2_000)
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment, index=True)
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class SignInAttempts(Table, table=True):
    """How often signing in failed for one subject since `started_at`.

    A subject is an account, a client address, or the two together; only its hash is stored, because people type
    passwords into the wrong field.
    """

    __tablename__ = "sign_in_attempts"

    subject_hash: str = Field(primary_key=True, max_length=HASH_LENGTH)
    started_at: datetime = Field(sa_type=Moment, index=True)
    failures: int = Field(default=0)


class ApiKey(Table, table=True):
    """A key of one organization. `hint` is what people recognise it by; `scopes` are separated by spaces.

    A request is matched by `key_hash` alone, through an index that is not unique: 256 random bits do not repeat.
    """

    __tablename__ = "api_keys"
    __table_args__ = (Index("ix_api_keys_key_hash", "key_hash"),)

    organization_id: int = Field(primary_key=True, sa_type=Big, foreign_key="organizations.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(max_length=100)
    scopes: str = Field(max_length=200)
    hint: str = Field(max_length=32)
    key_hash: str = Field(max_length=HASH_LENGTH)
    created_by: str = Field(default="", max_length=254)
    created_at: datetime = Field(sa_type=Moment)
    last_used_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)


class OperatorKey(Table, table=True):
    """A key of the operator: it opens every organization and the operator's routes."""

    __tablename__ = "operator_keys"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(max_length=100)
    hint: str = Field(max_length=32)
    key_hash: str = Field(max_length=HASH_LENGTH, unique=True)
    created_by: str = Field(default="", max_length=254)
    created_at: datetime = Field(sa_type=Moment)
    last_used_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)


class AuditEntry(Table, table=True):
    """One change. Append-only. `before` and `after` are JSON objects of what differs; neither ever holds a secret.

    `organization_id` is 0 for what belongs to the console as a whole: people, operators' keys, the catalogue.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_organization_id_at", "organization_id", "at", "id"),
        Index("ix_audit_entries_at", "at", "id"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_type=Moment)
    actor: str = Field(max_length=300, description="an e-mail address, key:<id>, or what part of the console did it")
    action: str = Field(max_length=60, description="noun.verb, as member.invited")
    subject: str = Field(default="", max_length=300, description="what was changed, as a person would name it")
    before: str = Field(default="{}", sa_type=Text)
    after: str = Field(default="{}", sa_type=Text)
