"""Members of an organization and those invited: what they are, that somebody always administers it; their mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing_app.domain.common.access import ALL_ROLES, Role
from billing_app.domain.common.errors import ConflictError, InvalidError, NotFoundError
from billing_app.domain.organizations.limits import Limit
from billing_app.gateways.mail import MailRefusedError, mailer_of
from billing_app.log import get_logger
from billing_app.services.access import mails, one_time_links, users
from billing_app.services.access.views import Kind, MemberAnswer
from billing_app.services.common import audit, organizations, payers
from billing_app.services.common.context import Context
from billing_app.services.limits import limits
from billing_app.settings import Settings
from billing_app.store.access import members as store
from billing_app.store.access import one_time_links as link_store
from billing_app.store.access import users as user_store
from billing_app.store.common import locks
from billing_app.store.tables.access import Membership, User
from billing_app.store.tables.organizations import Organization


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invited person and the link that lets them in: `path` is shown now and can't be shown again."""

    member: MemberAnswer
    path: str = field(repr=False)
    expires_at: datetime


def every(
    session: Session, organization: Organization, after: str = "", limit: int | None = None
) -> list[MemberAnswer]:
    """Members and invited people by e-mail address."""
    found = store.every(session, organization.pk, after, limit)
    return [_view(membership, user) for membership, user in found]


def invite(context: Context, email: str, role: Role) -> Invitation:
    """Invites a person, or an invited one again: the new link replaces the old one.

    Who is in the same plan's count already takes no further place. Raises ForbiddenError `limit_reached`, InvalidError
    `invalid_email` or `invalid_role`, ConflictError `already_member`.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    address = users.valid_email(email)
    payer, now = payers.hold(context)
    payers.require_active(organization, payer)
    known = user_store.by_email(session, address)
    owner = organization.pk
    before = None if known is None else user_store.membership(session, owner, known.id)
    was = {} if before is None else {"role": before.role}
    if known is None or not store.belongs(session, payers.group(session, payer, now), known.id):
        limits.require(context.at(now), Limit.MEMBERSHIPS)
    token = one_time_links.invite(session, owner, address, role, now)
    user = users.by_email(session, address)
    membership = _membership(session, owner, user.id)
    if was:
        audit.record(session, owner, now, actor, "invitation.renewed", address, before=was, after={"role": role.value})
    else:
        audit.record(session, owner, now, actor, "member.invited", address, after={"role": role.value})
    organizations.raise_revisions_above(session, organization)
    expires_at = now + one_time_links.LASTS[Kind.INVITATION]
    return Invitation(_view(membership, user), one_time_links.path(Kind.INVITATION, token), expires_at)


def change_role(context: Context, user_id: UUID, role: Role) -> MemberAnswer:
    """Gives a member, or somebody invited, another role, from the next click on.

    Raises NotFoundError `member_not_found`, InvalidError `invalid_role`, ConflictError `last_admin`.
    """
    session, now, actor = context.session, context.now, context.actor
    if role not in ALL_ROLES:
        raise InvalidError(f"A member's role is one of {', '.join(sorted(ALL_ROLES))}.", code="invalid_role")
    owner, membership, user, now = _held(context, user_id)
    before = Role(membership.role)
    if role is not Role.ADMIN:
        _keep_an_admin(session, owner, membership, "Make somebody else an admin first.")
    membership.role = role
    session.add(membership)
    session.flush()
    change = {"before": {"role": before.value}, "after": {"role": role.value}}
    audit.record(session, owner, now, actor, "member.role_changed", user.email, **change)
    organizations.raise_revision(session, owner)
    return _view(membership, user)


def remove(context: Context, user_id: UUID) -> None:
    """Ends a membership, or revokes an invitation. Whoever removes themselves leaves.

    Raises NotFoundError `member_not_found`, ConflictError `last_admin`.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner, membership, user, now = _held(context, user_id)
    _keep_an_admin(session, owner, membership, "Make somebody else an admin before.")
    accepted, role = membership.since is not None, membership.role
    store.remove(session, owner, user.id)
    link_store.drop(session, Kind.INVITATION, user.id, owner)
    action = "member.removed" if accepted else "invitation.withdrawn"
    if actor in (user.email, f"user:{user.id}"):
        action = "member.left"
    audit.record(session, owner, now, actor, action, user.email, before={"role": role})
    organizations.raise_revisions_above(session, organization)


def _held(context: Context, user_id: UUID) -> tuple[int, Membership, User, datetime]:
    """A membership, the organization locked: two admins who demote each other at once do not both succeed."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    now = locks.hold(session, owner, now)
    membership = _membership(session, owner, user_id)
    user = user_store.by_id(session, user_id)
    assert user is not None
    return owner, membership, user, now


def _membership(session: Session, owner: int, user_id: UUID) -> Membership:
    found = session.get(Membership, (owner, user_id), populate_existing=True)
    if found is None:
        raise NotFoundError("There is no such member here.", code="member_not_found")
    return found


def _keep_an_admin(session: Session, owner: int, membership: Membership, advice: str) -> None:
    last = membership.role == Role.ADMIN and membership.since is not None and store.admins(session, owner) == 1
    if last:
        raise ConflictError(f"This is the only admin, and there must be one. {advice}", code="last_admin")


def _view(membership: Membership, user: User) -> MemberAnswer:
    # Of somebody invited no name is shown: that they have one would tell that there is an account.
    named = membership.since is not None and user.name != user.email
    return MemberAnswer(
        id=user.id,
        email=user.email,
        name=user.name if named else "",
        role=Role(membership.role),
        since=membership.created_at,
        accepted_at=membership.since,
    )


log = get_logger("billing.mail")


def mail(settings: Settings, invitation: Invitation, organization: str, invited_by: str) -> bool:
    """Whether the invited person was sent the link. Talks to the mail server: never inside a transaction.

    A link in a mail is as good as a password, so it is kept nowhere: a mail that cannot be sent now is not tried again,
    and who invites hands the link over.
    """
    mailer = mailer_of(settings)
    if mailer is None:
        return False
    link = settings.public_url.rstrip("/") + invitation.path
    try:
        mailer.send(mails.invitation(invitation.member.email, organization, invited_by, link))
    except MailRefusedError as refused:
        log.warning("invitation_mail_refused", reason=refused.reason)
        return False
    return True
