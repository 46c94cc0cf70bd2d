"""What plans are called at Stripe: `stripePlanId` of plans that did not bring one, as soon as they are there.

It is not part of the catalogue's versions: bringing a catalogue to Stripe is no edit of it. A file that says our own
name for a plan says nothing new, so an export can be loaded again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog, Plan
from billing_app.gateways.payments import Payments
from billing_app.gateways.prices import Offer
from billing_app.services.catalogue import versions
from billing_app.services.common.context import EnterAsOperator
from billing_app.services.payments import stripe_catalogue
from billing_app.services.payments.stripe_catalogue import Step
from billing_app.store.purchases import subscriptions as store

PLAN = "plan"
"""The name in a price's metadata that says which plan it sells."""


def named(session: Session, catalog: Catalog) -> Catalog:
    """The catalogue with what its plans are called at Stripe; a plan that was given a name keeps it."""
    products = store.products(session)
    return replace(catalog, plans=tuple(_named(plan, products) for plan in catalog.plans))


def named_plan(session: Session, plan: Plan) -> Plan:
    """One plan with what it is called at Stripe."""
    return _named(plan, store.products(session))


def keep(session: Session, offers: Iterable[Offer], now: datetime) -> None:
    """Writes down that these offers are at Stripe."""
    for plan, product in {offer.metadata[PLAN]: offer.product.id for offer in offers if PLAN in offer.metadata}.items():
        store.keep_product(session, plan, product, now)


def push(look: EnterAsOperator, enter: EnterAsOperator, payments: Callable[[], Payments]) -> list[Step]:
    """Makes at Stripe what the catalogue sells, with no transaction open meanwhile; answers what was done.

    `look` and `enter` let in whoever may do so, before anybody talks to Stripe and again after it.
    """
    with look() as at:
        current = versions.current(at.session, at.now)
    done = stripe_catalogue.bring(payments(), current)
    with enter() as at:
        keep(at.session, stripe_catalogue.offers(current), at.now)
    return done


def _named(plan: Plan, products: dict[str, str]) -> Plan:
    if plan.stripe_plan_id is not None or plan.id not in products:
        return plan
    return replace(plan, stripe_plan_id=products[plan.id])
