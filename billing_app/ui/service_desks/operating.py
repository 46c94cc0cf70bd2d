"""The catalogue, gift cards and the audit log on the product's database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from billing_app import clock
from billing_app.db import Database, Session
from billing_app.domain.catalogue import to_document
from billing_app.domain.common.errors import InvalidError, NotFoundError, UnavailableError
from billing_app.services.access import sessions
from billing_app.services.catalogue import versions
from billing_app.services.catalogue.versions import LoadResult
from billing_app.services.common import cursors
from billing_app.services.common import organizations as orgs
from billing_app.services.credits import gift_cards, granting
from billing_app.services.credits.grants import ONE_YEAR
from billing_app.services.credits.views_cards import CardView, NewCard, Redemption
from billing_app.services.limits import overrides
from billing_app.services.limits.overrides import Kind
from billing_app.services.operators import catalogue_editor, catalogue_edits, catalogue_effects, manual_changes
from billing_app.services.operators import organizations as operators
from billing_app.services.operators.views_catalogue import CatalogueView, CheckView, Preview, Version
from billing_app.services.operators.views_manual import HandsView
from billing_app.services.organizations import read
from billing_app.services.organizations.views import AuditPage
from billing_app.services.payments import stripe_catalogue, stripe_names
from billing_app.services.payments.stripe_catalogue import Step
from billing_app.services.purchases.orders import Payments
from billing_app.settings import Settings
from billing_app.ui.desks.operating import Document

PAGE = 50
"""Cards and versions of one page."""

MAX_REDEMPTIONS = 200
"""Redemptions of a card that a page lists."""


class ServiceOperatingDesk:
    """One operator's work."""

    session: Session
    identity: sessions.Identity
    settings: Settings
    now: datetime

    @property
    def actor(self) -> str:
        """Who it is, for records."""
        return f"user:{self.identity.user_id}"

    def catalogue(self) -> CatalogueView:
        return catalogue_editor.catalogue(self.session, self.now, self.settings.catalogue_file)

    def catalogue_file(self) -> Document:
        return catalogue_editor.from_file(self.settings.catalogue_file)

    def check_catalogue(self, document: Document, based_on: int) -> CheckView:
        return catalogue_editor.check(self.session, document, based_on, self.now)

    def preview_catalogue(self, document: Document, based_on: int, correcting: bool) -> Preview:
        return catalogue_effects.preview(self.session, document, self.now, based_on=based_on, correcting=correcting)

    def save_catalogue(self, document: Document, based_on: int, correcting: bool) -> LoadResult:
        return catalogue_edits.save(
            self.session, document, self.now, based_on=based_on, correcting=correcting, actor=self.identity.email
        )

    def rebase_catalogue(self, document: Document, based_on: int) -> tuple[int, Document, Sequence[str]]:
        head, together, both = catalogue_edits.rebased(self.session, document, self.now, based_on=based_on)
        return head.version, together, both

    def catalogue_versions(self, before: int) -> Sequence[Version]:
        return catalogue_edits.versions(self.session, self.now, PAGE, before or None)

    def catalogue_version(self, version: int) -> Document:
        return to_document(catalogue_edits.of_number(self.session, version))

    def gift_cards(self, cursor: str) -> tuple[Sequence[CardView], str, CatalogueView]:
        (before,) = cursors.decode(cursor, UUID) or (None,)
        found = gift_cards.page(self.session, self.now, PAGE + 1, before)
        page = found[:PAGE]
        return page, cursors.encode(page[-1].id) if len(found) > PAGE else "", self.catalogue()

    def create_gift_cards(
        self, name: str, contents: Mapping[str, int], count: int, redemptions: int, expires_at: datetime | None
    ) -> Sequence[NewCard]:
        return gift_cards.create(
            self.session, name, contents, self.now,
            count=count, max_redemptions=redemptions, expires_at=expires_at, actor=self.actor,
        )  # fmt: skip

    def void_gift_card(self, card: str, reason: str) -> None:
        gift_cards.void(self.session, _uuid(card), reason, self.now, actor=self.actor)

    def redemptions(self, card: str) -> Sequence[Redemption]:
        return gift_cards.redemptions(self.session, _uuid(card), MAX_REDEMPTIONS)

    def hands(self, address: str) -> HandsView:
        return manual_changes.look(self.session, address, self.now)

    def give(self, address: str, metric: str, quantity: int, reason: str, ends_at: datetime | None, key: str) -> None:
        granting.give(
            self.session, orgs.by_address(self.session, address), metric, quantity, self.now,
            reason=reason, key=f"page {key}", actor=self.actor, expires_at=ends_at or ONE_YEAR,
        )  # fmt: skip

    def void_grant(self, grant: str, reason: str) -> None:
        granting.void(self.session, grant, self.now, reason=reason, actor=self.actor)

    def set_plan(self, address: str, plan: str, reason: str) -> None:
        found = orgs.by_address(self.session, address)
        operators.set_plan(self.session, found, plan, self.now, reason=reason, actor=self.actor)

    def override(
        self, address: str, kind: str, name: str, value: int | None, reason: str, ends_at: datetime | None
    ) -> None:
        overrides.put(
            self.session, orgs.by_address(self.session, address), _kind(kind), name, value, self.now,
            ends_at=ends_at, reason=reason, actor=self.actor,
        )  # fmt: skip

    def end_override(self, address: str, kind: str, name: str) -> None:
        found = orgs.by_address(self.session, address)
        overrides.end(self.session, found, _kind(kind), name, self.now, actor=self.actor)

    def audit(self, cursor: str, action: str, organization: str, who: str) -> AuditPage:
        return read.audit_of(self.session, self.now, organization, who, cursor, action)


class ServiceOperatingDesks:
    """What talks to Stripe for an operator."""

    database: Database
    settings: Settings
    payments: Payments | None

    def push_prices(self, cookies: str) -> Sequence[Step]:
        """Makes at Stripe what the catalogue sells, with no transaction open meanwhile; nobody but operators may."""
        now = clock.now()
        with self.database.reading() as session:
            sessions.authorize_operator(sessions.identify_socket(session, cookies, now, demo=self.settings.demo))
            current = versions.current(session, now)
        if self.payments is None:
            raise UnavailableError("Stripe is not set up on this server.", code="buying_unavailable")
        done = stripe_catalogue.bring(self.payments, current)
        with self.database.writing() as session:
            stripe_names.keep(session, stripe_catalogue.offers(current), clock.now())
        return done


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError("There is no such gift card.", code="gift_card_not_found") from None


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise InvalidError("There is nothing of this kind to override.", code="invalid_override") from None
