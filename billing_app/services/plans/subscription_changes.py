"""Doing something to the running subscription: one at a time for each customer, decided by what is found then.

Stripe is the truth. Whoever does something here waits for the customer's lease, as the inbox does; under it the
subscription is read at Stripe and mirrored, and only then it is decided, from what stands in the database by then, what
is to be done or why not. What somebody read while they waited, or before, decides nothing. Should we stop in between,
Stripe's own event finishes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from billing_app.domain.common.errors import ConflictError
from billing_app.domain.purchases import subscriptions as domain
from billing_app.gateways.payments import Account, Payments
from billing_app.gateways.subscriptions import Subscription
from billing_app.services.catalogue import versions
from billing_app.services.common import audit, organizations, payers
from billing_app.services.common.context import Context, Enter
from billing_app.services.payments import customer_leases, payment_account
from billing_app.services.purchases import endings
from billing_app.services.subscriptions import subscriptions as mirrored
from billing_app.store.purchases import subscriptions as store
from billing_app.store.tables.subscriptions import Subscription as Row


@dataclass(frozen=True, slots=True)
class Decided:
    """What is to be done to the subscription `row`; `audited` goes into the audit log."""

    row: Row
    deed: Callable[[Subscription], Subscription]
    audited: dict[str, str] = field(default_factory=dict)


Decide = Callable[[Context], Decided | None]
"""Says what is to be done as things stand, or None where it is so already; raises the refusal. Writes nothing."""


def running(context: Context, *, paying_on: bool = False) -> Row:
    """The subscription. What makes it cost more, or longer, (`paying_on`) is refused to whoever ends or is over.

    Raises ConflictError `not_subscribed` or `organization_ending`, ForbiddenError `organization_inactive`.
    """
    if paying_on:
        payers.require_active(context.organization, context.organization)
        endings.require_going_on(context.session, context.organization)
    row = store.current(context.session, context.organization.pk)
    if row is None or row.status in domain.ENDED:
        raise ConflictError("There is no subscription. Choose a plan first.", code="not_subscribed")
    return row


def act(enter: Enter, payments: Payments, action: str, decide: Decide) -> None:
    """Does what `decide` says under the customer's lease, and mirrors what came of it.

    `decide` is asked twice: before anybody waits, so that a refusal is quick, and under the lease, which counts.
    """
    with enter() as context:
        if decide(context) is None:
            return
    with customer_leases.held(enter) as renew:
        account = payments.account()
        found = _brought_up(enter, payments, account)
        with enter() as context:
            decided = decide(context)
            if decided is None:
                return
            if decided.row.id != found.id:
                raise ConflictError("Another subscription holds the plan now. Look again.", code="payments_conflict")
            found = mirrored.plan_first(versions.current(context.session, context.now), found, decided.row)
            renew(context)
        after = decided.deed(found)
        with enter() as context:
            mirrored.mirror(context, after)
            owner = context.organization.pk
            if after != found:  # the same change sent twice is one change
                audit.record(
                    context.session, owner, context.now, context.actor, action, after.id, after=decided.audited
                )
                organizations.raise_revision(context.session, owner)


def _brought_up(enter: Enter, payments: Payments, account: Account) -> Subscription:
    """The subscription as it stands at Stripe now, mirrored, so that what is decided next is decided on that."""
    with enter() as context:
        payment_account.confirm(context.session, account, context.now)
        row = running(context)
    found = payments.subscription(row.id)
    with enter() as context:
        mirrored.mirror(context, found)
    return found
