"""Sign-in links: how a person of the SaaS product gets from its "Billing" button to the pages here.

The product asks for a link when the button is pressed and sends the browser there at once. The session that it opens
shows this one organization and nothing else, whoever the person is: the product's key cannot hand out more than it has.
Nor does it hand anything to an account that somebody else made under the person's e-mail address: the membership of
somebody new opens only sessions of these links, until they accept an invitation or set a password by mail.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.common.access import ALL_ROLES, Role, local_path
from billing_app.domain.common.errors import BillingError, InvalidError
from billing_app.domain.organizations.limits import Limit
from billing_app.services.access import one_time_links, sessions, users
from billing_app.services.access.sessions import SignedIn
from billing_app.services.access.views import Kind
from billing_app.services.common import audit, organizations, payers
from billing_app.services.common.context import Context
from billing_app.services.limits import limits
from billing_app.store.access import members as member_store
from billing_app.store.access import one_time_links as link_store
from billing_app.store.access import users as user_store
from billing_app.store.tables.access import Membership, User
from billing_app.store.tables.organizations import Organization

MAX_LINKS = 20
"""Of one person here that still open something: the oldest makes way. A person presses the button, a loop does not."""

SESSION_LASTS = timedelta(hours=12)
"""A working day. The next press of the button opens another."""


@dataclass(frozen=True, slots=True)
class SignInLink:
    """A link that was made. `token` is shown now and can't be shown again."""

    token: str = field(repr=False)
    email: str
    role: Role
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """What following a link brought: a session, and the page to go on to."""

    signed_in: SignedIn
    return_to: str


def create(context: Context, email: str, role: Role, return_to: str) -> SignInLink:
    """A link that signs a person in to the organization's pages, once, within five minutes.

    Somebody new becomes a member with `role`, which takes a place of the plan; a member keeps the role that they have
    here. `return_to` is a page of the organization, by default the first. Raises InvalidError `invalid_email`,
    `invalid_role` or `invalid_return_to`, ForbiddenError `limit_reached`.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    if role not in ALL_ROLES:
        raise InvalidError(f"A member's role is one of {', '.join(sorted(ALL_ROLES))}.", code="invalid_role")
    address = users.valid_email(email)
    page = _page(organization, return_to)
    owner = organization.pk
    payer, now = payers.hold(context)
    user = user_store.by_email(session, address)
    if user is None or not member_store.belongs(session, payers.group(session, payer, now), user.id):
        limits.require(context.at(now), Limit.MEMBERSHIPS)
    user = user or users.known_or_new(session, address, now)
    membership = _join(session, owner, user, role, now)
    link_store.keep_newest(session, Kind.SIGN_IN, user.id, owner, MAX_LINKS - 1)
    token = one_time_links.make(session, Kind.SIGN_IN, now, user.id, owner, return_to=page)
    audit.record(session, owner, now, actor, "sign_in_link.created", address, after={"role": membership.role})
    organizations.raise_revision(session, owner)
    return SignInLink(token, address, Role(membership.role), now + one_time_links.LASTS[Kind.SIGN_IN])


def follow(session: Session, token: str, now: datetime) -> Opened:
    """Uses the link. Raises BillingError `link_ended`."""
    link, user = one_time_links.use(session, token, Kind.SIGN_IN, now)
    owner = link.organization_id
    membership = None if owner is None else user_store.membership(session, owner, user.id)
    if owner is None or membership is None:
        raise BillingError("You are no longer a member. Ask an admin.", code="link_ended", status=410)
    return Opened(sessions.start(session, user, now, SESSION_LASTS, only=owner), link.return_to)


def _join(session: Session, owner: int, user: User, role: Role, now: datetime) -> Membership:
    """The person's membership. One that is new, or was an invitation, opens sessions of these links alone."""
    membership = user_store.membership(session, owner, user.id)
    if membership is None:
        membership = Membership(organization_id=owner, user_id=user.id, role=role, created_at=now)
    if membership.since is None:
        membership.role, membership.linked_at = role, now
        session.add(membership)
        session.flush()
        organizations.raise_revision(session, owner)
    return membership


def _page(organization: Organization, return_to: str) -> str:
    home = f"/o/{organization.address}"
    if not return_to:
        return home
    path = local_path(return_to, default="").partition("?")[0].partition("#")[0]
    leaves = ".." in path.lower().replace("%2e", ".").split("/")  # browsers take %2e for a dot
    if leaves or (path != home and not path.startswith(f"{home}/")):
        raise InvalidError(f"`return_to` is a page of the organization, like {home}/credits.", code="invalid_return_to")
    return return_to
