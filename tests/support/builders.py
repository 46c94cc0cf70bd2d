"""What tests begin with, said in a line: organizations, people, keys."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from sqlmodel import Session

from billing_app.db import Database
from billing_app.domain.common.access import DEFAULT_SCOPES, Role
from billing_app.locations import ROOT
from billing_app.services.access import api_keys, passwords, sessions, users
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.store.tables.access import User
from billing_app.store.tables.organizations import Organization

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
"""When tests that do not care take place."""

PASSWORD = "a wet Tuesday in March"
"""The password of every built user."""


@lru_cache(maxsize=1)
def password_hash() -> str:
    """PASSWORD hashed, once per process: it takes a tenth of a second each time."""
    return passwords.hashed(PASSWORD)


def an_organization(session: Session, address: str = "acme", *, anchor: datetime | None = None) -> Organization:
    """An organization whose periods are calendar months."""
    return organizations.create(session, NOON, address=address, anchor=anchor or datetime(2026, 1, 1, tzinfo=UTC))


def a_user(
    session: Session,
    email: str = "ada@example.org",
    *,
    operator: bool = False,
    demo: bool = False,
    member_of: Organization | None = None,
    role: Role = Role.ADMIN,
) -> User:
    """A person with PASSWORD, perhaps with a role somewhere."""
    name = email.partition("@")[0].title()
    user = users.create(session, email, name, NOON, password_hash=password_hash(), operator=operator, demo=demo)
    if member_of is not None:
        users.join(session, member_of.pk, user, role, NOON)
    return user


def a_session_token(session: Session, user: User, now: datetime = NOON) -> str:
    """The token of a browser in which the user is signed in."""
    return sessions.start(session, user, now).token


def a_key(session: Session, organization: Organization | None, *scopes: str, now: datetime = NOON) -> tuple[str, UUID]:
    """The secret and id of an API key; the operator's without an organization."""
    owner = None if organization is None else organization.pk
    made = api_keys.create(session, owner, "test", scopes or DEFAULT_SCOPES, "tests", now)
    return made.secret, made.id


def the_catalogue(database: Database, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
    """The catalogue that comes with the program."""
    path = ROOT / "plans.json"
    with database.writing() as session:
        versions.load(session, versions.read_document(path), now, path.name)
