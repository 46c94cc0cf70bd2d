"""What a payment brings: one grant per paid line, once, whoever comes first with the news.

The return page, webhooks and the sweep all read the payment from Stripe again and call `settle` with it. The
organization's row is locked before the order is looked at, so the second one finds it done; unique keys on the grants
stand behind that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.common.errors import BillingError, InvalidError, UnavailableError
from billing_app.domain.purchases.baskets import OrderState, Sold, decode, sold_at
from billing_app.domain.purchases.subscriptions import ENDED, HOLDING
from billing_app.gateways.invoices import Invoice
from billing_app.gateways.payments import Checkout, CheckoutState, PaidLine, Payments
from billing_app.gateways.subscriptions import Subscription
from billing_app.log import get_logger
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context, Transaction
from billing_app.services.credits import grants as credits
from billing_app.services.credits import invoice_grants
from billing_app.services.payments import payment_account
from billing_app.services.subscriptions import recurring_packs, subscriptions
from billing_app.services.usage import meters
from billing_app.store.common import locks
from billing_app.store.notifications import outbox
from billing_app.store.purchases import orders as store
from billing_app.store.stripe import ownership
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.purchases import Order

log = get_logger()

PACKS = "packs"
"""The kind of orders that bring credits."""

ORGANIZATION, ORDER = "organization", "order"
"""Names in the metadata of what we make at Stripe."""

FIRST_CHECK = timedelta(minutes=5)
"""When the sweep first asks after a payment of which nothing was heard; then after twice as long each time."""

MAX_CHECK = timedelta(hours=6)
"""Between two questions about a bank debit that takes days."""

SWEEP = 50
"""Orders that one sweep asks Stripe about: at two calls each it stays below what test mode allows per second."""

CLOSED = {CheckoutState.EXPIRED: OrderState.EXPIRED, CheckoutState.FAILED: OrderState.FAILED}


def settle(session: Session, checkout: Checkout, now: datetime) -> Order | None:
    """Brings the order of a payment to where the payment is, once; None for a payment that is not an order of ours.

    Paid is for ever: an older reading never takes it back, and a closed order whose money came after all is paid.
    Raises InvalidError `unknown_price`; what `credits.grant` raises.
    """
    found = _order_of(session, checkout, now)
    if found is None:
        return None
    organization, order, now = found
    if order.state == OrderState.PAID:
        return order
    if order.kind == subscriptions.PLAN and checkout.subscription is not None:
        _begin(Context(session, organization, now), order, checkout, checkout.subscription)
    elif checkout.state is CheckoutState.PAID and (checkout.mode == "payment" or checkout.invoice is not None):
        _fulfil(Context(session, organization, now), order, checkout)
    elif order.state == OrderState.OPEN and checkout.state in CLOSED:
        _close(Context(session, organization, now), order, CLOSED[checkout.state], checkout.failure)
    elif order.failure != checkout.failure and order.state == OrderState.OPEN:
        order.failure = checkout.failure
        session.add(order)
    session.flush()
    return order


def fulfil(transaction: Transaction, payments: Payments, session_id: str, now: Callable[[], datetime]) -> Order | None:
    """Reads a payment from Stripe and settles it; None if it is not ours. Never call it inside a transaction.

    Raises what `settle` and `Payments` raise, and UnavailableError `wrong_stripe_account`.
    """
    account, found = payments.account(), payments.checkout(session_id)
    with transaction() as session:
        moment = now()
        payment_account.confirm(session, account, moment)
        return settle(session, found, moment)


def sweep(transaction: Transaction, payments: Payments, now: Callable[[], datetime]) -> int:
    """Asks Stripe after orders of which nothing was heard for a while; answers how many were looked at.

    Raises UnavailableError when Stripe does not answer: the rest can wait until it does.
    """
    with transaction() as session:
        waiting = [
            (order.organization_id, order.id, order.session_id) for order in store.unchecked(session, now(), SWEEP)
        ]
    for owner, order_id, session_id in waiting:
        if session_id is not None:
            _ask_after(transaction, payments, session_id, now)
        with transaction() as session:
            _plan_next(session, owner, order_id, now())
    return len(waiting)


def locked_order(context: Context, order_id: str) -> Order | None:
    """An order as it is now, its organization's row locked."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    locks.hold(session, owner, now)
    return store.order(session, owner, order_id)


def give_up(context: Context, order: Order) -> None:
    """An open order that nobody can pay, or shall pay, any more; the organization must be locked. Nobody is told."""
    _close(context, order, OrderState.EXPIRED, "", notify=False)


def _ask_after(transaction: Transaction, payments: Payments, session_id: str, now: Callable[[], datetime]) -> None:
    try:
        fulfil(transaction, payments, session_id, now)
    except UnavailableError:
        raise
    except BillingError as error:
        # One order that cannot be settled must not keep the others waiting; it is asked about again, ever later.
        log.warning("payment_not_settled", checkout=session_id, code=error.code, detail=error.detail)


def _plan_next(session: Session, owner: int, order_id: str, now: datetime) -> None:
    """After a look at an order that is still open: when to look again. One that never got a page is closed."""
    organization, now = locks.hold_row(session, owner, now)
    order = store.order(session, owner, order_id)
    if order is None or order.state != OrderState.OPEN or order.next_check_at is None or order.next_check_at > now:
        return
    if order.session_id is None:
        _close(
            Context(session, organization, now),
            order,
            OrderState.EXPIRED,
            "The payment was never started.",
            notify=False,
        )
        return
    order.next_check_at = now + min(FIRST_CHECK * 2 ** min(order.checks + 1, 20), MAX_CHECK)
    order.checks += 1
    session.add(order)


def _order_of(session: Session, checkout: Checkout, now: datetime) -> tuple[Organization, Order, datetime] | None:
    """The order that a payment was begun for, or else names, with its organization's row locked, and the moment."""
    order_id = checkout.metadata.get(ORDER, "")
    kept = store.of_any_session(session, checkout.id)
    owner = kept.organization_id if kept is not None else ownership.of_order(session, order_id)
    if owner is None:
        return None
    organization, now = locks.hold_row(session, owner, now)
    order_id = kept.id if kept is not None else order_id
    order = store.order(session, owner, order_id)
    if order is None or order.session_id not in (None, checkout.id) or order.kind not in (PACKS, subscriptions.PLAN):
        return None
    if checkout.mode not in ("payment", "subscription"):
        return None
    if order.session_id is None:
        order.session_id = checkout.id  # the answer to our question got lost, the payer did not
    return organization, order, now


def first_invoice(context: Context, order_id: str, invoice: Invoice) -> list[GrantRow]:
    """The first invoice of a pack subscription was paid, which is what its order was about; its grants, once."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    organization, now = locks.hold_row(session, owner, now)
    order = store.order(session, owner, order_id)
    grants = recurring_packs.paid(
        replace(context, organization=organization, now=now, actor=order.actor if order else ""), invoice
    )
    if order is None or order.state == OrderState.PAID:
        return grants
    order.subscription_id, order.invoice_id = invoice.subscription_id, invoice.id
    order.total_cents, order.currency = invoice.total_cents, invoice.currency
    _paid(session, order, invoice.payment_id or None, invoice_grants.paid_at(invoice, now), grants, now)
    return grants


def _begin(context: Context, order: Order, checkout: Checkout, subscription: Subscription) -> None:
    """The subscription that the payer's page began is mirrored; the order is done once that gives the plan."""
    session, now = context.session, context.now
    row = subscriptions.mirror(context, subscription)
    order.subscription_id, order.invoice_id = row.id, row.latest_invoice_id or None
    order.failure = checkout.failure
    session.add(order)
    if row.status in HOLDING:
        order.total_cents, order.currency = checkout.total_cents, checkout.currency
        paid_at = min(checkout.paid_at or now, now)
        _paid(session, order, checkout.payment_id, paid_at, [], now)
    elif row.status in ENDED:
        _close(context, order, OrderState.FAILED, checkout.failure)


def _fulfil(context: Context, order: Order, checkout: Checkout) -> None:
    """Makes the grants. The prices that were paid say what they sell, whatever the catalogue says by now."""
    session, now = context.session, context.now
    if checkout.invoice is not None:
        first_invoice(context, order.id, checkout.invoice)
        return
    # A clock of ours that is behind Stripe's must not leave paid credits waiting for it.
    paid_at = min(checkout.paid_at or now, now)
    sold = [(line, _sold(order, line)) for line in checkout.lines]
    now = meters.prepare_all(context, {each.metric for _, each in sold})
    grants = [_grant(context.at(now), order, checkout, line, each, paid_at) for line, each in sold]
    order.total_cents, order.currency = checkout.total_cents, checkout.currency
    _paid(session, order, checkout.payment_id, paid_at, grants, now)


def _sold(order: Order, line: PaidLine) -> Sold:
    """What a paid line grants, as its price says; should that say nothing any more, as it was ordered."""
    try:
        return sold_at(line.price.metadata)
    except InvalidError:
        of_line = [each for each in decode(order.items) if each.price_cents == line.price.price_cents]
        if len(of_line) != 1:
            raise
        return Sold(of_line[0].pack, of_line[0].metric, of_line[0].quantity)


def _paid(
    session: Session, order: Order, payment_id: str | None, paid_at: datetime, grants: list[GrantRow], now: datetime
) -> None:
    order.state, order.failure, order.payment_id = OrderState.PAID.value, "", payment_id
    order.paid_at, order.closed_at, order.next_check_at = paid_at, now, None
    session.add(order)
    payload = [invoice_grants.payload(grant) for grant in grants]
    _notify(session, order, OrderState.PAID, paid_at, now, grants=payload)


def _grant(
    context: Context, order: Order, checkout: Checkout, line: PaidLine, sold: Sold, paid_at: datetime
) -> GrantRow:
    session, now = context.session, context.now
    metric = versions.current(session, now).metric(sold.metric)
    return credits.grant(
        replace(context, actor=order.actor),
        credits.NewGrant(
            sold.metric,
            sold.quantity * line.count,
            source="purchase",
            source_key=store.source_key(checkout.id, line.id),
            reason=sold.described(metric, line.count),
            effective_at=paid_at,
            paid_cents=line.amount_cents,
            currency=line.currency,
            payment_id=checkout.payment_id or "",
            pack=sold.pack,
            backdated=True,
        ),
    )


def _close(context: Context, order: Order, state: OrderState, failure: str, *, notify: bool = True) -> None:
    session, organization, now = context.session, context.organization, context.now
    order.state, order.failure, order.closed_at, order.next_check_at = state.value, failure, now, None
    session.add(order)
    if notify:
        _notify(session, order, state, now, now, failure=failure)
    organizations.raise_revision(session, organization.pk)


def _notify(session: Session, order: Order, state: OrderState, at: datetime, now: datetime, **more: object) -> None:
    payload = {
        "order": order.id,
        "checkout": order.session_id,
        "total_cents": order.total_cents,
        "currency": order.currency,
        **more,
    }
    outbox.add(session, order.organization_id, f"purchase.{state}", f"order:{order.id}:{state}", payload, at, now)
