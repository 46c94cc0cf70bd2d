"""The organization's page, served by the services."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from billing_app import clock
from billing_app.db import Database, Session
from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import InvalidError, UnauthenticatedError
from billing_app.services.access import api_keys, invitations, members, sessions, users
from billing_app.services.access.api_keys import NewKey
from billing_app.services.access.members import Invitation
from billing_app.services.organizations import children, create, profiles, read
from billing_app.services.organizations.views import OrganizationPageView
from billing_app.services.plans import endings_told
from billing_app.services.purchases import endings
from billing_app.services.purchases.orders import Payments
from billing_app.settings import Settings
from billing_app.ui.desks.organization import Door


class ServiceOrganizationReading:
    """The page."""

    session: Session
    access: sessions.Access
    settings: Settings
    now: datetime

    def organization_page(self, cursor: str, action: str) -> OrganizationPageView:
        """Profile, members, parts, keys, and a page of the audit log."""
        return read.page(self.session, self.access, self.settings, self.now, cursor=cursor, action=action)


class ServiceOrganizationChanges:
    """What an admin changes, in one transaction."""

    def __init__(self, session: Session, access: sessions.Access, now: datetime) -> None:
        """`access` was found in the same transaction."""
        self.session = session
        self.access = access
        self.organization = access.organization
        self.actor = access.identity.email
        self.now = now

    def save_profile(self, changes: Mapping[str, str]) -> None:
        """Changes the fields that are named."""
        profiles.change(self.session, self.organization, changes, self.now, actor=self.actor)

    def invite(self, email: str, role: str) -> Invitation:
        """Invites a person, or one who is invited again."""
        return members.invite(self.session, self.organization, email, _role(role), self.now, actor=self.actor)

    def change_role(self, member: UUID, role: str) -> None:
        """Gives somebody another role."""
        members.change_role(self.session, self.organization, member, _role(role), self.now, actor=self.actor)

    def remove(self, member: UUID) -> None:
        """Ends a membership, or takes an invitation back."""
        members.remove(self.session, self.organization, member, self.now, actor=self.actor)

    def leave(self) -> None:
        """Ends one's own membership."""
        self.remove(self.access.identity.user_id)

    def create_part(self, name: str, address: str, parent: str) -> str:
        """A new part of the organization or of one of its parts."""
        above = self.organization
        if parent not in ("", above.address):
            above = children.find(self.session, above, parent)
        creator = users.by_email(self.session, self.access.identity.email)
        made = children.create(
            self.session, above, self.now, name=name, address=address or None, creator=creator, actor=self.actor
        )
        return made.address

    def set_active(self, part: str, active: bool) -> None:
        """Deactivates a part, or lets it work again."""
        found = children.find(self.session, self.organization, part)
        children.set_active(self.session, self.organization, found, active, self.now, actor=self.actor)

    def create_key(self, name: str, scopes: Iterable[str]) -> NewKey:
        """A new API key, with its secret."""
        return api_keys.create(self.session, self.access.organization_id, name, scopes, self.actor, self.now)

    def revoke_key(self, key: UUID) -> None:
        """Ends a key for good."""
        api_keys.revoke(self.session, self.access.organization_id, key, self.now, actor=self.actor)


class ServiceOrganizationDesks:
    """Opens what changes an organization."""

    database: Database
    settings: Settings
    payments: Payments | None

    @contextmanager
    def change_organization(self, visitor: Door, roles: frozenset[Role]) -> Generator[ServiceOrganizationChanges]:
        """One transaction of a visitor who has one of `roles`, committed at its end."""
        now = clock.now()
        with self.database.writing() as session:
            identity = sessions.identify_socket(session, visitor.cookies, now, demo=self.settings.demo)
            access = sessions.authorize(session, identity, visitor.address, now, roles)
            yield ServiceOrganizationChanges(session, access, now)

    def mail_invitation(self, visitor: Door, roles: frozenset[Role], invitation: Invitation) -> bool:
        """Mails an invitation that was just made; whether it was sent."""
        with self.database.reading() as session:
            identity = sessions.identify_socket(session, visitor.cookies, clock.now(), demo=self.settings.demo)
            access = sessions.authorize(session, identity, visitor.address, clock.now(), roles)
        name, by = access.organization.name, access.identity.name
        return invitations.mail(self.settings, invitation, name, by)

    def end_organization(self, visitor: Door, roles: frozenset[Role], at_period_end: bool, reason: str) -> str:
        """Ends it with all its parts; why Stripe is to be told again, or nothing."""
        with self.change_organization(visitor, roles) as desk:
            endings.decide(
                desk.session, desk.organization, desk.now, at_period_end=at_period_end, reason=reason, actor=desk.actor
            )
            owner = desk.access.organization_id
        return endings_told.tell_at_once(self.database.writing, self.payments, owner, clock.now)

    def keep_organization(self, visitor: Door, roles: frozenset[Role]) -> str:
        """It does not end after all."""
        with self.change_organization(visitor, roles) as desk:
            operator = desk.access.role is Role.OPERATOR
            if operator and not desk.organization.active:
                profiles.set_active(desk.session, desk.organization, True, desk.now, actor=desk.actor)
            else:
                endings.withdraw(desk.session, desk.organization, desk.now, actor=desk.actor)
            owner = desk.access.organization_id
        return endings_told.tell_at_once(self.database.writing, self.payments, owner, clock.now)

    def found_organization(self, cookies: str, name: str) -> str:
        """A new organization of whoever is signed in."""
        now = clock.now()
        with self.database.writing() as session:
            identity = sessions.identify_socket(session, cookies, now, demo=self.settings.demo)
            if identity is None:
                raise UnauthenticatedError("Sign in to go on.")
            made = create.found(session, now, name=name, identity=identity, actor=identity.email)
            return made.address


def _role(text: str) -> Role:
    """Raises InvalidError `invalid_role` for a word that is none."""
    try:
        return Role(text)
    except ValueError:
        raise InvalidError("A member's role is admin, billing or member.", code="invalid_role") from None
