"""A shop: an organization that buys, its database, and a Stripe account of its own in the fake Stripe.

The fake Stripe is a process of its own that is spoken to over HTTP through the unmodified SDK. It is started once per
test process and ends with it; every shop has a fresh key there, hence an empty account.
"""

from __future__ import annotations

import copy
import json
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import httpx
import stripe
from sqlmodel import Session

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.catalogue import to_document
from billing_app.gateways.payments import Payments, ReceivedEvent
from billing_app.gateways.stripe import mapping
from billing_app.gateways.stripe.payments import connected
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.purchases import orders, status
from billing_app.services.purchases.orders import CheckoutAnswer
from billing_app.services.purchases.status import PurchaseStatus
from billing_app.services.stripe import inbox
from billing_app.services.stripe.inbox import Worker
from billing_app.store.credits import grants as credit_store
from billing_app.store.credits import ledger
from billing_app.store.notifications import outbox
from billing_app.store.purchases import orders as store
from billing_app.store.stripe import inbox as inbox_store
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.purchases import Order
from billing_app.store.tables.stripe import InboxEvent
from tests.fake_stripe.account import http
from tests.fake_stripe.process import shared_fake_stripe
from tests.support.builders import an_organization, the_catalogue
from tests.support.patience import PATIENCE_SECONDS

PUBLIC_URL = "https://console.example"

PAYS = "4242424242424242"
DECLINED = "4000000000000002"
BANK_DEBIT = "000123456789"
FAILING_BANK_DEBIT = "000222222227"


@lru_cache
def sdk(key: str, url: str) -> stripe.StripeClient:
    """The SDK itself, for looking at what Stripe knows."""
    return stripe.StripeClient(key, base_addresses={"api": url} if url else {}, http_client=http())


@lru_cache(maxsize=1)
def controls() -> httpx.Client:
    """For the control API: plain http, without looking at certificates and proxies."""
    return httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False, verify=False)


@dataclass
class Shop:
    """Buys over real HTTP. `clock` is what the services take for now."""

    database: Database
    address: str = "acme"
    key: str = field(default_factory=lambda: f"sk_test_{secrets.token_hex(16)}")
    clock: Callable[[], datetime] = clock.now
    url: str = field(default_factory=lambda: shared_fake_stripe().url)

    def __post_init__(self) -> None:
        """Speaks to the fake Stripe at `url`."""
        self.payments: Payments = connected(self.key, self.url)
        self.client = sdk(self.key, self.url)
        self.stripe = self.client.v1

    @contextmanager
    def enter(self) -> Generator[Context]:
        """The admin comes in."""
        with self.database.writing() as session:
            yield Context(session, organizations.by_address(session, self.address), self.clock(), "user:ada")

    def start(self, *packs: str, key: str | None = None, **counts: int) -> CheckoutAnswer:
        """Begins a payment of one of each pack; `counts` are others, with `_` for `-`."""
        wanted = [(pack, 1) for pack in packs]
        wanted += [(name.replace("_", "-"), count) for name, count in counts.items()]
        return orders.start_checkout(self.enter, self.payments, wanted, PUBLIC_URL, key=key)

    def come_back(self, session_id: str) -> PurchaseStatus:
        """What the return page does."""
        return status.status(self.enter, self.payments, session_id)

    def pay(self, session_id: str, number: str = PAYS, **more: Any) -> dict[str, Any]:
        """What the payer does on the hosted page."""
        return self.control("POST", f"/checkout/{session_id}/pay", number=number, **more)

    def buy(self, *packs: str, **counts: int) -> str:
        """Begins and pays; the session's id. Nothing of ours has heard of it yet."""
        started = self.start(*packs, key=None, **counts)
        assert self.pay(started.session_id)["decline"] is None
        return started.session_id

    def control(self, method: str, path: str, /, **members: Any) -> dict[str, Any]:
        """Calls the fake Stripe's control API."""
        answer = controls().request(
            method,
            f"{self.url}/_sandbox/control{path}",
            json=members,
            headers={"Authorization": f"Bearer {self.key}"},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def happened(self, after: str = "", **wanted: Any) -> list[ReceivedEvent]:
        """Events as their webhooks say them, oldest first: the last 100, or all after an event."""
        more = {"ending_before": after} if after else {}
        page = self.client.raw_request("get", "/v1/events", limit=100, **more, **wanted).data
        found = [mapping.event(json.dumps(event)) for event in reversed(page["data"])]
        return found + self.happened(found[-1].id, **wanted) if after and page["has_more"] else found

    def event(self, kind: str, object_id: str) -> ReceivedEvent:
        """The newest event of this type about an object."""
        return next(event for event in reversed(self.happened(type=kind)) if event.object_id == object_id)

    def event_id(self, kind: str, session_id: str) -> str:
        """The id of the event of this type about a session."""
        return self.event(kind, session_id).id

    def receive(self, kind: str, session_id: str) -> str:
        """Stores an event as the webhook does, and no more; its subject."""
        event = self.event(kind, session_id)
        with self.database.writing() as session:
            inbox.receive(session, event, self.clock())
        return inbox.subject_of(event)

    def hear(self, kind: str, session_id: str) -> inbox.Worked:
        """A webhook, from its arrival to the end of the work on it."""
        return inbox.work(self.worker(), self.receive(kind, session_id))

    def worker(self, **more: Any) -> Worker:
        """Somebody who works on events."""
        return Worker(self.database.writing, self.payments, self.clock, **more)

    def grants(self) -> list[GrantRow]:
        """What the organization has been granted."""
        with self.database.reading() as session:
            return credit_store.grants(session, self._owner(session))

    def balance(self, metric: str) -> int:
        """The sum of a metric's ledger."""
        with self.database.reading() as session:
            return ledger.balance(session, self._owner(session), metric)

    def told(self) -> list[str]:
        """The kinds of purchase messages in the outbox, in order."""
        with self.database.reading() as session:
            kinds = [message.kind for message in outbox.messages(session, self._owner(session))]
        return [kind for kind in kinds if kind.startswith("purchase.")]

    def order(self, order_id: str) -> Order:
        """An order as it is now."""
        with self.database.reading() as session:
            found = store.order(session, self._owner(session), order_id)
            assert found is not None
            return found

    def events(self) -> list[InboxEvent]:
        """The inbox, newest first."""
        with self.database.reading() as session:
            return inbox_store.latest(session, 100)

    def change_catalogue(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Loads the catalogue anew after `change` has edited its document."""
        with self.database.writing() as session:
            document = copy.deepcopy(to_document(versions.current(session, self.clock())))
            change(document)
            versions.load(session, document, self.clock(), "edited", from_file=False)

    def change_pack(self, pack_id: str, **values: Any) -> None:
        """Edits one pack."""
        self.change_catalogue(lambda document: next(p for p in document["packs"] if p["id"] == pack_id).update(values))

    def _owner(self, session: Session) -> int:
        return organizations.by_address(session, self.address).pk


def a_shop(database: Database, **more: Any) -> Shop:
    """A shop on a database that has the shipped catalogue and the organization `acme`."""
    the_catalogue(database)
    with database.writing() as session:
        an_organization(session, anchor=datetime(2026, 1, 1, tzinfo=UTC))
    return Shop(database, **more)
