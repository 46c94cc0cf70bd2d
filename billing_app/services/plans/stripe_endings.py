"""Stripe is told that an organization pays no more, or goes on after all; by whoever decided, or by a sweep."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from billing_app.domain.common.errors import BillingError, ConflictError, NotFoundError, UnavailableError
from billing_app.gateways.payments import Payments
from billing_app.gateways.subscriptions import ENDED
from billing_app.log import get_logger
from billing_app.services.common.context import Context, Enter, Transaction, entering
from billing_app.services.payments import customer_leases, ownership, payment_account
from billing_app.services.plans import orders
from billing_app.services.purchases import endings, subscription_events
from billing_app.store.common import locks
from billing_app.store.organizations import endings as store
from billing_app.store.organizations import organizations as org_store
from billing_app.store.organizations import tree

log = get_logger()

DELAYS = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 600, 3_600))
"""Until the next try, after each that failed; the last one stays."""

SWEEP = 20
"""Organizations that one sweep works on: at some calls each it stays below what test mode allows per second."""


def notify_stripe(transaction: Transaction, payments: Payments | None, owner: int, now: Callable[[], datetime]) -> None:
    """Does what was decided of an organization, as far as it goes now. Never call it inside a transaction.

    Raises BillingError where Stripe could not be told: that is noted, and tried again.
    """
    with transaction() as session:
        row = store.ending(session, owner)
        if row is None or row.next_try_at is None:
            return
        revision, knows, wanted = (
            row.revision,
            row.stripe_notified_at is not None,
            _wanted(row.withdrawn, row.at_period_end),
        )
        ours = list(json.loads(row.subscriptions))
    try:
        if not knows:
            ours = _ended(transaction, payments, owner, revision, wanted, ours, now)
    except BillingError as error:
        with transaction() as session:
            _note(session, owner, revision, error, now())
        raise
    with transaction() as session:
        organization, moment = locks.hold_row(session, owner, now())
        row = store.ending(session, owner)
        if row is None or row.revision != revision:
            return
        row.stripe_notified_at, row.subscriptions, row.error = row.stripe_notified_at or moment, json.dumps(ours), ""
        session.add(row)
        session.flush()
        endings.close_if_due(Context(session, organization, moment))
        row.next_try_at = None if row.withdrawn or row.done_at is not None else row.ends_at
        session.add(row)


def notify_stripe_at_once(
    transaction: Transaction, payments: Payments | None, organization_id: int, now: Callable[[], datetime]
) -> str:
    """For whoever has just decided: tells Stripe of the organization and its parts; why that is to be tried again.

    Empty: Stripe knows.
    """
    with transaction() as session:
        organization = org_store.by_id(session, organization_id)
        children = tree.descendants(session, organization_id) if organization else []
        owners = [organization_id, *(each.pk for each in children)]
    problem = ""
    for owner in owners:
        try:
            notify_stripe(transaction, payments, owner, now)
        except BillingError as error:
            log.warning("ending_not_told", organization=owner, code=error.code, detail=error.detail)
            problem = problem or error.detail
    return problem


def decided(
    enter: Enter,
    decide: Callable[[Any], None],
    transaction: Transaction,
    payments: Payments | None,
    now: Callable[[], datetime],
) -> str:
    """Decides in a transaction of somebody who was let in, then tells Stripe; answers as `notify_stripe_at_once`."""
    with enter() as at:
        decide(at)
        owner = at.organization.pk
    return notify_stripe_at_once(transaction, payments, owner, now)


def sweep(transaction: Transaction, payments: Payments | None, now: Callable[[], datetime]) -> int:
    """Continues with what is due; answers how many organizations it looked at."""
    with transaction() as session:
        due = store.due(session, now(), SWEEP)
    for owner in due:
        try:
            notify_stripe(transaction, payments, owner, now)
        except BillingError as error:
            log.warning("ending_not_told", organization=owner, code=error.code, detail=error.detail)
    return len(due)


def _wanted(withdrawn: bool, at_period_end: bool) -> str:
    if withdrawn:
        return "goes_on"
    return "period_end" if at_period_end else "now"


def _ended(
    transaction: Transaction,
    payments: Payments | None,
    owner: int,
    revision: int,
    wanted: str,
    ours: list[str],
    now: Callable[[], datetime],
) -> list[str]:
    """Brings everything that the organization pays for at Stripe to where it shall stand; the ids that were set."""
    enter = entering(transaction, owner, now)
    with transaction() as session:
        organization = org_store.by_id(session, owner)
        customer = organization.stripe_customer_id if organization else None
        kept = {row.id for row in store.subscriptions(session, owner)}
        kept |= {row.subscription_id for row in store.packs(session, owner)}
        pages = [(order.id, order.session_id) for order in store.open_orders(session, owner) if order.session_id]
    if payments is None:
        if kept or pages:
            raise UnavailableError("Stripe is not connected, so nothing there can be ended.", code="buying_unavailable")
        return ours
    if customer is None and not kept and not pages:
        return ours
    account = payments.account()
    with transaction() as session:
        payment_account.confirm(session, account, now())
    if wanted != "goes_on":
        for order_id, session_id in pages:
            with suppress(ConflictError):  # a payment that is on its way arrives, and is ended below or the next time
                orders.close_page(enter, payments, order_id, session_id)
    for subscription_id in _billed(transaction, payments, customer, kept):
        if _set(enter, payments, revision, subscription_id, wanted, ours) and subscription_id not in ours:
            ours.append(subscription_id)
    return ours


def _billed(transaction: Transaction, payments: Payments, customer: str | None, kept: set[str]) -> list[str]:
    """Its subscriptions: those that are kept, and those at Stripe that are ours and nobody heard of."""
    listed = payments.subscriptions_of(customer) if customer else []
    with transaction() as session:
        known = {each.id for each in listed if ownership.kind_of(session, each.id, each.metadata)}
    return sorted(kept | known)


def _set(enter: Enter, payments: Payments, revision: int, subscription_id: str, wanted: str, ours: list[str]) -> bool:
    """Ends one, or lets it go on; whether this set it to end.

    It is read under its customer's lease, and looked at then: what has ended by itself, or is set so already, is left
    as it is; and when somebody has decided otherwise meanwhile, whoever tells of that does the rest.
    """
    with suppress(NotFoundError):
        customer = payments.subscription(subscription_id).customer_id
        with customer_leases.held(enter, customer) as renew:
            found = payments.subscription(subscription_id)
            with enter() as context:
                row = store.ending(context.session, context.organization.pk)
                current = row is not None and row.revision == revision
                renew(context)
            ending = found.cancel_at_period_end or found.cancel_at is not None
            as_wanted = ending if wanted == "period_end" else wanted == "goes_on" and not (ending and found.id in ours)
            if found.status in ENDED or as_wanted or not current:
                after = found
            elif wanted == "now":
                after = payments.end_now(found)
            else:
                after = payments.set_ending(found, ends=wanted == "period_end")
            with enter() as context:
                subscription_events.settle(context.session, after, context.now)
            return wanted == "period_end" and after is not found
    return False


def _note(session: Session, owner: int, revision: int, error: BillingError, now: datetime) -> None:
    now = locks.hold(session, owner, now)
    row = store.ending(session, owner)
    if row is not None and row.revision == revision:
        row.next_try_at = now + DELAYS[min(row.tries, len(DELAYS) - 1)]
        row.tries, row.error = row.tries + 1, error.detail[:500]
        session.add(row)
