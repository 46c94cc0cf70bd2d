"""An organization and its customer at whichever Stripe answers; webhooks are read from the list of events."""

from __future__ import annotations

import json
import secrets
import time
from datetime import datetime, timedelta
from typing import Any

import stripe

from billing_app import clock
from billing_app.db import Database
from billing_app.gateways.stripe.payments import verified_event
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.payments import stripe_catalogue
from billing_app.services.stripe import inbox
from billing_app.services.stripe.event_handlers import HANDLERS
from billing_app.services.verification import verification
from tests.support.builders import an_organization, the_catalogue
from tests.support.patience import PATIENCE_SECONDS
from tests.support.shop import Shop, shared_fake_stripe

SECRET = "whsec_of_our_own"
POLL_SECONDS = 0.5


class Customer:
    """Lives on a test clock that begins now; `now` goes with it."""

    def __init__(self, database: Database, key: str) -> None:
        """`key` is one of Stripe's test mode; without one it is the fake Stripe."""
        self.real = bool(key)
        self.now: datetime = clock.now().replace(microsecond=0)
        the_catalogue(database)
        address = f"real-{secrets.token_hex(4)}"
        with database.writing() as session:
            an_organization(session, address)
        url = "" if self.real else shared_fake_stripe().url
        self.shop = Shop(database, address, key or f"sk_test_{secrets.token_hex(16)}", lambda: self.now, url)
        self.v1: Any = self.shop.stripe
        self.clock_id = self.v1.test_helpers.test_clocks.create({"frozen_time": int(self.now.timestamp())}).id
        self.id = self.v1.customers.create({"test_clock": self.clock_id, "name": "Acme"}).id
        with database.writing() as session:
            organization = organizations.by_address(session, address)
            organization.stripe_customer_id = self.id
            session.add(organization)
            grants.change_plan(Context(session, organization, self.now), "free")
        self._heard: set[str] = set()

    def price(self, lookup_key: str) -> str:
        """The id of a price of the catalogue, put at Stripe if it is not there."""
        with self.shop.database.reading() as session:
            offers = stripe_catalogue.offers(versions.current(session, self.now))
        (offer,) = [each for each in offers if each.lookup_key == lookup_key]
        return stripe_catalogue.price_ids(self.shop.payments, [offer])[lookup_key]

    def card(self, name: str = "pm_card_visa") -> str:
        """Saves a test card, which pays from now on; its id."""
        method = self.v1.payment_methods.attach(name, {"customer": self.id}).id
        self.v1.customers.update(self.id, {"invoice_settings": {"default_payment_method": method}})
        return method

    def subscribe(self, lookup_key: str, **metadata: str) -> Any:
        """A subscription that the saved card pays."""
        wanted = {"organization": self.shop.address, **metadata}
        return self.v1.subscriptions.create(
            {"customer": self.id, "items": [{"price": self.price(lookup_key)}], "metadata": wanted}
        )

    def advance(self, **time_: Any) -> None:
        """Time passes, here and there, with everything that is due on the way."""
        self.now += timedelta(**time_)
        self.v1.test_helpers.test_clocks.advance(self.clock_id, {"frozen_time": int(self.now.timestamp())})
        self.wait(lambda: self.v1.test_helpers.test_clocks.retrieve(self.clock_id).status == "ready")

    def hear(self, *types: str) -> None:
        """Waits for events of these types about the customer, and hears everything that was not heard yet."""
        found: list[Any] = []

        def come() -> bool:
            found[:] = [each for each in self._events() if each.id not in self._heard]
            return set(types) <= {each.type for each in found}

        self.wait(come)
        for event in reversed(found):
            self._heard.add(event.id)
            self._receive(json.dumps(event.to_dict(for_json=True)))
        assert [event.error for event in self.shop.events() if event.error] == []

    def _events(self) -> list[Any]:
        """Those of this customer that do something here, newest first."""
        found = self.v1.events.list({"types": sorted(HANDLERS)[:20], "limit": 100}).data
        found += self.v1.events.list({"types": sorted(HANDLERS)[20:], "limit": 100}).data
        found.sort(key=lambda each: each.created, reverse=True)
        return [each for each in found if self._about(each.data.object.to_dict())]

    def _about(self, found: dict[str, Any]) -> bool:
        payment = found.get("payment_intent")
        if "customer" not in found and isinstance(payment, str):  # disputes name the payment only
            return self.v1.payment_intents.retrieve(payment).customer == self.id
        return found.get("customer") == self.id

    def _receive(self, payload: str) -> None:
        signature = stripe.WebhookSignature.generate_signature_header(payload, SECRET, int(time.time()))
        event = verified_event(payload.encode(), signature, SECRET)
        with self.shop.database.writing() as session:
            inbox.receive(session, event, self.now)
        inbox.work(self.shop.worker(), inbox.subject_of(event))

    def wait(self, true: Any) -> None:
        """Until it is: Stripe's own events and clocks take some seconds."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not true():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(POLL_SECONDS if self.real else 0.02)

    def clean(self) -> None:
        """The ledger follows from the facts."""
        with self.shop.database.reading() as session:
            organization = organizations.by_address(session, self.shop.address)
            assert list(verification.verify(Context(session, organization, self.now + timedelta(seconds=2)))) == []
