"""An organization's plan subscriptions as they stand at Stripe, and what that means for its plan.

What is read from Stripe decides, not the order in which events tell of it: `mirror` may be called by anybody, at any
time, as often as wanted, with a subscription that was just read. Only the organization's current subscription moves its
plan. Moments come from Stripe where it says them, so that late news counts from when it happened.

That a plan is past due, and that it was paid, are dated facts, like its changes of plan. What follows from them (grace,
allowances, limits) is derived in `domain.purchases.subscriptions`; nothing is flipped later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog
from billing_app.domain.organizations.tree import NO_PLAN
from billing_app.domain.purchases import subscriptions as domain
from billing_app.gateways.prices import Price
from billing_app.gateways.subscriptions import Item, Subscription
from billing_app.log import get_logger
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations, payers
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.subscriptions import notices
from billing_app.services.usage import meters, plans_in_force, recounts
from billing_app.store.common import locks
from billing_app.store.notifications import outbox
from billing_app.store.organizations import endings as ending_store
from billing_app.store.purchases import customers
from billing_app.store.purchases import subscriptions as store
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.subscriptions import Subscription as Row
from billing_app.store.usage import meters as meter_store


def past_due_since(session: Session, organization: Organization) -> datetime | None:
    """Since when the plan is past due, as far as is known now; None while it is not."""
    changes = store.past_due_changes(session, organization.pk)
    by_instant = {row.at: row.past_due for row in sorted(changes, key=lambda row: (row.at, row.number))}
    found: datetime | None = None
    for at, unpaid in by_instant.items():
        found = (found or at) if unpaid else None
    return found


def record_past_due(context: Context, *, past_due: bool, at: datetime, reason: str) -> None:
    """The plan is past due, or paid, from `at` on. Meters, ledger and pages of this organization follow at once."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    now = locks.hold(session, owner, now)
    metrics = [row.metric for row in meter_store.of_organization(session, owner)]
    now = meters.prepare_all(context.at(now), metrics)
    store.add_past_due_change(session, owner, at, now, past_due=past_due, reason=reason)
    meter_store.mark_stale(session, owner)
    for metric in sorted(metrics):
        meters.fresh(context.at(now), metric)
    recounts.post(context.at(now))
    organizations.raise_revision(session, owner)


log = get_logger()

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far Stripe's clock may be ahead of ours. An event from later than that is not of our time: a test clock's."""

KIND, PLAN = "kind", store.PLAN
"""What the metadata of a plan's subscription, and of its Checkout session, says that it is."""


@dataclass(frozen=True, slots=True)
class Before:
    """What was known of a subscription before it was read anew."""

    status: str = ""
    scheduled_plan: str = ""
    scheduled_at: datetime | None = None
    price_id: str = ""
    collection: str = ""


def plan_sold(catalog: Catalog, price: Price) -> str:
    """The id of the plan that a price sells; empty for none of ours. A plan may name a price or product of its own."""
    for plan in catalog.plans:
        if plan.stripe_plan_id and plan.stripe_plan_id in (price.id, price.product_id):
            return plan.id
    named = price.metadata.get("plan", "")
    return named if any(plan.id == named for plan in catalog.plans) else ""


def sells_a_plan(session: Session, subscription: Subscription, now: datetime) -> bool:
    """Whether a subscription bills a price of a plan of ours."""
    known = versions.current(session, now)
    return any(plan_sold(known, item.price) for item in subscription.items)


def plan_first(known: Catalog, found: Subscription, row: Row | None) -> Subscription:
    """The subscription with the item of its plan first: in Stripe's dashboard others may have been put beside it."""

    def far(item: Item) -> int:
        if plan_sold(known, item.price):
            return 0
        return 1 if row is not None and item.price.id == row.price_id else 2

    return replace(found, items=tuple(sorted(found.items, key=far)))


def mirror(context: Context, subscription: Subscription, at: datetime | None = None) -> Row:
    """Brings a plan's subscription, and the organization's plan, to where it stands at Stripe.

    `at` is when what is news about it happened, if somebody knows (an event's moment); Stripe's own dates win over it.
    """
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    organization, now = locks.hold_row(session, owner, now)
    customers.adopt(session, organization, subscription.customer_id)
    known = store.subscription(session, owner, subscription.id)
    before = _before(known)
    sold = versions.current(session, now)
    subscription = plan_first(sold, subscription, known)
    row = known or Row(
        organization_id=owner, id=subscription.id, kind=PLAN, status="", started_at=subscription.started_at,
        period_start=now, period_end=now, read_at=now,
    )  # fmt: skip
    _copy(row, subscription, sold, now)
    session.add(row)
    session.flush()
    _choose_current(session, organization, row)
    if row.current:
        heard = _bounded(at or now, subscription.item.period_start, now)
        _follow_plan(replace(context, organization=organization, now=now), row, subscription, before, heard)
        _follow_payment(replace(context, organization=organization, now=now), row, subscription, at)
    if before.status != row.status:
        _notify(session, row, before.status, now)
    notices.mail_operators(
        replace(context, organization=organization, now=now), row, before.price_id, before.status, before.collection
    )
    if row.status not in domain.ENDED and row.cancel_at is None:
        ending_store.again(session, owner, now)
    for each in sorted({owner, *_above(replace(context, organization=organization, now=now))}):
        organizations.raise_revision(session, each)
    return row


def _before(row: Row | None) -> Before:
    if row is None:
        return Before()
    return Before(row.status, row.scheduled_plan, row.scheduled_at, row.price_id, row.collection)


def _above(context: Context) -> list[int]:
    """Who pays for a sub-organization without a plan: what counts there changes with the plan."""
    session, organization, now = context.session, context.organization, context.now
    if organization.parent_id is None:
        return []
    return [payers.payer(session, organizations.by_id(session, organization.parent_id), now).pk]


def _copy(row: Row, found: Subscription, known: Catalog, now: datetime) -> None:
    item = found.item
    row.status, row.interval = found.status.value, item.price.interval
    sold = plan_sold(known, item.price)
    # At a price that nobody knows the plan stays the last one known, until somebody decides.
    row.price_known = sold != "" or row.decided_price_id == item.price.id
    row.plan = sold or row.plan or _named(known, found)
    row.price_id, row.price_cents, row.currency = item.price.id, item.price.price_cents, item.price.currency
    row.period_start, row.period_end = item.period_start, item.period_end
    row.trial_end, row.ended_at = found.trial_end, found.ended_at
    row.cancel_at_period_end, row.cancel_at = found.cancel_at_period_end, found.cancel_at
    row.paused = found.paused_at is not None
    row.latest_invoice_id = found.latest_invoice.id if found.latest_invoice else ""
    row.latest_invoice_status = found.latest_invoice.status if found.latest_invoice else ""
    row.collection, row.collection_resumes_at = found.collection, found.collection_resumes_at
    later = found.scheduled
    row.scheduled_plan = plan_sold(known, later.price) if later else ""
    row.scheduled_interval = later.price.interval if later else ""
    row.scheduled_at = later.at if later else None
    row.read_at = max(now, row.read_at)


def _named(known: Catalog, found: Subscription) -> str:
    """The plan that was ordered, as its metadata says: at a price of somebody else's nothing else is known of it."""
    named = found.metadata.get("plan", "")
    return named if any(plan.id == named for plan in known.plans) else ""


def decide(session: Session, organization: Organization, plan: str) -> None:
    """An operator has said which plan is held: so be it with what is billed at a price that nobody knew."""
    row = store.current(session, organization.pk)
    if row is None or row.status in domain.ENDED or row.price_known:
        return
    row.plan, row.price_known, row.decided_price_id = plan, True, row.price_id
    session.add(row)
    session.flush()


def _choose_current(session: Session, organization: Organization, row: Row) -> None:
    """Which subscription's plan is held: the first that gives one, until it has ended or gives none any more."""
    current = store.current(session, row.organization_id)
    if current is not None and current.status in domain.ENDED:
        others = store.of_organization(session, row.organization_id, PLAN)
        heir = next((each for each in others if each.status in domain.HOLDING), None)
        _make_current(session, current, heir)
    elif row.status in domain.HOLDING and (current is None or current.status in domain.WITHOUT):
        _make_current(session, current, row)
    elif row.status in domain.HOLDING and current is not None and current.id != row.id:
        log.warning("second_subscription", organization=organization.address, subscription=row.id)
    session.refresh(row)


def _make_current(session: Session, old: Row | None, new: Row | None) -> None:
    if new is None or (old is not None and old.id == new.id):
        return
    if old is not None:
        old.current = False
        session.add(old)
        session.flush()  # the database lets only one be current
    new.current = True
    session.add(new)
    session.flush()


def _follow_plan(context: Context, row: Row, found: Subscription, before: Before, heard: datetime) -> None:
    """The plan that the subscription gives, since when Stripe says so."""
    session, organization, now = context.session, context.organization, context.now
    owner = row.organization_id
    held = plans_in_force.plans(session, owner)
    old = held.subscribed_at(now)
    if row.status in domain.WITHOUT:
        wanted = NO_PLAN if organization.parent_id is not None else versions.current(session, now).default_plan.id
        at = found.ended_at or found.paused_at or heard
    elif row.status in domain.HOLDING and row.plan:
        if before.status in domain.HOLDING and not row.price_known:
            return
        wanted = row.plan
        at = _since(before, found, wanted, heard)
    else:
        return
    if wanted == old:
        return
    last = held.held[-1].at if held.held else now
    # What was recorded for later than this stands before it: the newest reading is the last word.
    moment = max(min(at, now), min(last, now))
    grants.change_plan(replace(context, actor="stripe"), wanted, at=moment, reason=_reason(row))


def _since(before: Before, found: Subscription, wanted: str, heard: datetime) -> datetime:
    """Since when a plan is held that was not before."""
    if before.scheduled_plan == wanted and before.scheduled_at and before.scheduled_at <= found.item.period_start:
        return before.scheduled_at
    if before.status in domain.HOLDING:
        return heard
    if found.trial_end is not None and found.item.period_end <= found.trial_end:
        return found.started_at
    return (found.latest_invoice.paid_at if found.latest_invoice else None) or heard


def _reason(row: Row) -> str:
    words = {
        "canceled": "The subscription ended",
        "unpaid": "The subscription was not paid",
        "incomplete_expired": "The subscription was never paid",
        "paused": "The subscription is paused",
        "trialing": "The trial began",
    }
    return words.get(row.status, "As subscribed at Stripe")


def _follow_payment(context: Context, row: Row, found: Subscription, at: datetime | None) -> None:
    """Since when the plan is past due. The first failure counts, whichever is heard of first."""
    session, organization, now = context.session, context.organization, context.now
    invoice = found.latest_invoice
    since = past_due_since(session, organization)
    if row.status in domain.PAST_DUE:
        opened = invoice.opened_at if invoice and invoice.opened_at else found.item.period_start
        stated = at if at is not None and at <= now + CLOCKS_DIFFER else opened
        first = _bounded(stated, opened, now)
        if since is None or (first < since and invoice is not None):
            record_past_due(context, past_due=True, at=first, reason="The card was not charged")
            since = first
    elif since is not None:
        paid = (invoice.paid_at if invoice else None) or found.ended_at or now
        moment = _bounded(paid, since, now)
        record_past_due(context, past_due=False, at=moment, reason="The invoice is settled")
        since = None
    row.past_due_at = since
    session.add(row)
    session.flush()


def _bounded(moment: datetime, low: datetime, high: datetime) -> datetime:
    """A clock that differs from Stripe's, or an event of the test clock's, must not move facts out of their place."""
    return min(max(moment, low), high)


def _notify(session: Session, row: Row, before: str, now: datetime) -> None:
    payload = {
        "subscription": row.id,
        "plan": row.plan,
        "status": row.status,
        "before": before,
        "period_end": row.period_end.isoformat(),
        "current": row.current,
    }
    key = f"subscription:{row.id}:{row.status}:{row.period_start.isoformat()}:{row.latest_invoice_id}"
    outbox.add(session, row.organization_id, f"subscription.{row.status}", key, payload, now, now)
