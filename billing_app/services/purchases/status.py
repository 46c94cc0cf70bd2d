"""Where a purchase stands, for whoever comes back from its payment page."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from billing_app.domain.common.errors import ConflictError, NotFoundError
from billing_app.domain.purchases.baskets import OrderState
from billing_app.gateways.payments import Account, Checkout, CheckoutState, Payments
from billing_app.services.common.context import Context, Enter
from billing_app.services.payments import customer_leases, payment_account
from billing_app.services.payments.customer_leases import Renew
from billing_app.services.purchases import fulfilment
from billing_app.store.purchases import orders as store
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.purchases import Order


@dataclass(frozen=True, slots=True)
class PurchaseStatus:
    """Where a purchase stands. `grants` once it is paid; `failure` is a sentence for the payer."""

    order_id: str
    state: OrderState
    total_cents: int
    currency: str
    grants: tuple[GrantRow, ...]
    failure: str
    processing: bool = False
    """Still open, but the payer is done: the money is on its way, which takes days with a bank debit."""


def status(enter: Enter, payments: Payments, session_id: str) -> PurchaseStatus:
    """Where a purchase of this organization stands; fulfils it if it is paid. Talks to Stripe unless that is known.

    What begins a subscription is read in the customer's turn: no older reading of it goes over what an event has just
    brought. While an event is worked on for longer than anybody would wait, the purchase is said to be under way.
    Raises NotFoundError `checkout_not_found`, also for another organization's; what `Payments` raises.
    """
    with enter() as context:
        order = _of_session(context, session_id)
        if order.state != OrderState.OPEN:
            return _status(context.session, order)
    account, found = payments.account(), payments.checkout(session_id)
    if found.mode != "subscription":
        return _settled(enter, account, found, order)
    try:
        with customer_leases.held(enter) as renew:
            return _settled(enter, account, payments.checkout(session_id), order, renew)
    except ConflictError as error:
        if error.code != "lease_taken":
            raise
    with enter() as context:
        return _status(context.session, _of_session(context, session_id), processing=True)


def _settled(
    enter: Enter, account: Account, found: Checkout, order: Order, renew: Renew = lambda _context: None
) -> PurchaseStatus:
    with enter() as context:
        renew(context)
        payment_account.confirm(context.session, account, context.now)
        fulfilment.settle(context.session, found, context.now)
        return _status(
            context.session,
            _of_session(context, order.session_id or ""),
            processing=found.state is CheckoutState.PROCESSING,
        )


def _of_session(context: Context, session_id: str) -> Order:
    order = store.by_session(context.session, context.organization.pk, session_id)
    if order is None:
        raise NotFoundError("There is no such payment here.", code="checkout_not_found")
    return order


def _status(session: Session, order: Order, *, processing: bool = False) -> PurchaseStatus:
    paid = order.state == OrderState.PAID
    grants = store.grants_of(session, order) if paid else []
    return PurchaseStatus(
        order.id, OrderState(order.state), order.total_cents, order.currency, tuple(grants), order.failure, processing
    )
