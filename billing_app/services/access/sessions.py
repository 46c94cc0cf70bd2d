"""Who is asking, and what may they do here: sessions and roles.

A session is a random secret in an HttpOnly cookie; the database knows only its hash. It is looked up on every request
and every event, so that signing out, or losing a role, works at once. It ends `lifetime` after the sign-in, or after
IDLE without use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from billing_app.domain.common.access import ADMIN_ROLES, ALL_ROLES, MONEY_ROLES, Role
from billing_app.domain.common.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from billing_app.services.access import sign_in_throttle
from billing_app.services.access.cookies import session_hash_in
from billing_app.services.common.secrets import digest, new_secret
from billing_app.store.access import sessions as store
from billing_app.store.access import users
from billing_app.store.organizations import organizations
from billing_app.store.tables.access import BrowserSession, User
from billing_app.store.tables.organizations import Organization

LIFETIME = timedelta(days=14)
"""How long a session lasts unless the setting session_days says otherwise."""

IDLE = timedelta(hours=24)
"""A session that nobody used for a day is over: the machine may have passed to somebody else."""

RENEW_AFTER = timedelta(minutes=5)
"""How exact "not used since" is: one write in five minutes instead of one per event."""

MAX_SESSIONS = 50
"""Browsers that one person is signed in at. The one that was opened first ends when there are more: a link that a
product asks for at each press of a button opens one a press."""

ORGANIZATIONS_SHOWN = 200
"""The most organizations that the switcher lists."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is signed in. `only_organization_id`: the session opens this one only. `renewal_due`: call `renew`."""

    user_id: UUID
    email: str
    name: str
    operator: bool
    session_hash: str = field(default="", repr=False)
    only_organization_id: int | None = None
    renewal_due: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """An identity that was found to have `role` in the organization. The row is of the session that asked."""

    organization_id: int
    address: str
    role: Role
    identity: Identity
    organization: Organization = field(repr=False)

    @property
    def may_buy(self) -> bool:
        """Whether they may buy here, and read what was bought."""
        return self.role in MONEY_ROLES or self.role is Role.OPERATOR

    @property
    def may_change(self) -> bool:
        """Whether they may change the organization."""
        return self.role in ADMIN_ROLES or self.role is Role.OPERATOR


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session. `token` goes into the cookie and nowhere else; it cannot be read again."""

    token: str = field(repr=False)
    expires_at: datetime
    user_id: UUID


@dataclass(frozen=True, slots=True)
class Membership:
    """One line of the organization switcher. The row is of the session that asked."""

    organization_id: int
    address: str
    name: str
    role: Role
    organization: Organization = field(repr=False, compare=False)


def sign_in(
    session: Session, attempt: sign_in_throttle.Attempt, now: datetime, lifetime: timedelta = LIFETIME
) -> SignedIn:
    """Opens a session for a proved attempt and forgets the failures that led to it.

    Raises UnauthenticatedError if the password was changed since it was proved.
    """
    user = users.by_email(session, attempt.email)
    if user is None or user.id != attempt.user_id or user.password_hash != attempt.password_hash:
        raise sign_in_throttle.wrong_password()
    sign_in_throttle.succeed(session, attempt)
    return start(session, user, now, lifetime)


def start(
    session: Session, user: User, now: datetime, lifetime: timedelta = LIFETIME, only: int | None = None
) -> SignedIn:
    """Opens a session for a user who has proved, by whatever means, to be one. `only`: for this organization alone."""
    token = new_secret()
    expires_at = now + lifetime
    users.lock(session, user.id)
    store.keep_newest(session, user.id, MAX_SESSIONS - 1)
    session.add(
        BrowserSession(
            token_hash=digest(token),
            user_id=user.id,
            organization_id=only,
            created_at=now,
            seen_at=now,
            expires_at=expires_at,
        )
    )
    return SignedIn(token, expires_at, user.id)


def sign_out(session: Session, token: str) -> None:
    """Ends the session of this token, if there is one."""
    store.end(session, digest(token))


def identify(session: Session, token: str | None, now: datetime, *, demo: bool = False) -> Identity | None:
    """Who holds this session token; None for nobody, an unknown or an ended session. Writes nothing."""
    return None if not token else identify_hash(session, digest(token), now, demo=demo)


def identify_socket(session: Session, cookies: str, now: datetime, *, demo: bool = False) -> Identity | None:
    """The same for a page's websocket: `cookies` is `self.router.headers.cookie` of a Reflex state.

    Our server replaces the token there by its hash before Reflex sees it (services.access.cookies says why).
    """
    session_hash = session_hash_in(cookies)
    return None if not session_hash else identify_hash(session, session_hash, now, demo=demo)


def identify_hash(session: Session, session_hash: str, now: datetime, *, demo: bool = False) -> Identity | None:
    """The same for a session of which only the hash is at hand."""
    found = store.by_hash(session, session_hash)
    return None if found is None else _identity(*found, now, demo=demo)


def _identity(row: BrowserSession, user: User, now: datetime, *, demo: bool) -> Identity | None:
    if row.expires_at <= now or row.seen_at + IDLE <= now or (user.demo and not demo):
        return None
    return Identity(
        user_id=user.id,
        email=user.email,
        name=user.name,
        # A session for one organization is made by that organization's admin, who cannot hand out more than that.
        operator=user.operator and row.organization_id is None,
        session_hash=row.token_hash,
        only_organization_id=row.organization_id,
        renewal_due=row.seen_at + RENEW_AFTER <= now,
    )


def still_open(session: Session, hashes: Sequence[str], now: datetime, *, demo: bool = False) -> dict[str, bool]:
    """Which of these sessions have not ended, and whether each is an operator's."""
    found = (_identity(row, user, now, demo=demo) for row, user in store.among(session, hashes))
    return {identity.session_hash: identity.operator for identity in found if identity is not None}


def standing(session: Session, identity: Identity | None, address: str) -> str:
    """Whose session it is and what they are at `address`: another text as soon as any of it is another.

    Empty for nobody. Tells nothing but that: who may see what is `authorize`'s to say.
    """
    if identity is None:
        return ""
    role = Role.OPERATOR if identity.operator else ""
    if address and not role:
        by_link = identity.only_organization_id is not None
        found = users.role_at(session, address, identity.user_id, by_link=by_link)
        role = "" if found is None else f"{found[0].id} {found[1]}"
    return f"{identity.session_hash} {identity.user_id} {role}"


def renew(session: Session, identity: Identity, now: datetime) -> None:
    """Notes that the session is in use, which puts off its idle end. Worth a write only if `renewal_due`."""
    store.seen(session, identity.session_hash, now)


def note_use(noting: Callable[[], AbstractContextManager[Session]], identity: Identity, now: datetime) -> None:
    """Renews the session if that is due, in a transaction of its own; where it would have to wait, the next does."""
    if identity.renewal_due:
        with suppress(OperationalError), noting() as session:
            renew(session, identity, now)


def authorize(
    session: Session, identity: Identity | None, address: str, now: datetime, roles: frozenset[Role] = ALL_ROLES
) -> Access:
    """What the identity is in the organization at `address`, read from the database now.

    An operator passes as Role.OPERATOR whatever `roles` says. Raises UnauthenticatedError for nobody, NotFoundError for
    an unknown address and for somebody else's organization alike, ForbiddenError for a role that is not among `roles`.
    """
    if identity is None:
        raise UnauthenticatedError("Sign in to see this.")
    if identity.operator:
        return _access(organization_at(session, address), Role.OPERATOR, identity)
    by_link = identity.only_organization_id is not None
    found = users.role_at(session, address, identity.user_id, by_link=by_link)
    if found is None or identity.only_organization_id not in (None, found[0].id):
        raise _unknown(address)
    organization, role = found[0], Role(found[1])
    if role not in roles:
        needed = " or ".join(sorted(roles)) or "operator"
        raise ForbiddenError(f"Your role here is {role}; this needs {needed}.", role=role, needed=sorted(roles))
    return _access(organization, role, identity)


def organization_at(session: Session, address: str) -> Organization:
    """The organization, for callers who may see every one. Raises NotFoundError `organization_not_found`."""
    organization = organizations.by_address(session, address)
    if organization is None:
        raise _unknown(address)
    return organization


def authorize_operator(identity: Identity | None) -> Identity:
    """The identity if it is an operator's. Raises UnauthenticatedError or ForbiddenError."""
    if identity is None:
        raise UnauthenticatedError("Sign in to see this.")
    if not identity.operator:
        raise ForbiddenError("This is for operators only.")
    return identity


def require_signed_in(identity: Identity | None) -> Identity:
    """Whoever it is. Raises UnauthenticatedError for nobody."""
    if identity is None:
        raise UnauthenticatedError("Sign in to go on.")
    return identity


def organizations_of(session: Session, identity: Identity) -> list[Membership]:
    """The organizations that the switcher offers, by name: those in which the identity has a role."""
    by_link = identity.only_organization_id is not None
    found = users.organizations_of(session, identity.user_id, ORGANIZATIONS_SHOWN, by_link=by_link)
    return [
        Membership(organization.pk, organization.address, organization.name, Role(role), organization)
        for organization, role in found
        if identity.only_organization_id in (None, organization.id)
    ]


def _access(organization: Organization, role: Role, identity: Identity) -> Access:
    return Access(organization.pk, organization.address, role, identity, organization)


def _unknown(address: str) -> NotFoundError:
    """The one answer to an unknown organization and to somebody else's."""
    return NotFoundError(f"There is no organization {address} that you can see.", code="organization_not_found")
