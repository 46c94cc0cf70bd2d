"""A subscriber: a shop whose customer at the fake Stripe lives by a test clock: months pass when a test says so."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from billing_app.db import Database
from billing_app.domain.purchases.subscriptions import BillingInterval
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.plans import changes, orders
from billing_app.services.plans.changes import PlanPreviewAnswer
from billing_app.services.stripe import inbox
from billing_app.services.subscriptions import subscriptions
from billing_app.services.usage import accounts, plans_in_force
from billing_app.services.verification import verification
from billing_app.store.purchases import subscriptions as store
from billing_app.store.tables.subscriptions import Subscription
from tests.support.builders import an_organization, the_catalogue
from tests.support.shop import PUBLIC_URL, Shop

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
"""When it begins, on a Tuesday in the middle of a period."""

ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)

MONTH, YEAR = BillingInterval.MONTH, BillingInterval.YEAR

BAD_CARD = "pm_card_chargeCustomerFail"


@dataclass
class Subscriber(Shop):
    """Subscribes over real HTTP; `now` is the time of the clock at the fake Stripe, and ours."""

    now: datetime = START
    heard: str = ""

    def __post_init__(self) -> None:
        """Makes the customer, on a clock of its own."""
        super().__post_init__()
        self.clock = lambda: self.now
        self.clock_id = self.stripe.test_helpers.test_clocks.create({"frozen_time": int(self.now.timestamp())}).id
        self.customer = self.stripe.customers.create({"name": "Acme", "test_clock": self.clock_id}).id
        with self.database.writing() as session:
            organizations.by_address(session, self.address).stripe_customer_id = self.customer

    def wait(self, until: datetime) -> None:
        """Time passes, here and at the fake Stripe; nothing of ours hears of what happened there."""
        self.control("POST", f"/clocks/{self.clock_id}/advance", to=int(until.timestamp()))
        self.now = until

    def subscribe(self, plan: str, interval: BillingInterval = MONTH, number: str | None = None) -> str:
        """Subscribes by Checkout, pays and comes back; the subscription's id."""
        session_id = self.orders_plan(plan, interval)
        paid = self.pay(session_id, number) if number else self.pay(session_id)
        assert paid["decline"] is None
        self.come_back(session_id)
        found = self.row()
        assert found is not None
        return found.id

    def orders_plan(self, plan: str, interval: BillingInterval = MONTH) -> str:
        """Begins to subscribe; the id of the page where it is paid."""
        return orders.start(self.enter, self.payments, plan, interval, PUBLIC_URL).session_id

    def change(self, plan: str, interval: BillingInterval = MONTH) -> PlanPreviewAnswer:
        """Looks at a change and makes it; what was shown before."""
        seen = self.preview(plan, interval)
        changes.change(self.enter, self.payments, plan, interval, seen.at)
        return seen

    def preview(self, plan: str, interval: BillingInterval = MONTH) -> PlanPreviewAnswer:
        """Looks at a change."""
        return changes.preview(self.enter, self.payments, plan, interval)

    def act(self, deed: Any) -> None:
        """Does one of `plan_changes`."""
        deed(self.enter, self.payments)

    def use_card(self, card: str) -> None:
        """Pays with another card from now on."""
        saved = self.stripe.payment_methods.attach(card, {"customer": self.customer}).id
        self.stripe.customers.update(self.customer, {"invoice_settings": {"default_payment_method": saved}})
        for each in self.stripe.subscriptions.list({"customer": self.customer}).data:
            self.stripe.subscriptions.update(each.id, {"default_payment_method": saved})

    def pay_open_invoice(self, card: str = "pm_card_visa") -> None:
        """Pays what is owed, as the hosted invoice page does."""
        self.use_card(card)
        for each in self.stripe.invoices.list({"customer": self.customer, "status": "open"}).data:
            self.stripe.invoices.pay(each.id or "")

    def hear_all(self, order: random.Random | None = None, *, twice: bool = False) -> None:
        """Every event of the customer that was not heard yet arrives, in order or in disorder, and is handled."""
        found = self.happened(self.heard)
        self.heard = found[-1].id if found else self.heard
        if order is not None:
            order.shuffle(found)
        for event in found * (2 if twice else 1):
            with self.database.writing() as session:
                due = inbox.receive(session, event, self.now)
            if due:
                inbox.work(self.worker(), inbox.subject_of(event))
        assert [event.error for event in self.events() if event.state == inbox.State.FAILED] == []

    def row(self) -> Subscription | None:
        """The current subscription as we have it."""
        with self.database.reading() as session:
            return store.current(session, self._owner(session))

    def plan(self, at: datetime | None = None) -> str:
        """The plan in force."""
        with self.database.reading() as session:
            return plans_in_force.plans(session, self._owner(session)).plan_at(at or self.now)

    def allowance(self, metric: str, at: datetime | None = None) -> int | None:
        """What the period of a moment includes, as far as it has come."""
        with self.database.reading() as session:
            organization = organizations.by_address(session, self.address)
            return accounts.account(session, organization, metric, at or self.now).allowance

    def past_due_since(self) -> datetime | None:
        """Since when something is owed."""
        with self.database.reading() as session:
            return subscriptions.past_due_since(session, organizations.by_address(session, self.address))

    def differences(self) -> list[str]:
        """What `billing verify` finds."""
        with self.database.reading() as session:
            organization = organizations.by_address(session, self.address)
            return [str(each) for each in verification.verify(Context(session, organization, self.now))]

    def charged(self) -> list[int]:
        """What was paid for by card, oldest first."""
        found = self.stripe.invoices.list({"customer": self.customer, "limit": 100}).data
        return [each.amount_paid for each in reversed(found) if each.status == "paid"]


def a_subscriber(database: Database, **more: Any) -> Subscriber:
    """A subscriber on a database that has the shipped catalogue and the organization `acme` on the plan Free."""
    the_catalogue(database)
    with database.writing() as session:
        an_organization(session, anchor=ANCHOR)
    return Subscriber(database, **more)


def days(number: float) -> timedelta:
    """So many days."""
    return timedelta(days=number)
