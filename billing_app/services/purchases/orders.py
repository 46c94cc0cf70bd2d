"""Buying packs: an order, its payment page, and what became of it.

Stripe is asked between two transactions, never inside one: what is to be done is written down first, and the order's id
is the idempotency key there. A crash at any point leaves an order that can be continued, or that the sweep closes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from functools import partial
from urllib.parse import quote

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog
from billing_app.domain.common.errors import ConflictError, FactRefusedError, NotFoundError
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.domain.purchases import baskets as domain
from billing_app.domain.purchases.baskets import Item, OrderState
from billing_app.gateways.payments import NewCheckout, Offer, OpenCheckout, Payments
from billing_app.gateways.subscriptions import NewSubscription
from billing_app.services.catalogue import versions
from billing_app.services.common import payers
from billing_app.services.common.answers import Internal
from billing_app.services.common.context import Context, Enter
from billing_app.services.payments import payment_account, stripe_catalogue
from billing_app.services.purchases import customers, endings, fulfilment
from billing_app.services.purchases.customers import Wanted
from billing_app.services.subscriptions import recurring_packs
from billing_app.store.common import idempotency, locks
from billing_app.store.credits import grants as credit_store
from billing_app.store.purchases import orders as store
from billing_app.store.tables.base import new_id
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.purchases import Order

IDEMPOTENCY_SPACE = "checkout"

NEVER_BEGUN_AFTER = timedelta(hours=1)
"""An order that has no payment page by then never will: whoever asked for it has long been told that it failed."""

MAX_OPEN_ORDERS = 50
"""Payment pages of one organization that can still be paid: each is asked after until it ends, within a day."""


@dataclass(frozen=True, slots=True)
class CheckoutAnswer:
    """A payment that was begun. Send the payer's browser to `url`."""

    order_id: Internal[str]
    url: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Opening:
    """An order that was written down, with everything that is needed to ask Stripe for its payment page."""

    order_id: str
    address: str
    customer: Wanted
    items: tuple[Item, ...]
    offers: tuple[Offer, ...]
    started: CheckoutAnswer | None = None
    """Set when it was begun before, by a request that is now repeated."""


def start_checkout(
    enter: Enter, payments: Payments, wanted: Iterable[tuple[str, int]], public_url: str, *, key: str | None = None
) -> CheckoutAnswer:
    """Begins the payment of so many packs each (pack id, count). Talks to Stripe; takes two transactions.

    A repeated `key` gives the payment that it began. `public_url` is where our own pages are.
    Raises what `open_order` and `Payments` raise, and UnavailableError `wrong_stripe_account`.
    """
    with enter() as context:
        opening = open_order(context, list(wanted), key=key)
        known = payment_account.known(context.session)
    if opening.started is not None:
        return opening.started
    account = payments.account()
    payment_account.compare(known, account)
    prices = stripe_catalogue.price_ids(payments, opening.offers)
    asking = partial(_ask, payments, opening, prices, public_url)
    opened = customers.using(enter, payments, opening.customer, asking)
    with enter() as context:
        payment_account.confirm(context.session, account, context.now)
        started = record_session(context, opening.order_id, opened)
        order = store.order(context.session, context.organization.pk, opening.order_id)
        given_up = order is None or order.state not in (OrderState.OPEN, OrderState.PAID)
    if given_up or started.session_id != opened.id:
        payments.expire_checkout(opened.id)  # nobody was given its address: one page can be paid, or none
    if given_up:
        raise ConflictError("This order was closed before it was started. Order again.", code="order_closed")
    return started


def open_order(context: Context, wanted: list[tuple[str, int]], *, key: str | None = None) -> Opening:
    """Writes down what is to be bought.

    Raises what `domain.purchases.baskets.basket` raises; FactRefusedError `quantity_too_large` if the grants would not
    fit;
    ConflictError `too_many_orders` while as many as MAX_OPEN_ORDERS are open;
    with a `key` InvalidError `idempotency_mismatch`, ConflictError `order_closed` or `prices_changed` for an order that
    cannot be continued.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    organization, now = locks.hold_row(session, owner, now)
    current = versions.current(session, now)
    if key is not None:
        digest = hashlib.sha256(repr(sorted(wanted)).encode()).hexdigest()
        earlier = idempotency.take(session, owner, IDEMPOTENCY_SPACE, key, digest, now)
        if earlier is not None:
            return _opened_before(session, organization, current, earlier)
    payers.require_own_plan(replace(context, organization=organization, now=now))
    endings.require_going_on(session, organization)
    items = domain.basket(current, wanted)
    if store.count_open(session, owner) >= MAX_OPEN_ORDERS:
        raise ConflictError(
            f"{MAX_OPEN_ORDERS} payments were started here and not finished. Complete one of them, or wait: each "
            "expires within a day.",
            code="too_many_orders",
        )
    for metric, quantity in domain.quantities(items).items():
        if credit_store.granted_total(session, owner, metric) + quantity > MAX_QUANTITY:
            raise FactRefusedError(
                f"All grants of {metric} together would exceed {MAX_QUANTITY}.", code="quantity_too_large"
            )
    order = Order(
        organization_id=owner, id=f"or_{new_id().hex}", items=domain.encode(items),
        total_cents=sum(item.total_cents for item in items), currency=current.currency, created_at=now,
        next_check_at=now + NEVER_BEGUN_AFTER, actor=actor,
    )  # fmt: skip
    store.add(session, order)
    if key is not None:
        idempotency.answer(session, owner, IDEMPOTENCY_SPACE, key, order.id)
    return _opening(organization, current, order, items)


def record_session(context: Context, order_id: str, opened: OpenCheckout) -> CheckoutAnswer:
    """Writes down what Stripe answered; the page that counts, if another came first.

    Raises NotFoundError `order_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    now = locks.hold(session, owner, now)
    order = store.order(session, owner, order_id)
    if order is None:
        raise NotFoundError(f"There is no order {order_id!r}.", code="order_not_found")
    if order.session_id is None or order.url is None:
        order.session_id, order.url = opened.id, opened.url
        if order.state == OrderState.OPEN:
            order.next_check_at = now + fulfilment.FIRST_CHECK
        session.add(order)
        session.flush()
    return CheckoutAnswer(order.id, order.url or opened.url, order.session_id or opened.id)


def _opened_before(session: Session, organization: Organization, current: Catalog, order_id: str) -> Opening:
    """Continues the order of a repeated request."""
    order = store.order(session, organization.pk, order_id)
    if order is None:
        raise ConflictError("This request is being processed. Try again in a moment.", code="order_closed")
    items = domain.decode(order.items)
    if order.session_id is not None and order.url is not None:
        started = CheckoutAnswer(order.id, order.url, order.session_id)
        return Opening(order.id, organization.address, customers.to_be(organization), items, (), started)
    if order.state != OrderState.OPEN:
        raise ConflictError("This order was closed before it was started. Order again.", code="order_closed")
    if not domain.unchanged(current, items):
        raise ConflictError("Prices have changed since this was ordered. Order again.", code="prices_changed")
    return _opening(organization, current, order, items)


def _opening(organization: Organization, current: Catalog, order: Order, items: tuple[Item, ...]) -> Opening:
    return Opening(
        order_id=order.id,
        address=organization.address,
        customer=customers.to_be(organization),
        items=items,
        offers=tuple(stripe_catalogue.pack_offer(current, current.pack(item.pack)) for item in items),
    )


def _ask(
    payments: Payments, opening: Opening, prices: dict[str, str], public_url: str, customer_id: str
) -> OpenCheckout:
    """Asks Stripe for the page, under a key of its own, so that saying it twice does it once."""
    sold = zip(opening.offers, opening.items, strict=True)
    lines = tuple((prices[offer.lookup_key], item.count) for offer, item in sold)
    page = f"{public_url.rstrip('/')}/o/{quote(opening.address, safe='')}/credits"
    checkout = NewCheckout(
        key=said_once(opening.order_id, customer_id, lines),
        customer_id=customer_id,
        lines=lines,
        success_url=f"{page}/bought?session_id={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{page}/buy?cancelled=1",
        reference=opening.order_id,
        metadata={
            fulfilment.ORGANIZATION: opening.address,
            fulfilment.ORDER: opening.order_id,
            recurring_packs.KIND: recurring_packs.PACKS,
            "items": domain.summary(opening.items),
        },
    )
    if not domain.renews(opening.items):
        return payments.create_checkout(checkout)
    # What renews has to be a subscription; its first invoice takes what is bought once along (decision 7).
    return payments.create_subscription_checkout(
        NewSubscription(**{f.name: getattr(checkout, f.name) for f in fields(checkout)})
    )


def said_once(order_id: str, customer_id: str, lines: tuple[tuple[str, int], ...]) -> str:
    """The key of asking for an order's page: the order, and the ids at Stripe that may have to be replaced there."""
    return f"{order_id}:{hashlib.sha256(repr((customer_id, lines)).encode()).hexdigest()[:16]}"
