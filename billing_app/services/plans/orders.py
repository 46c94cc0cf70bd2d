"""Subscribing to a plan: an order, Stripe's Checkout, and the subscription that came of it.

Only the first subscription begins here; a running one is changed in place (`plan_changes`). As with packs, what is to
be done is written down before Stripe is asked, and the order's id is the key there.

An organization has one open order of a plan at most, which the database holds. Whoever begins another one first closes
the page of the one before at Stripe; was that paid meanwhile, it decides. One whose page nobody was given yet is closed
here, and whoever is asking for that page gives it up when it comes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

from sqlmodel import Session

from billing_app.domain.common.errors import ConflictError, NotFoundError
from billing_app.domain.common.periods import period_containing
from billing_app.domain.purchases import subscriptions as domain
from billing_app.domain.purchases.baskets import OrderState
from billing_app.domain.purchases.subscriptions import BillingInterval
from billing_app.gateways.payments import Account, CheckoutState, Offer, OpenCheckout, Payments
from billing_app.gateways.prices import Price
from billing_app.gateways.subscriptions import NewSubscription
from billing_app.services.catalogue import versions
from billing_app.services.common import payers
from billing_app.services.common.context import Context, Enter
from billing_app.services.payments import payment_account, stripe_catalogue, stripe_names
from billing_app.services.purchases import customers, endings, fulfilment
from billing_app.services.purchases.customers import Wanted
from billing_app.services.purchases.orders import (
    IDEMPOTENCY_SPACE,
    NEVER_BEGUN_AFTER,
    CheckoutAnswer,
    record_session,
    said_once,
)
from billing_app.services.subscriptions import subscriptions as mirrored
from billing_app.store.common import idempotency, locks
from billing_app.store.purchases import orders as order_store
from billing_app.store.purchases import subscriptions as store
from billing_app.store.tables.base import new_id
from billing_app.store.tables.purchases import Order

SHORTEST = timedelta(hours=1)
"""A payment page is open for at least half an hour: nearer to its end than this, a period is not begun with a part."""

LONGEST = timedelta(hours=24)
"""How long Stripe keeps a payment page."""

MAX_OLDER = 5
"""Pages of earlier orders that are closed before another is begun: there is one, and somebody may be as quick."""


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
        return stripe_catalogue.prices(payments, [self.offer])[self.offer.lookup_key]


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
    started: CheckoutAnswer | None = None


class _PageOpenError(Exception):
    """The page of an earlier order may still be paid on: Stripe closes it first, outside of any transaction."""

    def __init__(self, order_id: str, session_id: str) -> None:
        super().__init__(session_id)
        self.order_id, self.session_id = order_id, session_id


def start(
    enter: Enter,
    payments: Payments,
    plan: str,
    interval: BillingInterval,
    public_url: str,
    *,
    key: str | None = None,
) -> CheckoutAnswer:
    """Begins a first subscription. Talks to Stripe; takes two transactions. A repeated `key` gives what it began.

    Raises NotFoundError `plan_not_found`, InvalidError `plan_not_for_sale` or `idempotency_mismatch`, ConflictError
    `already_subscribed`, `payment_on_its_way` or `order_closed`, what `Payments` raises, and UnavailableError
    `wrong_stripe_account`.
    """
    account = payments.account()
    opening = _opened(enter, payments, account, plan, interval, key)
    if opening.started is not None:
        return opening.started
    asking = partial(_ask, payments, opening, opening.sale.price(payments).id, public_url)
    opened = customers.using(enter, payments, opening.customer, asking)
    with enter() as context:
        payment_account.confirm(context.session, account, context.now)
        stripe_names.keep(context.session, [opening.sale.offer] if opening.sale.offer else [], context.now)
        started = record_session(context, opening.order_id, opened)
        order = order_store.order(context.session, context.organization.pk, opening.order_id)
        given_up = order is None or order.state not in (OrderState.OPEN, OrderState.PAID)
    if given_up or started.session_id != opened.id:
        payments.expire_checkout(opened.id)  # nobody was given its address
    if given_up:
        raise ConflictError("Another plan was chosen meanwhile: pay on that page, or begin again.", code="order_closed")
    return started


def _opened(
    enter: Enter, payments: Payments, account: Account, plan: str, interval: BillingInterval, key: str | None
) -> Opening:
    """The order, written down once no other can be paid any more."""
    for _ in range(MAX_OLDER):
        try:
            with enter() as context:
                payment_account.compare(payment_account.known(context.session), account)
                return _open(context, plan, interval, key)
        except _PageOpenError as older:
            close_page(enter, payments, older.order_id, older.session_id)
    raise ConflictError("Another choice of a plan is being processed. Try again in a moment.", code="order_closed")


def close_page(enter: Enter, payments: Payments, order_id: str, session_id: str) -> None:
    """Nobody can pay on this page any more, and its order is as the page ended. Talks to Stripe.

    Raises ConflictError `payment_on_its_way` if the payer is done and the bank is not.
    """
    try:
        payments.expire_checkout(session_id)
        found = payments.checkout(session_id)
    except NotFoundError:
        found = None
    with enter() as context:
        if found is not None:
            fulfilment.settle(context.session, found, context.now)
        order = fulfilment.locked_order(context, order_id)
        if order is None or order.state != OrderState.OPEN:
            return
        if found is None or found.state is not CheckoutState.PROCESSING:
            fulfilment.give_up(context, order)
            return
    raise ConflictError(
        "A payment for a plan is on its way. Wait until it has arrived: the plan then changes by itself.",
        code="payment_on_its_way",
    )


def sale_of(session: Session, plan: str, interval: BillingInterval, now: datetime) -> Sale:
    """How a plan is sold now. Raises NotFoundError `plan_not_found`, InvalidError `plan_not_for_sale`."""
    known = versions.current(session, now)
    wanted = known.plan(plan)
    if wanted.stripe_plan_id is not None and wanted.offered:
        return Sale(wanted.stripe_plan_id, interval, None)
    domain.sellable(wanted, interval)
    return Sale("", interval, stripe_catalogue.plan_offer(known, wanted, interval))


def _open(context: Context, plan: str, interval: BillingInterval, key: str | None) -> Opening:
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    organization, now = locks.hold_row(session, owner, now)
    if key is not None:
        earlier = idempotency.take(session, owner, IDEMPOTENCY_SPACE, key, f"plan:{plan}:{interval}", now)
        if earlier is not None:
            return _opened_before(replace(context, organization=organization, now=now), earlier)
    payers.require_active(organization, organization)
    endings.require_going_on(session, organization)
    sale = sale_of(session, plan, interval, now)
    current = store.current(session, owner)
    if current is not None and current.status not in domain.ENDED:
        raise ConflictError(
            "There is a subscription already: change its plan instead of starting another one.",
            code="already_subscribed",
        )
    for each in store.open_orders(session, owner):
        if each.session_id is not None:
            raise _PageOpenError(each.id, each.session_id)
        fulfilment.give_up(replace(context, organization=organization, now=now), each)
    known = versions.current(session, now)
    order = Order(
        organization_id=owner, id=f"or_{new_id().hex}", kind=store.PLAN, items="[]", plan=plan, interval=interval.value,
        total_cents=domain.price_cents(known.plan(plan), interval) or 0, currency=known.currency, created_at=now,
        next_check_at=now + NEVER_BEGUN_AFTER, actor=actor,
    )  # fmt: skip
    order_store.add(session, order)
    if key is not None:
        idempotency.answer(session, owner, IDEMPOTENCY_SPACE, key, order.id)
    return _opening(replace(context, organization=organization, now=now), order, sale)


def _opened_before(context: Context, order_id: str) -> Opening:
    """Continues the order of a repeated request."""
    session, organization, now = context.session, context.organization, context.now
    order = order_store.order(session, organization.pk, order_id)
    if order is None or (order.state != OrderState.OPEN and order.url is None):
        raise ConflictError("This order was closed before it was started. Order again.", code="order_closed")
    sale = sale_of(session, order.plan, BillingInterval(order.interval), now)
    return _opening(context, order, sale)


def _opening(context: Context, order: Order, sale: Sale) -> Opening:
    """A monthly subscription is billed when the organization's periods turn, so that renewal and reset are one instant.

    A trial ends when it ends, and a year is not made of parts of months: there the dates differ, and pages show both.
    """
    session, organization, now = context.session, context.organization, context.now
    owner = order.organization_id
    started = None
    if order.session_id is not None and order.url is not None:
        started = CheckoutAnswer(order.id, order.url, order.session_id)
    # A trial is for those who have never subscribed.
    first = not store.of_organization(session, owner, store.PLAN)
    trial_days = versions.current(session, now).plan(order.plan).trial_days if first else 0
    turns = period_containing(organization.anchor, order.created_at).end
    aligned = not trial_days and sale.interval is BillingInterval.MONTH and turns - order.created_at >= SHORTEST
    return Opening(
        order_id=order.id,
        address=organization.address,
        customer=customers.to_be(organization),
        plan=order.plan,
        sale=sale,
        trial_days=trial_days,
        anchor=turns if aligned else None,
        expires_at=turns if aligned and turns - order.created_at < LONGEST else None,
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
