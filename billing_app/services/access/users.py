"""People: making them known, and giving them roles in organizations."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing_app.domain.common.access import ALL_ROLES, Role
from billing_app.domain.common.errors import ConflictError, InvalidError, NotFoundError
from billing_app.services.access import passwords
from billing_app.services.common import audit
from billing_app.store.access import users as store
from billing_app.store.organizations import organizations
from billing_app.store.tables.access import Membership, User

EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")
"""Enough to catch a wrong field. Whether an address works is only known by mail that arrives. 254 in all (RFC 5321)."""

MAX_NAME = 200
"""Characters of a person's name."""


def create(
    session: Session,
    email: str,
    name: str,
    now: datetime,
    *,
    password: str | None = None,
    password_hash: str | None = None,
    operator: bool = False,
    demo: bool = False,
    actor: str = "",
) -> User:
    """A new user, without a password until one is given or set through a link.

    Raises InvalidError `invalid_email`, `invalid_name` or `weak_password`, ConflictError `email_taken`.
    """
    address = valid_email(email)
    if store.by_email(session, address) is not None:
        raise _taken(address)
    if password is not None:
        password_hash = passwords.hashed(password)
    new = User(
        email=address, name=valid_name(name), password_hash=password_hash, operator=operator, demo=demo, created_at=now
    )
    user = store.by_email(session, address) if store.insert(session, new) else None
    if user is None:
        raise _taken(address)
    audit.record(session, None, now, actor, "user.created", address, after={"name": user.name, "operator": operator})
    return user


def by_id(session: Session, user_id: UUID) -> User | None:
    """A user, if there is one."""
    return store.by_id(session, user_id)


def has_demo(session: Session) -> bool:
    """Whether this database holds the demo's people."""
    return store.has_demo(session)


def known_or_new(session: Session, address: str, now: datetime) -> User:
    """The user of an address, made without a password if nobody has it: two who invite somebody at once both may."""
    found = store.by_email(session, address)
    if found is not None:
        return found
    try:
        return create(session, address, address, now)
    except ConflictError:
        return by_email(session, address)


def join(
    session: Session,
    organization_id: int,
    user: User,
    role: Role,
    now: datetime,
    *,
    actor: str = "",
    by_link: bool = False,
) -> Membership:
    """Makes the user a member with this role, or changes the role. `by_link`: only for sessions of sign-in links.

    Raises InvalidError `invalid_role` for a role that members do not have.
    """
    if role not in ALL_ROLES:
        raise InvalidError(
            f"A member's role is one of {', '.join(sorted(ALL_ROLES))}, not {role}.", code="invalid_role"
        )
    membership = store.membership(session, organization_id, user.id)
    before = {"role": membership.role} if membership is not None and membership.since is not None else {}
    if membership is None:
        membership = Membership(organization_id=organization_id, user_id=user.id, role=role, created_at=now)
    membership.role = role
    if by_link:
        membership.linked_at = membership.linked_at or now
    else:
        membership.accepted_at = membership.accepted_at or now
    session.add(membership)
    session.flush()
    action, after = "member.role_changed" if before else "member.joined", {"role": str(role)}
    audit.record(session, organization_id, now, actor or user.email, action, user.email, before=before, after=after)
    organizations.raise_revision(session, organization_id)
    return membership


def by_email(session: Session, email: str) -> User:
    """The user with this e-mail address. Raises NotFoundError `user_not_found`."""
    user = store.by_email(session, email)
    if user is None:
        raise NotFoundError(f"There is no user {email}.", code="user_not_found")
    return user


def every(session: Session, page: int) -> Iterator[tuple[User, dict[str, str]]]:
    """Everybody, by e-mail address, with accepted roles by organization; read `page` people at a time."""
    after = ""
    while people := store.every(session, after, page):
        roles = store.roles_of(session, [user.id for user in people])
        for user in people:
            yield user, roles.get(user.id, {})
        after = people[-1].email


def _taken(address: str) -> ConflictError:
    return ConflictError(f"There is already a user {address}.", code="email_taken")


def valid_email(email: str) -> str:
    """The address as it is stored. Raises InvalidError `invalid_email`."""
    address = store.folded(email)
    # One that looks like another, but has wide letters or something invisible in it, would be a second account.
    plain = address.isprintable() and unicodedata.normalize("NFKC", address) == address
    if not plain or not EMAIL.fullmatch(address):
        raise InvalidError(f"{email!r} is not an e-mail address.", code="invalid_email")
    return address


def valid_name(name: str) -> str:
    """The name without blanks around it. Raises InvalidError `invalid_name`."""
    trimmed = name.strip()
    if not trimmed or len(trimmed) > MAX_NAME or not trimmed.isprintable():
        raise InvalidError(f"A name has 1 to {MAX_NAME} visible characters.", code="invalid_name")
    return trimmed
