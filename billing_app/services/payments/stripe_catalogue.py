"""What Stripe has to know of the catalogue: a product and a price for everything that can be bought.

A price at Stripe belongs to one version of a pack or plan and never changes. A changed one gets a new price, which
takes the lookup key over; what was sold at the old one stays sold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from billing_app.domain.catalogue import Catalog, Pack, Plan, product_of
from billing_app.domain.catalogue.quantities import format_pack
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.purchases.baskets import lookup_key, price_metadata
from billing_app.domain.purchases.subscriptions import BillingInterval
from billing_app.gateways.payments import Offer, Payments, Price, Product


class Deed(StrEnum):
    """What is to be done about an offer."""

    CREATE = "create"
    REPLACE = "replace"
    RENAME = "rename"
    """Its product's name changed, or somebody archived it."""
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Step:
    """One offer, and what becomes of it. `old` is the price that has its lookup key now."""

    deed: Deed
    offer: Offer
    old: Price | None


def offers(catalog: Catalog) -> list[Offer]:
    """Everything that is sold: packs on offer, and plans with a price. A plan that names its own Stripe id keeps it."""
    packs = [pack_offer(catalog, pack) for pack in catalog.packs if pack.offered]
    plans = [plan for plan in catalog.plans if not plan.retired and plan.stripe_plan_id is None]
    return [*packs, *(offer for plan in plans for offer in _plan_offers(catalog, plan))]


def pack_offer(catalog: Catalog, pack: Pack) -> Offer:
    """A pack as it is sold."""
    return Offer(
        lookup_key=lookup_key(pack),
        product=Product(f"pack_{pack.id}", format_pack(pack, catalog.metric(pack.metric))),
        price_cents=pack.price_cents,
        currency=catalog.currency,
        interval=pack.interval.value,
        metadata=price_metadata(pack),
    )


def plan_offer(catalog: Catalog, plan: Plan, interval: BillingInterval) -> Offer:
    """A plan as it is sold per interval. Raises InvalidError `plan_not_for_sale` for one that is not."""
    for offer in _plan_offers(catalog, plan):
        if offer.interval == interval:
            return offer
    raise InvalidError(f"{plan.name} cannot be bought per {interval.value}.", code="plan_not_for_sale")


def plan(payments: Payments, wanted: Iterable[Offer]) -> list[Step]:
    """What has to be done at Stripe so that it sells these offers. Changes nothing."""
    wanted = list(wanted)
    found = payments.prices(offer.lookup_key for offer in wanted)
    return [_step(offer, found.get(offer.lookup_key)) for offer in wanted]


def push(
    payments: Payments, steps: Iterable[Step], done: Callable[[Step], None] = lambda _step: None
) -> dict[str, Price]:
    """Does what `plan` said, and tells after each step; answers each offer's price by lookup key.

    May be stopped and run again at any point, also by two at once.
    """
    prices: dict[str, Price] = {}
    for step in steps:
        prices[step.offer.lookup_key] = _do(payments, step)
        done(step)
    return prices


def prices(payments: Payments, wanted: Iterable[Offer]) -> dict[str, Price]:
    """The price of each offer by lookup key; those that Stripe does not have yet, or has otherwise, are made first.

    So nobody pays another price than the page showed because a push was forgotten.
    """
    return push(payments, plan(payments, wanted))


def price_ids(payments: Payments, wanted: Iterable[Offer]) -> dict[str, str]:
    """The ids of `prices`."""
    return {key: price.id for key, price in prices(payments, wanted).items()}


def _plan_offers(catalog: Catalog, plan: Plan) -> list[Offer]:
    product = Product(product_of(plan.id), plan.name)
    prices = (("month", plan.prices.month_cents), ("year", plan.prices.year_cents))
    return [
        Offer(f"plan:{plan.id}:{interval}", product, cents, catalog.currency, interval, {"plan": plan.id})
        for interval, cents in prices
        if cents
    ]


def _step(offer: Offer, old: Price | None) -> Step:
    if old is None:
        return Step(Deed.CREATE, offer, None)
    if not old.says(offer):
        return Step(Deed.REPLACE, offer, old)
    return Step(Deed.KEEP if old.product == offer.product else Deed.RENAME, offer, old)


def _do(payments: Payments, step: Step) -> Price:
    if step.old is None or step.old.product != step.offer.product:  # also one that somebody archived, or another's
        payments.put_product(step.offer.product)
    if step.old is not None and step.deed is not Deed.REPLACE:
        return replace(step.old, product=step.offer.product)
    made = payments.create_price(step.offer, step.old.id if step.old else "")
    if step.old is not None and step.old.product_id == step.offer.product.id:
        # A price of another product was never ours: it loses our lookup key, and stays on sale for whoever made it.
        payments.retire_price(step.old.id)
    return made


def bring(payments: Payments, current: Catalog) -> list[Step]:
    """Makes at Stripe what the catalogue sells and answers what was done. Never inside a transaction."""
    steps = [step for step in plan(payments, offers(current)) if step.deed is not Deed.KEEP]
    push(payments, steps)
    return steps
