"""Sign-up: a person makes an account and an organization, where the operator lets anybody do that."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.access import Role
from billing_app.domain.errors import ForbiddenError
from billing_app.services import audit, orgs, users
from billing_app.store.orgs import stored_id
from billing_app.store.tables.access import User
from billing_app.store.tables.orgs import Organization


def require_open(is_open: bool) -> None:
    """Refuses while sign-up is closed. Raises ForbiddenError `sign_up_closed`."""
    if not is_open:
        raise ForbiddenError(
            "Nobody can make an account here by themselves. Ask whoever runs this console for an invitation.",
            code="sign_up_closed",
        )


def sign_up(
    session: Session, email: str, name: str, organization_name: str, hashed: str, now: datetime
) -> tuple[User, Organization]:
    """A new person, and a new organization on the default plan whose admin they are. `hashed` is their password.

    Raises InvalidError `invalid_email` or `invalid_name`, ConflictError `email_taken`.
    """
    title = orgs.valid_name(organization_name)
    user = users.create(session, email, name, now, password_hash=hashed)
    organization = orgs.create(session, now, name=title)
    owner = stored_id(organization)
    users.join(session, owner, user, Role.ADMIN, now)
    audit.record(session, owner, now, f"user:{user.id}", "organization.created", organization.address)
    return user, organization
