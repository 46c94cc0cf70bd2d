"""A shop whose customer lives on a test clock of Stripe's: months pass when a test says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from billing_app.db import Database
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.stripe import inbox
from billing_app.services.verification import verification
from billing_app.store.notifications.outbox import messages
from billing_app.store.purchases import recurring as store
from billing_app.store.tables.notifications import OutboxMessage
from billing_app.store.tables.purchases import RecurringPack
from tests.support.shop import Shop, a_shop

START = datetime(2026, 1, 10, 9, tzinfo=UTC)
"""When it begins."""

EVENTS = ("checkout.session.", "invoice.", "customer.subscription.")
"""What of Stripe's events is told to us."""


class Renewing:
    """The shop, its clock, and the news from Stripe since they were last listened to."""

    def __init__(self, database: Database) -> None:
        """An organization with a customer whose time begins at START."""
        self.now = START
        self.shop: Shop = a_shop(database, clock=lambda: self.now)
        v1 = self.shop.stripe
        self.clock_id = v1.test_helpers.test_clocks.create({"frozen_time": int(START.timestamp())}).id
        self.customer_id = v1.customers.create({"test_clock": self.clock_id, "name": "Acme"}).id
        with database.writing() as session:
            organization = organizations.by_address(session, "acme")
            organization.stripe_customer_id = self.customer_id
            session.add(organization)
        self._heard = ""

    def advance(self, **time: Any) -> None:
        """Time passes, here and there."""
        self.now += timedelta(**time)
        self.shop.control("POST", f"/clocks/{self.clock_id}/advance", to=int(self.now.timestamp()))

    def news(self, *, newest_first: bool = False) -> list[str]:
        """Hears every event that was not heard of yet, in order or the other way round; their types."""
        found = self.shop.happened(self._heard)
        self._heard = found[-1].id if found else self._heard
        events = [event for event in found if event.type.startswith(EVENTS)]
        for event in reversed(events) if newest_first else events:
            with self.shop.database.writing() as session:
                inbox.receive(session, event, self.now)
        subjects = {self.customer_id}
        for subject in subjects:
            worked = inbox.work(self.shop.worker(), subject)
            assert worked.failed == 0, [event.error for event in self.shop.events() if event.error]
        return [event.type for event in events]

    def use_card(self, name: str) -> None:
        """From now on this test card pays what renews."""
        method = self.shop.stripe.payment_methods.attach(name, {"customer": self.customer_id})
        settings: Any = {"invoice_settings": {"default_payment_method": method.id}}
        self.shop.stripe.customers.update(self.customer_id, settings)
        for subscription in self.shop.stripe.subscriptions.list({"customer": self.customer_id}).data:
            self.shop.stripe.subscriptions.update(subscription.id, {"default_payment_method": method.id})

    def packs(self) -> dict[str, RecurringPack]:
        """The recurring packs by pack, ended ones too."""
        with self.shop.database.reading() as session:
            owner = organizations.by_address(session, "acme").pk
            return {row.pack: row for row in store.of_organization(session, owner)}

    def told(self, prefix: str = "") -> list[OutboxMessage]:
        """Messages whose kind begins so, in order."""
        with self.shop.database.reading() as session:
            owner = organizations.by_address(session, "acme").pk
            return [message for message in messages(session, owner) if message.kind.startswith(prefix)]

    def granted(self) -> dict[str, int]:
        """How many grants there are, by pack."""
        found: dict[str, int] = {}
        for grant in self.shop.grants():
            found[grant.pack or ""] = found.get(grant.pack or "", 0) + 1
        return found

    def clean(self) -> None:
        """The ledger follows from the facts."""
        with self.shop.database.reading() as session:
            differences = list(
                verification.verify(Context(session, organizations.by_address(session, "acme"), self.now))
            )
        assert differences == []
