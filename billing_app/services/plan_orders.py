"""Subscribing to a plan: an order, Stripe's Checkout, and the subscription that came of it.

Only the first subscription begins here; a running one is changed in place (`plan_changes`). As with packs, what is to
be done is written down before Stripe is asked, and the order's id is the key there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

from sqlmodel import Session

from billing_app.domain import subscriptions as domain
from billing_app.domain.errors import ConflictError
from billing_app.domain.periods import period_containing
from billing_app.domain.purchases import OrderState
from billing_app.domain.subscriptions import BillingInterval
from billing_app.gateways.payments import Offer, OpenCheckout, Payments
from billing_app.gateways.prices import Price
from billing_app.gateways.subscriptions import NewSubscription
from billing_app.services import (
    accounts,
    catalog,
    customers,
    fulfilment,
    paying,
    payment_account,
    stripe_catalogue,
    stripe_names,
)
from billing_app.services import subscriptions as mirrored
from billing_app.services.customers import Wanted
from billing_app.services.purchases import (
    IDEMPOTENCY_SPACE,
    NEVER_BEGUN_AFTER,
    StartedCheckout,
    record_session,
    said_once,
)
from billing_app.services.visits import Enter
from billing_app.store import idempotency
from billing_app.store import purchases as order_store
from billing_app.store import subscriptions as store
from billing_app.store.tables.base import new_id
from billing_app.store.tables.orgs import Organization
from billing_app.store.tables.purchases import Order

SHORTEST = timedelta(hours=1)
"""A payment page is open for at least half an hour: nearer to its end than this, a period is not begun with a part."""

LONGEST = timedelta(hours=24)
"""How long Stripe keeps a payment page."""


@dataclass(frozen=True, slots=True)
class Sale:
    """What a plan is sold at: our own offer, or the id that the catalogue names."""

    sold: str
    interval: BillingInterval
    offer: Offer | None

    def price(self, payments: Payments) -> Price:
        """The price at Stripe. Raises NotFoundError `price_not_found`."""
        if self.offer is None:
            return payments.sold_price(self.sold, self.interval)
        stripe_catalogue.price_ids(payments, [self.offer])
        return payments.prices([self.offer.lookup_key])[self.offer.lookup_key]


@dataclass(frozen=True, slots=True)
class Opening:
    """An order that was written down, with everything that is needed to ask Stripe."""

    order_id: str
    address: str
    customer: Wanted
    plan: str
    sale: Sale
    trial_days: int
    anchor: datetime | None
    expires_at: datetime | None
    older_sessions: tuple[str, ...]
    started: StartedCheckout | None = None


def start(
    enter: Enter,
    payments: Payments,
    plan: str,
    interval: BillingInterval,
    public_url: str,
    *,
    key: str | None = None,
) -> StartedCheckout:
    """Begins a first subscription. Talks to Stripe; takes two transactions. A repeated `key` gives what it began.

    Raises NotFoundError `plan_not_found`, InvalidError `plan_not_for_sale` or `idempotency_mismatch`, ConflictError
    `already_subscribed` or `order_closed`, what `Payments` raises, and UnavailableError `wrong_stripe_account`.
    """
    with enter() as visit:
        opening = _open(visit.session, visit.organization, plan, interval, visit.now, visit.actor, key)
        known = payment_account.known(visit.session)
    if opening.started is not None:
        return opening.started
    account = payments.account()
    payment_account.compare(known, account)
    for session_id in opening.older_sessions:
        payments.expire_checkout(session_id)  # of two pages only one may be paid
    asking = partial(_ask, payments, opening, opening.sale.price(payments).id, public_url)
    opened = customers.using(enter, payments, opening.customer, asking)
    with enter() as visit:
        payment_account.confirm(visit.session, account, visit.now)
        stripe_names.keep(visit.session, [opening.sale.offer] if opening.sale.offer else [], visit.now)
        started = record_session(visit.session, visit.organization, opening.order_id, opened, visit.now)
    if started.session_id != opened.id:
        payments.expire_checkout(opened.id)
    return started


def sale_of(session: Session, plan: str, interval: BillingInterval, now: datetime) -> Sale:
    """How a plan is sold now. Raises NotFoundError `plan_not_found`, InvalidError `plan_not_for_sale`."""
    known = catalog.current(session, now)
    wanted = known.plan(plan)
    if wanted.stripe_plan_id is not None and wanted.offered:
        return Sale(wanted.stripe_plan_id, interval, None)
    domain.sellable(wanted, interval)
    return Sale("", interval, stripe_catalogue.plan_offer(known, wanted, interval))


def _open(
    session: Session,
    organization: Organization,
    plan: str,
    interval: BillingInterval,
    now: datetime,
    actor: str,
    key: str | None,
) -> Opening:
    owner = accounts.organization_id(organization)
    if key is not None:
        earlier = idempotency.take(session, owner, IDEMPOTENCY_SPACE, key, f"plan:{plan}:{interval}", now)
        if earlier is not None:
            return _opened_before(session, organization, earlier, now)
    paying.require_active(organization, organization)
    sale = sale_of(session, plan, interval, now)
    current = store.current(session, owner)
    if current is not None and current.status not in domain.ENDED:
        raise ConflictError(
            "There is a subscription already: change its plan instead of beginning another one.",
            code="already_subscribed",
        )
    known = catalog.current(session, now)
    order = Order(
        organization_id=owner, id=f"or_{new_id().hex}", kind=store.PLAN, items="[]", plan=plan, interval=interval.value,
        total_cents=domain.price_cents(known.plan(plan), interval) or 0, currency=known.currency, created_at=now,
        next_check_at=now + NEVER_BEGUN_AFTER, actor=actor,
    )  # fmt: skip
    order_store.add(session, order)
    if key is not None:
        idempotency.answer(session, owner, IDEMPOTENCY_SPACE, key, order.id)
    return _opening(session, organization, order, sale, now)


def _opened_before(session: Session, organization: Organization, order_id: str, now: datetime) -> Opening:
    """Goes on with the order of a repeated request."""
    order = order_store.order(session, accounts.organization_id(organization), order_id)
    if order is None or (order.state != OrderState.OPEN and order.url is None):
        raise ConflictError("This order was closed before it was begun. Order again.", code="order_closed")
    sale = sale_of(session, order.plan, BillingInterval(order.interval), now)
    return _opening(session, organization, order, sale, now)


def _opening(session: Session, organization: Organization, order: Order, sale: Sale, now: datetime) -> Opening:
    """A monthly subscription is billed when the organization's periods turn, so that renewal and reset are one instant.

    A trial ends when it ends, and a year is not made of parts of months: there the dates differ, and pages show both.
    """
    owner = order.organization_id
    started = None
    if order.session_id is not None and order.url is not None:
        started = StartedCheckout(order.id, order.session_id, order.url)
    # A trial is for those who have never subscribed.
    first = not store.of_organization(session, owner, store.PLAN)
    trial_days = catalog.current(session, now).plan(order.plan).trial_days if first else 0
    turns = period_containing(organization.anchor, order.created_at).end
    aligned = not trial_days and sale.interval is BillingInterval.MONTH and turns - order.created_at >= SHORTEST
    older = [each.session_id for each in store.open_orders(session, owner) if each.id != order.id and each.session_id]
    return Opening(
        order_id=order.id,
        address=organization.address,
        customer=customers.to_be(organization),
        plan=order.plan,
        sale=sale,
        trial_days=trial_days,
        anchor=turns if aligned else None,
        expires_at=turns if aligned and turns - order.created_at < LONGEST else None,
        older_sessions=tuple(older),
        started=started,
    )


def _ask(payments: Payments, opening: Opening, price_id: str, public_url: str, customer_id: str) -> OpenCheckout:
    """Asks Stripe for the page, under a key of its own, so that saying it twice does it once."""
    page = f"{public_url.rstrip('/')}/o/{quote(opening.address, safe='')}/plan"
    lines = ((price_id, 1),)
    return payments.create_subscription_checkout(
        NewSubscription(
            key=said_once(opening.order_id, customer_id, lines),
            customer_id=customer_id,
            lines=lines,
            success_url=f"{page}?session_id={{CHECKOUT_SESSION_ID}}",
            cancel_url=page,
            reference=opening.order_id,
            metadata={
                fulfilment.ORGANIZATION: opening.address,
                fulfilment.ORDER: opening.order_id,
                mirrored.KIND: mirrored.PLAN,
                "plan": opening.plan,
            },
            trial_days=opening.trial_days,
            anchor=opening.anchor,
            expires_at=opening.expires_at,
        )
    )
