"""Changing a running subscription: up, down, monthly or yearly, ending, pausing. And what Stripe's pages show of it.

Each use case says, from what stands when it is its turn (`running_plan`), what is to be done at Stripe or why not. A
change costs what its preview said or is refused: what the preview was made of is kept, and compared under the lease.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

from billing_app.domain.catalogue import Catalog
from billing_app.domain.common.errors import ConflictError, InvalidError
from billing_app.domain.purchases import subscriptions as domain
from billing_app.domain.purchases.subscriptions import BillingInterval, PlanDeed, When
from billing_app.gateways.invoices import Invoice, InvoiceStatus
from billing_app.gateways.payments import Account, GoneError, Payments
from billing_app.gateways.prices import Price
from billing_app.gateways.subscriptions import Preview, Subscription
from billing_app.services.catalogue import versions
from billing_app.services.common import audit, organizations, payers
from billing_app.services.common.answers import filled
from billing_app.services.common.context import Context, Enter
from billing_app.services.payments import customer_leases, payment_account
from billing_app.services.plans import orders
from billing_app.services.purchases import customers, endings
from billing_app.services.subscriptions import subscriptions as mirrored
from billing_app.services.subscriptions.views_plan import PlanPreviewAnswer, PreviewLineAnswer
from billing_app.services.usage import plans_in_force
from billing_app.store.common import locks
from billing_app.store.purchases import customers as customer_store
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


MAX_INVOICES = 24
"""Invoices of a list: two years of a monthly plan; the portal has them all."""

PREVIEW_HOLDS = timedelta(hours=1)
"""How long a preview's price can be accepted."""

MAX_PREVIEWS = 100
"""Previews of one organization that can still be accepted; the oldest make way."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A change that was looked at: the running subscription, what it becomes, and when."""

    row: Row
    plan: str
    sale: orders.Sale
    when: When
    now: datetime
    known: Catalog


def preview(enter: Enter, payments: Payments, plan: str, interval: BillingInterval) -> PlanPreviewAnswer:
    """What a change of the running subscription would cost, as it stands at Stripe now: what we know may be older.

    Nothing is due for a price that Stripe bills already. What it was made of is kept for as long as it can be accepted.
    Changes nothing else; raises what `change` raises.
    """
    with enter() as context:
        wanted = _wanted(context, plan, interval)
    found = mirrored.plan_first(wanted.known, payments.subscription(wanted.row.id), wanted.row)
    # Apart to the millisecond, so that two previews are never one; Stripe counts in seconds.
    at = wanted.now.replace(microsecond=wanted.now.microsecond // 1_000 * 1_000)
    price = wanted.sale.price(payments)
    seen = _calculated(payments, wanted, found, price, at)
    with enter() as context:
        owner = context.organization.pk
        locks.hold(context.session, owner, context.now)
        store.keep_preview(context.session, owner, plan, interval, at, _made_of(seen, found, price))
        store.drop_previews(context.session, owner, at - PREVIEW_HOLDS, MAX_PREVIEWS)
    return seen


def _calculated(
    payments: Payments, wanted: _Wanted, found: Subscription, price: Price, at: datetime
) -> PlanPreviewAnswer:
    name = wanted.known.plan(wanted.plan).name
    interval, ends = wanted.sale.interval, found.item.period_end
    billed_already = found.item.price.id == price.id
    if billed_already or wanted.when is When.PERIOD_END:
        when, counts_at = (When.NOW, at) if billed_already else (wanted.when, ends)
        return PlanPreviewAnswer(
            wanted.plan, name, interval, when, at, counts_at, 0, 0, price.currency, (), price.price_cents, ends,
        )  # fmt: skip
    seen: Preview = payments.preview_change(found, price.id, at)
    return PlanPreviewAnswer(
        wanted.plan, name, interval, wanted.when, at, at, seen.due_cents, seen.total_cents, seen.currency,
        tuple(filled(PreviewLineAnswer, line) for line in seen.lines), price.price_cents, seen.period_end,
    )  # fmt: skip


def _made_of(seen: PlanPreviewAnswer, found: Subscription, price: Price) -> str:
    """What a preview depends on: what runs and what is to come of it, what is bought, and what all that comes to."""
    runs = (found.id, found.item.price.id, found.item.count, found.item.period_end, found.cancel_at)
    later = found.scheduled and (found.scheduled.at, found.scheduled.price.id)
    comes_to = (seen.when, seen.due_cents, seen.total_cents, seen.currency)
    return hashlib.sha256(repr((runs, later, price.id, price.price_cents, comes_to)).encode()).hexdigest()


def change(enter: Enter, payments: Payments, plan: str, interval: BillingInterval, at: datetime) -> None:
    """Changes the running subscription: more at once, charged as the preview of `at` said; less at the period's end.

    Twice with the same `at` is once. Raises NotFoundError `plan_not_found`, InvalidError `plan_not_for_sale`,
    `preview_expired` (nobody looked at this change then, that is too long ago, or something has changed since, so that
    it would cost something else; nothing is charged) or `payments_refused` (the card was declined; nothing has
    changed), ConflictError `not_subscribed`, `same_plan`, `past_due` or `paused`.
    """

    def decide(context: Context) -> Decided | None:
        if _changed_so(context, plan, interval, at):
            return None
        wanted = _wanted(context, plan, interval)
        owner = context.organization.pk
        made_of = store.made_of(context.session, owner, plan, interval, at)
        if made_of is None or not wanted.now - PREVIEW_HOLDS <= at <= wanted.now:
            raise InvalidError("This price was calculated a while ago. Look at it again.", code="preview_expired")
        deed = partial(_changed, payments, wanted, at, made_of)
        return Decided(wanted.row, deed, {"plan": plan, "interval": interval.value})

    act(enter, payments, "subscription.plan_chosen", decide)


def _changed(payments: Payments, wanted: _Wanted, at: datetime, made_of: str, found: Subscription) -> Subscription:
    price = wanted.sale.price(payments)
    if found.item.price.id == price.id:
        return payments.unschedule(found)
    if wanted.when is When.PERIOD_END and found.scheduled is not None and found.scheduled.price.id == price.id:
        return found  # it was asked for before
    if _made_of(_calculated(payments, wanted, found, price, at), found, price) != made_of:
        raise InvalidError(
            "Something has changed since this price was calculated, and nothing was charged. Look at it again.",
            code="preview_expired",
        )
    if wanted.when is When.PERIOD_END:
        return payments.schedule_price(found, price)
    key = f"change:{found.id}:{found.item.price.id}:{price.id}:{int(at.timestamp())}"
    return payments.change_price(key, found, price.id, at)


def _changed_so(context: Context, plan: str, interval: BillingInterval, at: datetime) -> bool:
    """Whether this very change was made before: the plan is held, and came to be after its price was looked at."""
    row = running(context, paying_on=True)
    if (row.plan, row.interval) != (plan, interval.value) or row.scheduled_plan:
        return False
    held, since = plans_in_force.plans(context.session, row.organization_id).held, at.replace(microsecond=0)
    return row.period_start >= since or (bool(held) and held[-1].plan == plan and held[-1].at >= since)


def keep_plan(enter: Enter, payments: Payments) -> None:
    """A change that was to come at the period's end does not come. Raises ConflictError `not_subscribed`."""

    def decide(context: Context) -> Decided:
        row = running(context)
        return Decided(row, payments.unschedule, {"plan": row.plan})

    act(enter, payments, "subscription.change_cancelled", decide)


def cancel(enter: Enter, payments: Payments) -> None:
    """The subscription ends with the period that is paid. Raises ConflictError `not_subscribed`."""
    _end(enter, payments, ends=True)


def uncancel(enter: Enter, payments: Payments) -> None:
    """A subscription that was to end goes on. Raises ConflictError `not_subscribed`."""
    _end(enter, payments, ends=False)


def _end(enter: Enter, payments: Payments, *, ends: bool) -> None:
    def decide(context: Context) -> Decided:
        row = running(context, paying_on=not ends)
        return Decided(row, partial(payments.set_ending, ends=ends), {"plan": row.plan})

    act(enter, payments, "subscription.cancelled" if ends else "subscription.kept", decide)


def pause(enter: Enter, payments: Payments) -> None:
    """Bills nothing, and gives the default plan, until it is resumed.

    Raises ConflictError `not_subscribed`, `past_due` or `in_trial`.
    """

    def decide(context: Context) -> Decided:
        row = running(context)
        if row.status in domain.PAST_DUE:
            raise ConflictError("A payment is past due: pay that first.", code="past_due")
        if row.status == "trialing":
            raise ConflictError(
                "A trial costs nothing, so there is nothing to pause: let it run, or end it.", code="in_trial"
            )
        return Decided(row, payments.pause)

    act(enter, payments, "subscription.paused", decide)


def resume(enter: Enter, payments: Payments) -> None:
    """A paused subscription begins a new period now, or goes on with its trial.

    Raises ConflictError `not_subscribed`, `not_paused`.
    """

    def decide(context: Context) -> Decided:
        row = running(context, paying_on=True)
        if not row.paused:
            raise ConflictError("The subscription is not paused.", code="not_paused")
        return Decided(row, lambda found: payments.resume(found, context.now))

    act(enter, payments, "subscription.resumed", decide)


DEEDS = {PlanDeed.CANCEL: cancel, PlanDeed.KEEP: uncancel, PlanDeed.PAUSE: pause, PlanDeed.RESUME: resume}


def portal(enter: Enter, payments: Payments, public_url: str) -> str:
    """The address of Stripe's pages for this customer; they lead back to ours. Raises ConflictError `no_customer`."""
    with enter() as context:
        wanted = customers.to_be(context.organization)
        page = f"{public_url.rstrip('/')}/o/{quote(context.organization.address, safe='')}/plan"
        known = payment_account.known(context.session)
        bought = wanted.customer_id is not None or bool(customer_store.former(context.session, context.organization))
    if not bought:
        raise ConflictError("Nothing was bought yet, so there is nothing to manage at Stripe.", code="no_customer")
    payment_account.compare(known, payments.account())
    return customers.using(enter, payments, wanted, lambda customer: payments.portal(customer, page))


def invoices(enter: Enter, payments: Payments, limit: int = MAX_INVOICES) -> list[Invoice]:
    """What was billed, newest first, drafts left out; nothing for who never bought. Talks to Stripe.

    What was billed to a customer that has been deleted at Stripe is part of it.
    """
    with enter() as context:
        former = [row.customer_id for row in customer_store.former(context.session, context.organization)]
        billed = [each for each in (context.organization.stripe_customer_id, *former) if each is not None]
        known = payment_account.known(context.session)
    if not billed:
        return []
    payment_account.compare(known, payments.account())
    found: list[Invoice] = []
    for customer in billed:
        with suppress(GoneError):  # the next purchase finds that it is gone, and makes another
            found += payments.invoices_of(customer, limit)
    shown = [each for each in found if each.status is not InvoiceStatus.DRAFT]
    return sorted(shown, key=lambda each: each.created_at, reverse=True)[:limit]


def _wanted(context: Context, plan: str, interval: BillingInterval) -> _Wanted:
    row = running(context, paying_on=True)
    if row.status in domain.PAST_DUE:
        raise ConflictError("A payment for the current plan is past due: pay that first.", code="past_due")
    if row.paused:
        raise ConflictError("The subscription is paused: resume it first.", code="paused")
    known = versions.current(context.session, context.now)
    wanted, rhythm = known.plan(plan), BillingInterval(row.interval)
    if (row.plan, rhythm) == (plan, interval) and not row.scheduled_plan:
        raise ConflictError(f"{wanted.name} is the plan already.", code="same_plan")
    sale = orders.sale_of(context.session, plan, interval, context.now)
    when = When.NOW
    if row.plan and row.status != "trialing":
        when = domain.when(known.plan(row.plan), rhythm, wanted, interval)
    return _Wanted(row, plan, sale, when, context.now, known)
