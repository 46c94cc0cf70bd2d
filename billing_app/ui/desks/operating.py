"""What operators do: the catalogue, gift cards, and the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from billing_app.services.catalogue.versions import LoadResult
from billing_app.services.credits.views_cards import CardView, NewCard, Redemption
from billing_app.services.operators.views_catalogue import CatalogueView, CheckView, Preview, Version
from billing_app.services.operators.views_manual import HandsView
from billing_app.services.organizations.views import AuditPage
from billing_app.services.payments.stripe_catalogue import Step

Document = Mapping[str, Any]


class OperatingDesk(Protocol):
    """One operator's work, in one transaction."""

    def catalogue(self) -> CatalogueView:
        """The version that an edit begins with."""

    def catalogue_file(self) -> Document:
        """What plans.json says now, to be looked at as an edit."""

    def check_catalogue(self, document: Document, based_on: int) -> CheckView:
        """What an edit would do so far."""

    def preview_catalogue(self, document: Document, based_on: int, correcting: bool) -> Preview:
        """Whom saving would affect, and how."""

    def save_catalogue(self, document: Document, based_on: int, correcting: bool) -> LoadResult:
        """Saves an edit."""

    def rebase_catalogue(self, document: Document, based_on: int) -> tuple[int, Document, Sequence[str]]:
        """An edit on top of the version in force: that version, the document, and what both had changed."""

    def catalogue_versions(self, before: int) -> Sequence[Version]:
        """Versions, the newest first, below `before` if it is not 0."""

    def catalogue_version(self, version: int) -> Document:
        """An earlier version, whole."""

    def gift_cards(self, cursor: str) -> tuple[Sequence[CardView], str, CatalogueView]:
        """Cards, the newest first; the cursor of the page after; and the catalogue that names what they hold."""

    def create_gift_cards(
        self, name: str, contents: Mapping[str, int], count: int, redemptions: int, expires_at: datetime | None
    ) -> Sequence[NewCard]:
        """Makes a batch; the codes are told this once."""

    def void_gift_card(self, card: str, reason: str) -> None:
        """Ends a card."""

    def redemptions(self, card: str) -> Sequence[Redemption]:
        """Who redeemed a card."""

    def hands(self, address: str) -> HandsView:
        """What can be done by hand for an organization."""

    def give(self, address: str, metric: str, quantity: int, reason: str, ends_at: datetime | None, key: str) -> None:
        """Credits for nothing, once per key; None ends in a year."""

    def void_grant(self, grant: str, reason: str) -> None:
        """Forfeits what is left of a grant."""

    def set_plan(self, address: str, plan: str, reason: str) -> None:
        """Another plan from now on."""

    def override(
        self, address: str, kind: str, name: str, value: int | None, reason: str, ends_at: datetime | None
    ) -> None:
        """Something in place of what the plan says."""

    def end_override(self, address: str, kind: str, name: str) -> None:
        """The plan holds again."""

    def audit(self, cursor: str, action: str, organization: str, who: str) -> AuditPage:
        """Who changed what: anywhere, or in one organization; anybody, or one person."""


class OperatingDesks(Protocol):
    """What talks to Stripe for an operator."""

    def push_prices(self, cookies: str) -> Sequence[Step]:
        """Makes at Stripe what the catalogue sells; answers what was done."""
