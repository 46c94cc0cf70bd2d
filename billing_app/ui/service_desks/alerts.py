"""Alerts on the product's database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from billing_app.db import Session
from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import NotFoundError
from billing_app.services.common.organizations import Organization
from billing_app.services.notifications import choices, delivery_log, read, webhook_endpoints
from billing_app.services.notifications.views import AlertsView
from billing_app.settings import Settings

if TYPE_CHECKING:
    from billing_app.ui.desk import Visitor


class Entered(Protocol):
    """A transaction that may write, of somebody who was let in."""

    session: Session
    organization: Organization
    now: datetime
    actor: str


class ServiceAlertsDesk:
    """What the page reads."""

    session: Session
    organization: Organization
    settings: Settings
    now: datetime

    def alerts(self, state: str, opened: str) -> AlertsView:
        """Choices, endpoints and deliveries."""
        mail = self.settings.mailing
        return read.alerts(self.session, self.organization, self.now, mail=mail, state=state, opened=opened)


class ServiceAlertsDesks:
    """What the page changes, each in one transaction of a visitor who was let in anew."""

    settings: Settings

    def _enter(self, visitor: Visitor, roles: frozenset[Role]) -> AbstractContextManager[Entered]:
        raise NotImplementedError

    def choose_alert(self, visitor: Visitor, roles: frozenset[Role], audience: str, kind: str, told: bool) -> None:
        """Somebody is told of a kind, or no longer."""
        with self._enter(visitor, roles) as at:
            choices.choose(at.session, at.organization, audience, kind, told, at.actor, at.now)

    def choose_person(self, visitor: Visitor, roles: frozenset[Role], email: str, told: bool) -> None:
        """A single member is told, or no longer."""
        change = choices.add_person if told else choices.remove_person
        with self._enter(visitor, roles) as at:
            change(at.session, at.organization, email, at.actor, at.now)

    def add_webhook(self, visitor: Visitor, roles: frozenset[Role], url: str, description: str) -> str:
        """A new endpoint; gives its secret, once."""
        private = webhook_endpoints.reachable(self.settings)
        with self._enter(visitor, roles) as at:
            return webhook_endpoints.create(
                at.session, at.organization, url, at.actor, at.now, description=description, private=private
            ).secret

    def rotate_webhook(self, visitor: Visitor, roles: frozenset[Role], webhook: str) -> str:
        """A new secret; gives it, once."""
        with self._enter(visitor, roles) as at:
            return webhook_endpoints.rotate(at.session, at.organization, _id(webhook), at.actor, at.now).secret

    def enable_webhook(self, visitor: Visitor, roles: frozenset[Role], webhook: str) -> None:
        """Sends to an endpoint again."""
        with self._enter(visitor, roles) as at:
            webhook_endpoints.enable(at.session, at.organization, _id(webhook), at.actor, at.now)

    def delete_webhook(self, visitor: Visitor, roles: frozenset[Role], webhook: str) -> None:
        """Sends to an endpoint no more."""
        with self._enter(visitor, roles) as at:
            webhook_endpoints.delete(at.session, at.organization, _id(webhook), at.actor, at.now)

    def test_webhook(self, visitor: Visitor, roles: frozenset[Role], webhook: str) -> str:
        """Sends a test; gives its delivery's id."""
        with self._enter(visitor, roles) as at:
            return str(delivery_log.test(at.session, at.organization, _id(webhook), at.now))

    def resend(self, visitor: Visitor, roles: frozenset[Role], delivery: str) -> None:
        """Sends a delivery once more."""
        with self._enter(visitor, roles) as at:
            delivery_log.resend(at.session, at.organization, _id(delivery), at.now)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError("There is no such thing.") from None
