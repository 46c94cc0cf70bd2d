"""What the page of alerts reads and changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from billing_app.domain.common.access import Role
from billing_app.services.notifications.views import AlertsView

if TYPE_CHECKING:
    from billing_app.ui.desk import Visitor


class AlertsDesk(Protocol):
    """What the page reads."""

    def alerts(self, state: str, opened: str) -> AlertsView:
        """Choices, endpoints and deliveries; those of one state, if told, and one that is opened."""


class AlertsDesks(Protocol):
    """What the page changes. Each raises what its service raises."""

    def choose_alert(self, visitor: Visitor, roles: frozenset[Role], audience: str, kind: str, told: bool) -> None:
        """Somebody is told of a kind, or no longer."""

    def choose_person(self, visitor: Visitor, roles: frozenset[Role], email: str, told: bool) -> None:
        """A single member is told, or no longer."""

    def add_webhook(self, visitor: Visitor, roles: frozenset[Role], url: str, description: str) -> str:
        """A new endpoint; gives its secret, once."""

    def rotate_webhook(self, visitor: Visitor, roles: frozenset[Role], webhook: str) -> str:
        """A new secret; gives it, once."""

    def enable_webhook(self, visitor: Visitor, roles: frozenset[Role], webhook: str) -> None:
        """Sends to an endpoint again."""

    def delete_webhook(self, visitor: Visitor, roles: frozenset[Role], webhook: str) -> None:
        """Sends to an endpoint no more."""

    def test_webhook(self, visitor: Visitor, roles: frozenset[Role], webhook: str) -> str:
        """Sends a test; gives its delivery's id."""

    def resend(self, visitor: Visitor, roles: frozenset[Role], delivery: str) -> None:
        """Sends a delivery once more."""
