"""The demo's dealings with the fake Stripe: who subscribes, who is behind with a payment.

They are made there over HTTP by Stripe's own SDK, with a past by way of test clocks, and told to the database by the
same services that Stripe's events call. So portal, invoices and previews work in the demo. A start that is killed here
leaves an organization without a customer, which the next one makes. The fake Stripe must answer before this begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing_app.db import Database
from billing_app.demo import larkfield, marlow, renewing, taken_back, told
from billing_app.demo.calendar import RUNNING, Calendar
from billing_app.demo.people import ACCOUNTS, LARKFIELD, MARLOW, DemoOrganization
from billing_app.domain.common.periods import add_months, period_at
from billing_app.domain.purchases.subscriptions import BillingInterval
from billing_app.gateways.stripe.payments import StripePayments
from billing_app.gateways.stripe.test_clocks import StripeStaging
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.payments import payment_account, stripe_catalogue, stripe_names
from billing_app.services.purchases import subscription_events
from billing_app.services.purchases.fulfilment import ORGANIZATION
from billing_app.services.subscriptions import subscriptions
from billing_app.settings import Settings

GOOD, DECLINED = "pm_card_visa", "pm_card_chargeCustomerFail"
"""Stripe's own test cards: one that pays, and one that can be saved and is declined when it is charged."""

ESSENTIAL = "essential"

DECLINED_AGO = timedelta(days=2)
"""How long ago the late payer's card was declined: within the grace of seven days."""

DRAFT = timedelta(hours=1)
"""A renewal's invoice waits this long before its money is asked for."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What staging needs: the database, the product's own way to Stripe, and the demo's."""

    database: Database
    payments: StripePayments
    staging: StripeStaging
    now: datetime

    def price(self, plan: str, interval: BillingInterval) -> str:
        """The price of a plan at the fake Stripe, made if it was not pushed yet."""
        with self.database.reading() as session:
            known = versions.current(session, self.now)
        offer = stripe_catalogue.plan_offer(known, known.plan(plan), interval)
        return stripe_catalogue.price_ids(self.payments, [offer])[offer.lookup_key]

    def customer_id(self, organization: DemoOrganization) -> str:
        """The organization's customer at the fake Stripe; empty before it has one."""
        with self.database.reading() as session:
            return organizations.by_address(session, organization.address).stripe_customer_id or ""

    def new_customer(self, organization: DemoOrganization, key: str, clock: str = "") -> str:
        """Makes the organization's customer, with the e-mail of its first member; once per key."""
        person, _role = organization.members[0]
        name, metadata = organization.name, {ORGANIZATION: organization.address}
        return self.staging.customer(f"{key}:customer", name, person.email, metadata, clock)

    def mirror(self, subscription_id: str) -> None:
        """Tells the database where a subscription stands, as an event about it would."""
        found, account = self.payments.subscription(subscription_id), self.payments.account()
        with self.database.writing() as session:
            payment_account.confirm(session, account, self.now)
            subscription_events.settle(session, found, self.now)


def stage(database: Database, settings: Settings, now: datetime) -> None:
    """Makes what is missing at the fake Stripe, and lets its clocks catch up with `now`; quick once it was done."""
    secret, base = settings.stripe_api_secret.get_secret_value(), settings.stripe_api_base
    found = Stage(database, StripePayments(secret, base), StripeStaging(secret, base), now)
    _sell(found)
    _subscriber(found)
    _late_payer(found)
    for organization in ACCOUNTS.organizations:
        _catch_up(found, organization)
    renewing.stage(database, found.payments, found.staging, now)
    taken_back.stage(database, found.payments, settings, now)
    told.stage(database, settings, now)


def _sell(stage: Stage) -> None:
    """Everything of the catalogue is on sale, as after `billing stripe push`."""
    with stage.database.reading() as session:
        known = versions.current(session, stage.now)
    stripe_catalogue.bring(stage.payments, known)
    with stage.database.writing() as session:
        stripe_names.keep(session, stripe_catalogue.offers(known), stage.now)


def _subscriber(stage: Stage) -> None:
    """Larkfield pays Essential month by month since it upgraded, on the day on which its periods turn."""
    calendar = Calendar.anchored(stage.now, larkfield.ANCHOR_DAY)
    began = calendar.at(larkfield.UPGRADED, 1, 9, 12)
    anchor = period_at(calendar.anchor, larkfield.UPGRADED).end
    _subscribe(stage, LARKFIELD, began, BillingInterval.MONTH, anchor, stage.now, GOOD)


def _late_payer(stage: Stage) -> None:
    """Marlow pays Essential by the year; its card was declined when the second year began.

    Not before its running period did: one that begins unpaid has the default plan's allowance, and the story's figures
    are those of Essential.
    """
    running = Calendar.anchored(stage.now, marlow.ANCHOR_DAY).at(RUNNING, 1, 0)
    declined = min(max(stage.now - DECLINED_AGO, running + DRAFT), stage.now)
    began = add_months(declined - DRAFT, -12)
    _subscribe(stage, MARLOW, began, BillingInterval.YEAR, None, began + timedelta(days=1), DECLINED)


def _subscribe(
    stage: Stage,
    organization: DemoOrganization,
    began: datetime,
    interval: BillingInterval,
    anchor: datetime | None,
    paid_until: datetime,
    card: str,
) -> None:
    """A subscription with a past: paid by a good card until `paid_until`, then by `card`."""
    if stage.customer_id(organization):
        return
    # A start that was killed is another story when it is told again: its keys differ, and what it left harms nobody.
    key = f"demo:{organization.address}:{began:%Y%m%d%H%M%S}"
    clock = stage.staging.clock(f"{key}:clock", organization.name, began)
    customer = stage.new_customer(organization, key, clock)
    stage.staging.use_card(f"{key}:card", customer, GOOD)
    metadata = {ORGANIZATION: organization.address, subscriptions.KIND: subscriptions.PLAN, "plan": ESSENTIAL}
    price = stage.price(ESSENTIAL, interval)
    subscription = stage.staging.subscribe(f"{key}:subscription", customer, price, metadata, anchor)
    stage.staging.advance(clock, paid_until)
    if card != GOOD:
        stage.staging.use_card(f"{key}:other-card", customer, card)
    stage.staging.advance(clock, stage.now)
    stage.staging.let_run(clock)
    with stage.database.writing() as session:
        organizations.by_address(session, organization.address).stripe_customer_id = customer
    stage.mirror(subscription)


def _catch_up(stage: Stage, organization: DemoOrganization) -> None:
    """Time has passed since the console last ran: renewals and further attempts to collect happen now."""
    customer = stage.customer_id(organization)
    clock = stage.staging.clock_of(customer) if customer else ""
    if clock:
        stage.staging.advance(clock, stage.now)
        stage.staging.let_run(clock)
        for each in stage.payments.subscriptions_of(customer):
            stage.mirror(each.id)
