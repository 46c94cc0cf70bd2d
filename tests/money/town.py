"""A town of organizations that buy: one database of ours, one account at Stripe, and an unreliable postman.

Every customer lives on a test clock of their own, and all clocks show the same time as ours, so months pass when a test
says so. Stripe's events reach us as signed webhooks do, only that this postman loses, repeats and shuffles them.
"""

from __future__ import annotations

import copy
import json
import random
import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe

from billing_app.db import Database
from billing_app.domain.common.errors import BillingError, UnavailableError
from billing_app.gateways.stripe.payments import verified_event
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants as credits
from billing_app.services.purchases import fulfilment, recurring_changes, top_up_charging
from billing_app.services.reversals import refunds
from billing_app.services.stripe import inbox
from billing_app.services.stripe.inbox import Worker
from billing_app.services.usage import recounts
from billing_app.store.credits import grants as credit_store
from tests.money import accountant, books
from tests.support.builders import an_organization, the_catalogue
from tests.support.crashes import survives
from tests.support.shop import Shop

START = datetime(2026, 1, 10, 9, tzinfo=UTC)
"""When the town begins; its periods are calendar months."""

SECRET = "whsec_of_the_town"

DUPLICATED, LOST, KILLED = 0.15, 0.05, 0.05
"""How many deliveries come twice, never, or find us being killed in their middle."""


@dataclass
class Household:
    """One organization, its customer at Stripe, and what it used of its plan and beyond, by metric and month.

    Some subscribe to plans and use nothing, so that what others used above the free plan is easily told.
    """

    shop: Shop
    subscribes: bool
    customer_id: str = ""
    clock_id: str = ""
    used: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    sessions: list[str] = field(default_factory=list)


def signed(payload: str) -> str:
    """The header that Stripe sends with it."""
    return stripe.WebhookSignature.generate_signature_header(payload, SECRET, int(time.time()))


CODES: dict[str, Any] = {
    "THIRD": {"percent_off": 33.3},
    "FREE": {"percent_off": 100},
    "FIVER": {"amount_off": 500, "currency": "usd"},
}
"""Promotion codes that people have heard of, and what they take off."""


class Town:
    """`chance` decides everything that is left to chance."""

    def __init__(self, database: Database, size: int, chance: random.Random) -> None:
        """So many organizations, all on the free plan."""
        self.database, self.chance, self.now = database, chance, START
        # Of its own, so that what a seed tells is told as before.
        self.codes = random.Random(size)
        the_catalogue(database)
        first = Shop(database, "house-0", clock=self.time)
        others = [Shop(database, f"house-{number}", key=first.key, clock=self.time) for number in range(1, size)]
        self.households = [Household(shop, number % 2 == 1) for number, shop in enumerate([first, *others])]
        self.shop, self.v1 = first, first.stripe
        for code, off in CODES.items():
            coupon = self.v1.coupons.create({"duration": "once", **off}).id
            self.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon}, "code": code})
        for house in self.households:
            self._settle_in(house)
        self._last_event = self.v1.events.list({"limit": 1}).data[0].id
        self._bag: list[str] = []
        self.lost: list[str] = []
        self.deaths = 0
        self.unreliable = False
        self.troubles: list[dict[str, Any]] = []

    def time(self) -> datetime:
        """What the services take for now. No two things happen at one instant, as with a real clock."""
        self.now += timedelta(milliseconds=1)
        return self.now

    def _settle_in(self, house: Household) -> None:
        house.clock_id = self.v1.test_helpers.test_clocks.create({"frozen_time": int(START.timestamp())}).id
        house.customer_id = self.v1.customers.create({"test_clock": house.clock_id}).id
        with self.database.writing() as session:
            made = an_organization(session, house.shop.address, anchor=datetime(2026, 1, 1, tzinfo=UTC))
            made.stripe_customer_id = house.customer_id
            session.add(made)
            credits.change_plan(Context(session, made, START), "free")

    def advance(self, **time_: Any) -> None:
        """Time passes, here and at Stripe."""
        self.now += timedelta(**time_)
        for house in self.households:
            self.shop.control("POST", f"/clocks/{house.clock_id}/advance", to=int(self.now.timestamp()))

    def worker(self) -> Worker:
        """Somebody new who works on events."""
        return Worker(self.database.writing, self.shop.payments, self.time)

    def collect(self) -> None:
        """What has happened at Stripe since the postman was there last, oldest first."""
        while True:
            page = self.v1.events.list({"limit": 100, "ending_before": self._last_event})
            for event in reversed(page.data):
                self._bag.append(json.dumps(event.to_dict(for_json=True)))
                self._last_event = event.id
            if not page.has_more:
                return

    def carried(self) -> list[str]:
        """What has happened since, taken from the postman; oldest first."""
        self.collect()
        carried, self._bag = self._bag, []
        return carried

    def only(self, house: Household) -> Town:
        """The same town, as if this were its only house."""
        self.collect()
        alone = copy.copy(self)
        alone.households, alone.shop, alone._bag = [house], house.shop, []
        return alone

    def deliver(self, share: float = 1.0) -> None:
        """Some of what the postman carries, in any order, some of it twice, some of it not at all."""
        self.collect()
        self.chance.shuffle(self._bag)
        carried = round(len(self._bag) * share)
        today, self._bag = self._bag[:carried], self._bag[carried:]
        for payload in today:
            if self.chance.random() < LOST:
                self.lost.append(payload)
                continue
            for _ in range(1 + (self.chance.random() < DUPLICATED)):
                with self.trouble():
                    self.receive(payload)

    def receive(self, payload: str) -> None:
        """A webhook: verified, stored, answered, worked on; sometimes we are killed before one of the writes."""
        event = verified_event(payload.encode(), signed(payload), SECRET)
        with self.database.writing() as session:
            inbox.receive(session, event, self.now)
        subject = inbox.subject_of(event)
        if self.unreliable and self.chance.random() < KILLED:
            dies_at = self.chance.randint(1, 12)
            self.deaths += not survives(self.database, dies_at, lambda: inbox.work(self.worker(), subject))
        else:
            inbox.work(self.worker(), subject)

    def sweep(self) -> None:
        """What the jobs do."""
        given = (self.database.writing, self.shop.payments, self.time)
        with self.trouble(), suppress(UnavailableError):
            inbox.sweep(self.worker())
            for job in (fulfilment.sweep, recurring_changes.sweep, refunds.sweep, top_up_charging.sweep):
                job(*given)

    @contextmanager
    def trouble(self) -> Generator[None]:
        """What we ask of Stripe inside meets the next trouble, if one is waiting; what the test asks never does."""
        waiting = self.troubles.pop() if self.troubles else None
        if waiting is None:
            yield
            return
        self.shop.control("POST", "/faults", **waiting)
        try:
            yield
        finally:
            self.shop.control("DELETE", "/faults", kind=waiting["kind"])

    def come_to_rest(self) -> None:
        """Banks answer, Stripe sends again what never arrived, jobs run, until nothing changes any more."""
        self.troubles = []
        for intent in self.v1.payment_intents.list({"limit": 100}).auto_paging_iter():
            if intent.status == "processing":
                self.shop.control("POST", f"/payment_intents/{intent.id}/settle")
        for _ in range(3):
            # Leases of the dead end, retries become due, banks have answered.
            self.advance(hours=5)
            self.collect()
            for payload in [*self._bag, *self.lost]:
                self.receive(payload)
            self._bag, self.lost = [], []
            self.sweep()
        assert self.unfinished() == []

    def unfinished(self) -> list[tuple[str, str]]:
        """Events that are still to be worked on, with what went wrong."""
        return [(event.type, event.error) for event in self.shop.events() if event.state in {"new", "failed"}]

    def differences(self) -> list[str]:
        """Our books against the accountant's."""
        found: list[str] = []
        with self.database.writing() as session:
            for house in self.households:
                recounts.post(Context(session, organizations.by_address(session, house.shop.address), self.now))
        with self.database.reading() as session:
            for house in self.households:
                organization = organizations.by_address(session, house.shop.address)
                grants = credit_store.grants(session, organization.pk)
                named = {grant.id: grant.source_key for grant in grants}
                known = accountant.read(self.v1, house.customer_id, named)
                found += books.compare(session, house.shop.address, known, self.overage(house), self.now)
        return found

    def overage(self, house: Household) -> dict[str, int]:
        """What was used above the free plan's allowance."""
        included = {"emails": 250}
        found: dict[str, int] = defaultdict(int)
        for (metric, _month), used in house.used.items():
            found[metric] += max(0, used - included.get(metric, 0))
        return dict(found)

    def ask(self, work: Any, *arguments: Any, **more: Any) -> Any:
        """What our work answers; None if it was refused or Stripe was out of reach, which a person would be told."""
        with self.trouble(), suppress(BillingError):
            return work(*arguments, **more)
        return None

    def manages(self, work: Any, *arguments: Any, **more: Any) -> bool:
        """The same for work that answers nothing: whether it was done."""
        with self.trouble():
            try:
                work(*arguments, **more)
            except BillingError:
                return False
        return True
