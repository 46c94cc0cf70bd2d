"""Founding an organization: who makes one is its first admin and counts as a member (api.md)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.access import Role
from billing_app.domain.errors import ForbiddenError
from billing_app.services import audit, orgs, profiles, users
from billing_app.services.sessions import Identity
from billing_app.store import users as user_store
from billing_app.store.orgs import stored_id
from billing_app.store.tables.orgs import Organization

MAX_OWN = 20
"""Organizations that one person may be a member of and still found another: a guard against scripts, not a price."""


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
    if identity is not None and identity.only_organization_id is not None:
        raise ForbiddenError("This sign-in opens one organization only. Sign in with your password to make another.")
    person = None if identity is None else user_store.by_id(session, identity.user_id)
    if person is not None and not person.operator:
        held = user_store.organizations_of(session, person.id, MAX_OWN)
        if len(held) >= MAX_OWN:
            raise ForbiddenError(
                f"You are in {len(held)} organizations already. Ask the operator for more.",
                code="too_many_organizations",
            )
    made = orgs.create(session, now, name=name, address=address, anchor=now, **profiles.validated(profile or {}))
    owner = stored_id(made)
    audit.record(session, owner, now, actor, "organization.created", made.address, after={"name": made.name})
    if person is not None:
        users.join(session, owner, person, Role.ADMIN, now, actor=actor)
    orgs.raise_revision(session, owner)
    return made
