"""Sync, money: payments, refunds and disputes at Stripe against what they brought here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from sqlmodel import Session

from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.common.money import format_money
from billing_app.domain.purchases.baskets import OrderState
from billing_app.domain.purchases.reversals import DisputeStage, RefundStatus
from billing_app.gateways.listings import SeenCheckout, SeenDispute, SeenRefund
from billing_app.gateways.payments import Checkout
from billing_app.services.payments import ownership
from billing_app.services.purchases import fulfilment
from billing_app.services.reversals import reversals
from billing_app.services.reversals.reversals import Reading
from billing_app.services.stripe.findings import Finding, Look, Suspect, Sync
from billing_app.store.organizations import organizations as org_store
from billing_app.store.purchases import reversals as reversal_store
from billing_app.store.stripe import reconciliation as store
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.purchases import Order

MAX_ORDERS = 300
"""Orders that are held against one page of a hundred sessions; three times as many would be two shops."""

MAX_OLD = 1_000
"""Old refunds and disputes that are still open, looked at in one run."""

BEGUN_WITHIN = timedelta(minutes=10)
"""A session is made seconds after its order, or within a sweep of a crash."""


def checkouts(sync: Sync, cursor: str) -> Look:
    """Sessions that were paid and brought nothing, or something else; orders whose session Stripe does not know."""
    after, _, upper = cursor.partition("|")
    page = sync.payments.checkouts_since(sync.since, after)
    end = datetime.fromtimestamp(float(upper), UTC) if upper else sync.now()
    start = page.items[-1].created_at if page.next_cursor else sync.since
    with sync.transaction() as session:
        orders = store.orders_of_sessions(session, [each.id for each in page.items])
        suspects = [found for each in page.items if (found := _checkout(session, sync, each, orders.get(each.id)))]
        ours = store.paid_orders_between(session, start, end - BEGUN_WITHIN if upper else end, MAX_ORDERS)
        seen = {each.id for each in page.items}
        suspects += [_vanished(sync, order) for order in ours if order.session_id not in seen]
    following = f"{page.next_cursor}|{start.timestamp()}" if page.next_cursor else ""
    return Look(len(page.items), tuple(suspects), following)


def _checkout(session: Session, sync: Sync, seen: SeenCheckout, order: Order | None) -> Suspect | None:
    if order is None:
        return _of_nobody(session, seen)
    if order.state == OrderState.PAID:
        return _amounts(session, seen, order)
    if seen.paid or (seen.expired and order.state == OrderState.OPEN):
        write = partial(_settle_checkout, seen, order.organization_id, order.state)
        return Suspect(seen.id, write, partial(sync.payments.checkout, seen.id), seen.customer_id)
    return None


def _settle_checkout(
    seen: SeenCheckout, owner: int, before: str, session: Session, now: datetime, found: Checkout
) -> Finding | None:
    order = fulfilment.settle(session, found, now)
    if order is None or order.state == before:
        return None
    if order.state == OrderState.PAID:
        money = format_money(seen.total_cents, seen.currency)
        return Finding("payment_not_granted", seen.id, f"A payment of {money} had brought nothing.", True, owner)
    return Finding("order_left_open", seen.id, f"An order had ended at Stripe ({order.state}).", True, owner)


def _of_nobody(session: Session, seen: SeenCheckout) -> Suspect | None:
    """A session with our metadata that no order of ours knows."""
    address, order_id = seen.metadata.get(fulfilment.ORGANIZATION), seen.metadata.get(fulfilment.ORDER)
    if not seen.paid or not address or not order_id:
        return None
    organization = _payer(session, seen)
    money = format_money(seen.total_cents, seen.currency)
    if organization is None:
        detail = (
            f"{money} were paid for an organization {address} that is not here. Refund it at Stripe, or restore it."
        )
        return _report("unknown_organization", seen.id, detail)
    owner = organization.pk
    if reversal_store.knows_payment(session, owner, seen.payment_id):
        return None
    detail = f"{money} were paid for an order {order_id} that is not here. Grant its credits manually, or refund it."
    return _report("unknown_order", seen.id, detail, owner)


def _payer(session: Session, seen: SeenCheckout) -> Organization | None:
    """Whom a session was made for, though we do not know it: the customer's organization, else whom it names."""
    customer = ownership.of_customer(session, seen.customer_id)
    return customer or org_store.by_address(session, seen.metadata.get(fulfilment.ORGANIZATION, ""))


def _amounts(session: Session, seen: SeenCheckout, order: Order) -> Suspect | None:
    """A fulfilled order against what was paid, and against what its grants say that they cost."""
    owner, paid = order.organization_id, format_money(seen.total_cents, seen.currency)
    if not seen.paid:
        detail = "This order is paid here and its session is not paid at Stripe. Look at both before you void anything."
        return _report("payment_missing", seen.id, detail, owner)
    if (order.total_cents, order.currency) != (seen.total_cents, seen.currency):
        here = format_money(order.total_cents, order.currency)
        return _report("amount_differs", seen.id, f"Stripe says {paid}, the order here says {here}.", owner)
    granted = store.granted_cents(session, owner, seen.payment_id) if seen.payment_id else seen.total_cents
    if seen.mode == "payment" and granted != seen.total_cents:
        here = format_money(granted, seen.currency)
        return _report("grants_differ", seen.id, f"Stripe says {paid}, the grants of it here cost {here}.", owner)
    return None


def _vanished(sync: Sync, order: Order) -> Suspect:
    """A paid order whose session was not in the list: asked for by its id before anything is said."""
    session_id, owner = order.session_id or "", order.organization_id

    def read() -> bool:
        try:
            sync.payments.checkout(session_id)
        except NotFoundError:
            return False
        return True

    def write(session: Session, now: datetime, there: bool) -> Finding | None:
        detail = "Credits were granted for a payment that does not exist at Stripe. Is this the right Stripe account?"
        return None if there else Finding("payment_missing", session_id, detail, False, owner)

    return Suspect(session_id, write, read)


def refunds(sync: Sync, cursor: str) -> Look:
    """Refunds that we have not heard of, or not to their end."""
    page = sync.payments.refunds_since(sync.since, cursor)
    with sync.transaction() as session:
        kept = store.refunds_by_id(session, [each.refund.id for each in page.items])
        suspects = [
            _reversed(sync, each.refund.payment_id, each.refund.id, _refund_said(each), each.customer_id)
            for each in page.items
            if _news(session, each, RefundStatus(row.status).rank if (row := kept.get(each.refund.id)) else -1)
        ]
    return Look(len(page.items), tuple(suspects), page.next_cursor)


def disputes(sync: Sync, cursor: str) -> Look:
    """Disputes that we have not heard of, or not to their end."""
    page = sync.payments.disputes_since(sync.since, cursor)
    with sync.transaction() as session:
        kept = store.disputes_by_id(session, [each.dispute.id for each in page.items])
        suspects = [
            _reversed(sync, each.dispute.payment_id, each.dispute.id, _dispute_said(each), each.customer_id)
            for each in page.items
            if _news(session, each, DisputeStage(row.status).rank if (row := kept.get(each.dispute.id)) else -1)
        ]
    return Look(len(page.items), tuple(suspects), page.next_cursor)


def old_reversals(sync: Sync, cursor: str) -> Look:
    """Refunds and disputes that were still open when we last saw them, and are too old for the lists."""
    said = "A refund or dispute had changed."
    with sync.transaction() as session:
        payments = store.open_reversals(session, sync.since, MAX_OLD)
        suspects = [_reversed(sync, each, each, said, _customer(session, each)) for each in payments]
    return Look(len(payments), tuple(suspects), "")


def _customer(session: Session, payment_id: str) -> str:
    """Whose turn it is in which a payment of ours is read and written."""
    owner = ownership.of_payment(session, payment_id, "")
    return "" if owner is None else owner.stripe_customer_id or ""


def _news(session: Session, seen: SeenRefund | SeenDispute, known_rank: int) -> bool:
    """Whether it is one of ours that has moved on since we saw it."""
    found = seen.refund if isinstance(seen, SeenRefund) else seen.dispute
    rank = seen.refund.status.rank if isinstance(seen, SeenRefund) else seen.dispute.stage.rank
    if known_rank >= rank:
        return False
    return ownership.of_payment(session, found.payment_id, seen.customer_id) is not None


def _refund_said(seen: SeenRefund) -> str:
    refund = seen.refund
    money = format_money(refund.amount_cents, refund.currency)
    return f"A refund of {money} of {refund.created_at:%d %b} ({refund.status.value}) was not known here."


def _dispute_said(seen: SeenDispute) -> str:
    dispute = seen.dispute
    money = format_money(dispute.amount_cents, dispute.currency)
    stage = dispute.stage.value.replace("_", " ")
    return f"A dispute of {money} of {dispute.created_at:%d %b} ({stage}) was not known here."


def _reversed(sync: Sync, payment_id: str, object_id: str, said: str, customer: str = "") -> Suspect:
    def write(session: Session, now: datetime, reading: Reading | None) -> Finding | None:
        if reading is None:
            return None
        settled = reversals.settle(session, reading, now)
        if settled.organization_id is None or not settled.changed:
            return None
        return Finding("reversal_missed", object_id, said, True, settled.organization_id)

    return Suspect(object_id, write, partial(reversals.read, sync.payments, payment_id), customer)


def _report(code: str, object_id: str, detail: str, owner: int | None = None) -> Suspect:
    """A difference that a person has to decide about."""
    finding = Finding(code, object_id, detail, False, owner)
    return Suspect(object_id, lambda session, now, read: finding)
