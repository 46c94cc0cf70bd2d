"""Changing what renews: the quantity, ending it, and taking that back. All of it counts from the next renewal.

What is decided is written down first, then Stripe is told, then it is noted that Stripe knows; a sweep finishes what a
crash left, and asks after renewals of which nothing was heard. What is said to Stripe is where things shall stand, not
what has changed, so saying it twice does it once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from billing_app.domain.common.errors import BillingError, ConflictError, InvalidError, UnavailableError
from billing_app.domain.purchases import recurring as domain
from billing_app.domain.purchases.baskets import MAX_COUNT
from billing_app.domain.purchases.recurring import Billed, State
from billing_app.gateways.payments import Payments
from billing_app.gateways.subscriptions import ENDED, Subscription
from billing_app.log import get_logger
from billing_app.services.common import audit, payers
from billing_app.services.common.context import Context, Enter, Transaction, entering
from billing_app.services.payments import customer_leases, payment_account
from billing_app.services.payments.customer_leases import Renew
from billing_app.services.purchases import endings, subscription_events
from billing_app.services.subscriptions import recurring_packs
from billing_app.store.common import locks
from billing_app.store.organizations import organizations as org_store
from billing_app.store.purchases import recurring as store
from billing_app.store.tables.purchases import RecurringPack

log = get_logger()

SEND_AGAIN = timedelta(minutes=1)
"""When the sweep tells Stripe of a change, if whoever decided it did not live to do so."""

LOOK_AGAIN = timedelta(hours=6)
"""Between two looks at a renewal that is owed: Stripe tries a card again after days, and its webhooks come at once."""

SWEEP = 30
"""Packs that one sweep looks after: at some calls each it stays below what test mode allows per second."""

RECENT_INVOICES = 5
"""Of a subscription, looked at for one that was paid unheard of: more than renew between two looks."""


def change(enter: Enter, payments: Payments, pack_id: str, count: int) -> RecurringPack:
    """From its next renewal on it is `count` of a pack; 0 ends it with the period that is paid. Talks to Stripe.

    Credits that were granted stay, whatever is changed. Raises NotFoundError `recurring_pack_not_found`, InvalidError
    `invalid_count`, ConflictError `recurring_pack_ended`; what `Payments` raises.
    """
    with enter() as context:
        row = decide(context, pack_id, count)
        subscription_id = row.subscription_id
    account = payments.account()
    with enter() as context:
        payment_account.confirm(context.session, account, context.now)
    with customer_leases.held(enter) as renew:
        try:
            found = _send(enter, payments, subscription_id, renew)
        except InvalidError:
            # Stripe knows better than we: what it says now is what stands, and the refusal goes to whoever asked.
            _follow(enter, payments.subscription(subscription_id))
            raise
        _follow(enter, found)
    with enter() as context:
        return recurring_packs.one(context.session, context.organization, pack_id)


def decide(context: Context, pack_id: str, count: int) -> RecurringPack:
    """Writes down what shall stand. Raises as `change` does."""
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    if not 0 <= count <= MAX_COUNT:
        raise InvalidError(f"Of each pack, 1 to {MAX_COUNT} can be bought at once.", code="invalid_count")
    owner = organization.pk
    organization, now = locks.hold_row(session, owner, now)
    if count:
        payers.require_active(organization, organization)
        endings.require_going_on(session, organization)
    row = recurring_packs.one(session, organization, pack_id)
    if row.state == State.ENDED or (row.renews_at <= now and row.next_count == 0):
        raise ConflictError("This pack has ended. Buy it again to have it renewed.", code="recurring_pack_ended")
    change = {"before": {"count": row.next_count}, "after": {"count": count}}
    audit.record(session, owner, now, actor, f"recurring_pack.{'changed' if count else 'ended'}", row.pack, **change)
    row.next_count, row.actor = count, actor or row.actor
    row.revision, row.check_at = row.revision + 1, now + SEND_AGAIN
    session.add(row)
    session.flush()
    org_store.raise_revision(session, owner)
    return row


def _send(enter: Enter, payments: Payments, subscription_id: str, renew: Renew) -> Subscription:
    """Tells Stripe what all packs of the subscription shall be; answers the subscription as it then is.

    Under the customer's lease: of two changes at once the one that was decided last is told last.
    """
    found = payments.subscription(subscription_id)
    with enter() as context:
        owner = context.organization.pk
        rows = store.of_subscription(context.session, owner, subscription_id)
        live = [row for row in rows if row.state != State.ENDED]
        wanted = {row.price_id: row.next_count for row in live}
        sent = {row.id: row.revision for row in live}
        decided = any(row.revision != row.stripe_revision for row in live)
        renew(context)
    if found.status in ENDED or not decided:
        return found
    billed = [Billed(item.id, item.price.id, item.count) for item in found.items]
    wanted_change = domain.change(billed, wanted)
    if wanted_change.items or wanted_change.ends != found.cancel_at_period_end:
        # The same decisions put into the same words are the same request.
        said = hashlib.sha256(repr((sorted(sent.items()), wanted_change)).encode()).hexdigest()[:32]
        try:
            found = payments.change_packs(f"packs:{subscription_id}:{said}", subscription_id, wanted_change)
        except InvalidError:
            _note_sent(enter, subscription_id, sent)  # refused: what stands there is what stands
            raise
    _note_sent(enter, subscription_id, sent)
    return found


def _note_sent(enter: Enter, subscription_id: str, sent: dict[str, int]) -> None:
    """Stripe was told of these decisions; of what somebody has decided meanwhile it was not."""
    with enter() as context:
        owner = context.organization.pk
        locks.hold(context.session, owner, context.now)
        for row in store.of_subscription(context.session, owner, subscription_id):
            row.stripe_revision = max(row.stripe_revision, sent.get(row.id, 0))
            context.session.add(row)


def _follow(enter: Enter, found: Subscription) -> None:
    with enter() as context:
        owner = context.organization.pk
        now = locks.hold(context.session, owner, context.now)
        recurring_packs.mirror(context.at(now), found)


def sweep(transaction: Transaction, payments: Payments, now: Callable[[], datetime]) -> int:
    """Looks after packs whose time has come: changes Stripe was not told of, renewals of which nothing was heard.

    Answers how many. Raises UnavailableError when Stripe does not answer: the rest can wait until it does.
    """
    with transaction() as session:
        due = [(row.organization_id, row.subscription_id) for row in store.due(session, now(), SWEEP)]
    for owner, subscription_id in dict.fromkeys(due):
        _look_after(transaction, payments, owner, subscription_id, now)
    return len(due)


def _look_after(
    transaction: Transaction, payments: Payments, owner: int, subscription_id: str, now: Callable[[], datetime]
) -> None:
    enter = entering(transaction, owner, now)
    try:
        with customer_leases.held(enter) as renew:
            found = _send(enter, payments, subscription_id, renew)
            paid = payments.invoices_of(found.customer_id, RECENT_INVOICES, subscription_id)
            for each in reversed(paid):
                invoice = payments.invoice(each.id)
                with transaction() as session:
                    subscription_events.settle_invoice(session, invoice, now())
            with enter() as context:
                renew(context)
            _follow(enter, found)
    except UnavailableError:
        raise
    except BillingError as error:
        # One that cannot be settled must not keep the others waiting; it is looked at again.
        log.warning("renewal_not_settled", subscription=subscription_id, code=error.code, detail=error.detail)
    with transaction() as session:
        moment = locks.hold(session, owner, now())
        for row in store.of_subscription(session, owner, subscription_id):
            if row.check_at is not None and row.check_at <= moment:
                row.check_at = moment + LOOK_AGAIN
                session.add(row)
