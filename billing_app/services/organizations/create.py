"""Founding an organization: who makes one is its first admin and counts as a member (api.md)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import ForbiddenError, UnauthenticatedError
from billing_app.services.access import sessions, users
from billing_app.services.access.sessions import Identity
from billing_app.services.common import audit, organizations
from billing_app.services.organizations import profiles
from billing_app.store.access import users as user_store
from billing_app.store.organizations import organizations as org_store
from billing_app.store.tables.access import User
from billing_app.store.tables.organizations import Organization

TYPED = ("type", "country", "timezone")
"""What the form asks besides name and address."""

MAX_OWN = 20
"""Organizations that one person may be a member of and still found another: a guard against scripts, not a price."""

LONGEST_PROPOSED = 48
"""Characters of a proposed address: as much of a name as people read."""

TRIED = 9
"""Organizations of one name that get an address of it; later ones get a generated one."""


def require_may_found(session: Session, identity: Identity) -> User:
    """The person, if they may make an organization. Raises ForbiddenError as `found` does, UnauthenticatedError."""
    if identity.only_organization_id is not None:
        raise ForbiddenError("This sign-in opens one organization only. Sign in with your password to make another.")
    person = user_store.by_id(session, identity.user_id)
    if person is None:
        raise UnauthenticatedError("Sign in to go on.")
    held = [] if person.operator else user_store.organizations_of(session, person.id, MAX_OWN)
    if len(held) >= MAX_OWN:
        raise ForbiddenError(
            f"You are in {len(held)} organizations already. Ask the operator for more.",
            code="too_many_organizations",
        )
    return person


def why_not(session: Session, identity: Identity) -> str:
    """Why this sign-in may make no organization; empty when it may."""
    try:
        require_may_found(session, identity)
    except ForbiddenError as error:
        return error.detail
    return ""


def proposed(session: Session, identity: Identity | None, name: str) -> str:
    """A free address made of a name, for whoever may make an organization; raises as `require_may_found` does."""
    require_may_found(session, sessions.require_signed_in(identity))
    return free_address(session, name)


def found_typed(session: Session, identity: Identity | None, typed: Mapping[str, str], now: datetime) -> Organization:
    """A new organization of whoever is signed in, from a form's fields; raises as `found` does."""
    person = sessions.require_signed_in(identity)
    name = typed.get("name", "").strip()
    address = typed.get("address", "").strip() or free_address(session, name) or None
    return found(
        session,
        now,
        name=organizations.valid_name(name),
        address=address,
        profile={key: typed[key] for key in TYPED if typed.get(key)},
        identity=person,
        actor=person.email,
    )


def free_address(session: Session, name: str) -> str:
    """An address made of a name that nothing has yet: "Larkfield Maps" is `larkfield-maps`, or `larkfield-maps-2`.

    Empty for a name of which no letter is plain, or whose first addresses are all taken.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = "-".join(re.findall(r"[a-z0-9]+", plain))[:LONGEST_PROPOSED].strip("-")
    proposed = [base, *(f"{base}-{number}" for number in range(2, TRIED + 1))] if base else []
    return next((each for each in proposed if org_store.by_address(session, each) is None), "")


def found(
    session: Session,
    now: datetime,
    *,
    name: str,
    address: str | None = None,
    profile: Mapping[str, str] | None = None,
    identity: Identity | None,
    actor: str,
) -> Organization:
    """A new organization on the default plan. `identity` None: the operator's program makes it, and invites later.

    Raises ForbiddenError for a sign-in that opens one organization only, or `too_many_organizations`; ConflictError
    `address_taken`; InvalidError `invalid_address`, `invalid_name` or `invalid_profile`.
    """
    if identity is not None:
        user_store.lock(session, identity.user_id)  # who founds many at once is counted one by one
    person = None if identity is None else require_may_found(session, identity)
    made = organizations.create(
        session, now, name=name, address=address, anchor=now, **profiles.validated(profile or {})
    )
    owner = made.pk
    audit.record(session, owner, now, actor, "organization.created", made.address, after={"name": made.name})
    if person is not None:
        users.join(session, owner, person, Role.ADMIN, now, actor=actor)
    organizations.raise_revision(session, owner)
    return made
