"""Sign-up: a person asks for an organization of their own, where the operator lets anybody do that.

Nobody is made a member of anything before a mail was read: whoever asks is told the same whatever there is, and the
owner of the address hears the rest. So an account proves a mailbox, and nobody takes somebody else's address.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import ForbiddenError
from billing_app.gateways.mail import Mail
from billing_app.services.access import mails, one_time_links, users
from billing_app.services.access.views import Kind
from billing_app.services.common import audit, organizations
from billing_app.store.access import sign_in_throttle as attempt_store
from billing_app.store.access import users as user_store

WINDOW = timedelta(minutes=15)

ACCOUNT_ASKS = 3
"""Mails to one address per window: more of them only annoy."""


def require_open(is_open: bool) -> None:
    """Refuses while sign-up is closed, or no mail can be sent. Raises ForbiddenError `sign_up_closed`."""
    if not is_open:
        raise ForbiddenError(
            "Sign-up is closed here. Ask whoever runs this console for an invitation.",
            code="sign_up_closed",
        )


def validated(email: str, organization_name: str) -> tuple[str, str]:
    """The address and the organization's name as they are stored. Raises InvalidError `invalid_email`, `invalid_name`.

    Says nothing that depends on whether there is such an account.
    """
    return users.valid_email(email), organizations.valid_name(organization_name)


def ask(session: Session, email: str, organization_name: str, now: datetime, public_url: str) -> Mail | None:
    """The mail for the transaction's end; None for an address that was asked for too often, and for demo accounts.

    Who has no password yet gets an organization and is invited to it as its admin; who has one is told so.
    """
    address, title = validated(email, organization_name)
    asked = hashlib.sha256(f"sign up {address}".encode()).hexdigest()
    known = user_store.by_email(session, address)
    if attempt_store.count(session, asked, now, now - WINDOW) > ACCOUNT_ASKS or (known is not None and known.demo):
        return None
    if known is not None and known.password_hash is not None:
        return mails.known_already(address, public_url)
    organization = organizations.create(session, now, name=title)
    owner = organization.pk
    token = one_time_links.invite(session, owner, address, Role.ADMIN, now)
    audit.record(session, owner, now, address, "organization.created", organization.address)
    return mails.sign_up(address, title, f"{public_url.rstrip('/')}{one_time_links.path(Kind.INVITATION, token)}")
