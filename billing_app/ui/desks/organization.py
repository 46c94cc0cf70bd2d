"""What the organization's page reads and changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from billing_app.domain.common.access import Role
from billing_app.services.access.api_keys import NewKey
from billing_app.services.access.members import Invitation
from billing_app.services.organizations.views import OrganizationPageView


class Door(Protocol):
    """Who asks: the Cookie header of the websocket, and the address in the page's URL."""

    @property
    def cookies(self) -> str:
        """As the server was sent it."""

    @property
    def address(self) -> str:
        """Of the page."""


class OrganizationReading(Protocol):
    """The page."""

    def organization_page(self, cursor: str, action: str) -> OrganizationPageView:
        """Profile, members, parts, keys; of the audit log the page that `cursor` and `action` choose."""


class OrganizationChanges(Protocol):
    """What an admin changes, in one transaction. Everything raises BillingError with a sentence for the admin."""

    def save_profile(self, changes: Mapping[str, str]) -> None:
        """Changes the fields that are named."""

    def invite(self, email: str, role: str) -> Invitation:
        """Invites a person, or one who is invited again."""

    def change_role(self, member: UUID, role: str) -> None:
        """Gives somebody another role."""

    def remove(self, member: UUID) -> None:
        """Ends a membership, or takes an invitation back."""

    def leave(self) -> None:
        """Ends one's own membership."""

    def create_part(self, name: str, address: str, parent: str) -> str:
        """A new part of the organization at `parent` (this one, or a part of it); gives its address."""

    def set_active(self, part: str, active: bool) -> None:
        """Deactivates a part, or lets it work again."""

    def create_key(self, name: str, scopes: Iterable[str]) -> NewKey:
        """A new API key, with its secret."""

    def revoke_key(self, key: UUID) -> None:
        """Ends a key for good."""


class OrganizationDesks(Protocol):
    """Opens what changes an organization."""

    def change_organization(self, visitor: Door, roles: frozenset[Role]) -> AbstractContextManager[OrganizationChanges]:
        """One transaction of a visitor who has one of `roles`, committed at its end; raises as `open` does."""

    def mail_invitation(self, visitor: Door, roles: frozenset[Role], invitation: Invitation) -> bool:
        """Mails an invitation that was just made; whether it was sent. Talks to the mail server."""

    def end_organization(self, visitor: Door, roles: frozenset[Role], at_period_end: bool, reason: str) -> str:
        """Ends it with all its parts; why Stripe is to be told again, or nothing. Talks to Stripe."""

    def keep_organization(self, visitor: Door, roles: frozenset[Role]) -> str:
        """It does not end after all; as `end_organization`."""

    def found_organization(self, cookies: str, name: str) -> str:
        """A new organization of whoever is signed in; gives its address. Raises UnauthenticatedError for nobody."""
