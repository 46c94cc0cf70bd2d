"""One-time links: the operator's set-up, a new password, an invitation, signing in from the SaaS product.

A link is a random secret of which only the hash is stored. It ends by itself, works once, and is looked at without
being used, because mail scanners and previews open links before people do. Passwords are hashed before the
transaction that uses the link, for the reason that services.access.sign_in_throttle gives; `hashed` arguments are that
result.

Whoever holds an invitation may claim an account for an e-mail address that nobody has one for, and its link is always
shown to the admin who invites: so such an account proves that an organization let somebody in, and not whose mailbox
it is. It gets nothing by that but this one organization, whose admin decides who is in it anyway: any other needs its
own link and that account's password, what a sign-in link gives opens sessions of such links alone, and a new password
by mail gives the account, and ends every session of it, to whoever reads that mailbox.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from billing_app.domain.common.access import ALL_ROLES, Role
from billing_app.domain.common.errors import BillingError, ConflictError, InvalidError, NotFoundError
from billing_app.services.access import users
from billing_app.services.access.views import Kind, LinkView
from billing_app.services.common import audit
from billing_app.services.common.organizations import raise_revisions_above
from billing_app.services.common.secrets import digest, new_secret
from billing_app.store.access import one_time_links as store
from billing_app.store.access import sessions as session_store
from billing_app.store.access import users as user_store
from billing_app.store.organizations import organizations
from billing_app.store.tables.access import Membership, OneTimeLink, User


def kind_in(text: str) -> Kind:
    """What a link's path says that it is for. Raises NotFoundError for a word that is none."""
    if text not in set(Kind):
        raise NotFoundError("There is no such link.")
    return Kind(text)


PAGES = {Kind.SET_UP: "/set-up", Kind.NEW_PASSWORD: "/new-password", Kind.INVITATION: "/invitation"}

LASTS = {
    Kind.SET_UP: timedelta(hours=24),
    Kind.NEW_PASSWORD: timedelta(hours=1),
    Kind.INVITATION: timedelta(days=7),
    Kind.SIGN_IN: timedelta(minutes=5),
}
"""A set-up link is printed anew by each start; a reset is used at once; an invitation waits for a busy colleague; a
browser is on its way to a sign-in link when it is made."""


def path(kind: Kind, token: str) -> str:
    """The local path of a link."""
    return f"{PAGES[kind]}?token={token}"


def set_up_link(session: Session, now: datetime) -> str | None:
    """The token of a fresh set-up link, which replaces older ones; None once there is an operator."""
    if user_store.operator_exists(session):
        return None
    store.drop(session, Kind.SET_UP)
    return make(session, Kind.SET_UP, now)


def reset_link(session: Session, email: str, now: datetime) -> str:
    """The token of a fresh link to a new password, which replaces older ones. Raises NotFoundError `user_not_found`."""
    user = users.by_email(session, email)
    store.drop(session, Kind.NEW_PASSWORD, user.id)
    return make(session, Kind.NEW_PASSWORD, now, user.id)


def invite(session: Session, organization_id: int, email: str, role: Role, now: datetime) -> str:
    """Invites a person and gives the token of the link, which replaces an older one.

    A person nobody knows yet becomes a user without a password. Raises InvalidError `invalid_email` or `invalid_role`,
    ConflictError `already_member`.
    """
    if role not in ALL_ROLES:
        raise InvalidError(f"A member's role is one of {', '.join(sorted(ALL_ROLES))}.", code="invalid_role")
    address = users.valid_email(email)
    user = users.known_or_new(session, address, now)
    membership = user_store.membership(session, organization_id, user.id)
    if membership is None:
        membership = Membership(organization_id=organization_id, user_id=user.id, role=role, created_at=now)
    elif membership.accepted_at is not None:
        raise ConflictError(f"{address} is a member already.", code="already_member")
    if membership.linked_at is None:  # who came by a sign-in link keeps the role that they have
        membership.role = role
    session.add(membership)
    session.flush()
    store.drop(session, Kind.INVITATION, user.id, organization_id)
    return make(session, Kind.INVITATION, now, user.id, organization_id)


def look(session: Session, token: str, kind: Kind, now: datetime) -> LinkView:
    """What the link is for, without using it. Raises BillingError `link_ended` if it is not (or no longer) one."""
    link = store.live(session, digest(token), kind, now)
    if link is None or (kind is Kind.SET_UP and user_store.operator_exists(session)):
        raise _ended()
    user = user_store.by_id(session, link.user_id) if link.user_id else None
    organization = organizations.by_id(session, link.organization_id) if link.organization_id else None
    membership = None
    if user is not None and link.organization_id is not None:
        membership = user_store.membership(session, link.organization_id, user.id)
        if membership is None:
            raise _ended()  # the invitation was taken back
    return LinkView(
        kind=kind,
        email=user.email if user else "",
        name=user.name if user else "",
        organization=organization.name if organization else "",
        role=membership.role if membership else "",
        has_password=bool(user and user.password_hash),
    )


def set_up(session: Session, token: str, email: str, name: str, hashed: str, now: datetime) -> User:
    """The first operator. Raises `link_ended`, `invalid_email`, `invalid_name` or `email_taken`."""
    user_store.lock_all(session)
    if not store.use(session, digest(token), Kind.SET_UP, now) or user_store.operator_exists(session):
        raise _ended()
    store.drop(session, Kind.SET_UP)
    return users.create(session, email, name, now, password_hash=hashed, operator=True)


def set_password(session: Session, token: str, hashed: str, now: datetime) -> User:
    """A new password, which ends every session that the old one opened. Raises `link_ended`.

    The link went to the person's mailbox, so they are who sign-in links for that address were made for.
    """
    _, user = use(session, token, Kind.NEW_PASSWORD, now)
    user.password_hash = hashed
    session.add(user)
    user_store.accept_linked(session, user.id, now)
    session_store.end_all_of(session, user.id)
    store.drop(session, Kind.NEW_PASSWORD, user.id)
    audit.record(session, None, now, user.email, "password.set", user.email)
    return user


def accept(
    session: Session,
    token: str,
    now: datetime,
    *,
    name: str = "",
    hashed: str | None = None,
    proved: UUID | None = None,
) -> tuple[User, str]:
    """Accepts an invitation and gives the user and the organization's address.

    A new person brings a name and the hash of a password. Who has a password already must have proved it just now
    (`proved` is that user's id): the admin who sent the link knows it too, and must not become them by it. Raises
    `link_ended`, `invalid_name`, or InvalidError `weak_password` if neither is given.
    """
    link, user = use(session, token, Kind.INVITATION, now)
    if user.password_hash is None:
        if hashed is None:
            raise InvalidError("Choose a password.", code="weak_password")
        user.name = users.valid_name(name)
        user.password_hash = hashed
        session.add(user)
    elif proved != user.id:
        raise _ended()
    organization = organizations.by_id(session, link.organization_id) if link.organization_id else None
    if organization is None or organization.id is None:
        raise _ended()
    if not user_store.accept(session, organization.id, user.id, now):
        raise _ended()
    audit.record(session, organization.id, now, user.email, "member.joined", user.email)
    raise_revisions_above(session, organization)
    return user, organization.address


def make(
    session: Session,
    kind: Kind,
    now: datetime,
    user_id: UUID | None = None,
    organization_id: int | None = None,
    *,
    return_to: str = "",
) -> str:
    """The token of a new link."""
    token = new_secret()
    session.add(
        OneTimeLink(
            token_hash=digest(token),
            kind=kind,
            user_id=user_id,
            organization_id=organization_id,
            return_to=return_to,
            created_at=now,
            expires_at=now + LASTS[kind],
        )
    )
    session.flush()
    return token


def use(session: Session, token: str, kind: Kind, now: datetime) -> tuple[OneTimeLink, User]:
    """Uses a person's link up. Raises BillingError `link_ended`."""
    link = store.live(session, digest(token), kind, now)
    user = user_store.by_id(session, link.user_id) if link and link.user_id else None
    if link is None or user is None or not store.use(session, digest(token), kind, now):
        raise _ended()
    return link, user


def _ended() -> BillingError:
    return BillingError("This link has expired or was used before. Ask for a new one.", code="link_ended", status=410)
