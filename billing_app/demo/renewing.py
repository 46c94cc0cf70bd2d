"""What Larkfield Maps has bought again by itself: a monthly pack of emails, and an auto top-up for MAU."""

from __future__ import annotations

from datetime import datetime

from billing_app.db import Database
from billing_app.demo.people import LARKFIELD
from billing_app.gateways.payments import SavedCard
from billing_app.gateways.stripe.payments import StripePayments
from billing_app.gateways.stripe.test_clocks import StripeStaging
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.payments import stripe_catalogue
from billing_app.services.purchases import saved_cards, subscription_events, top_ups
from billing_app.services.purchases.fulfilment import ORGANIZATION
from billing_app.services.purchases.top_ups import Wanted
from billing_app.services.subscriptions import recurring_packs

PACK = "emails-10k-monthly"
CARD = "pm_card_visa"

METRIC = "mau"
TOP_UP = Wanted(enabled=True, threshold=1_000, pack="mau-10k", count=1, cap_cents=5_000, consent=True)
"""10,000 MAU for $14.00 when 1,000 are left, at most $50.00 a month."""


def stage(database: Database, payments: StripePayments, staging: StripeStaging, now: datetime) -> None:
    """Makes what is missing; nothing on a later start."""
    with database.reading() as session:
        organization = organizations.by_address(session, LARKFIELD.address)
        customer = organization.stripe_customer_id or ""
        renews = bool(recurring_packs.listed(session, organization))
        tops_up = top_ups.top_up(Context(session, organization, now), METRIC).row is not None
        current = versions.current(session, now)
    key = f"demo:{LARKFIELD.address}:{customer}"
    if customer and not renews:
        offer = stripe_catalogue.pack_offer(current, current.pack(PACK))
        price = stripe_catalogue.price_ids(payments, [offer])[offer.lookup_key]
        metadata = {ORGANIZATION: LARKFIELD.address, recurring_packs.KIND: recurring_packs.PACKS}
        subscription = payments.subscription(staging.subscribe(f"{key}:emails", customer, price, metadata))
        (first,) = payments.invoices_of(customer, 1, subscription.id)
        invoice = payments.invoice(first.id)
        with database.writing() as session:
            subscription_events.settle_invoice(session, invoice, now)
            subscription_events.settle(session, subscription, now)
    if customer and not tops_up:
        card = staging.use_card(f"{key}:top-up-card", customer, CARD)
        person, _role = LARKFIELD.members[0]
        saved = SavedCard(card, customer, "visa", "4242", 12, 2034, "demo", now, {saved_cards.ACTOR: person.email})
        with database.writing() as session:
            organization = organizations.by_address(session, LARKFIELD.address)
            saved_cards.keep(Context(session, organization, now), saved)
            top_ups.put(Context(session, organization, now, person.email), METRIC, TOP_UP)
