"""Changing a running subscription: up, down, monthly or yearly, ending, pausing. And what Stripe's pages show of it.

Stripe is the truth: each use case reads the subscription there, asks for the change, and mirrors what came back; should
we stop in between, Stripe's own event finishes it. Whoever does this holds the customer's lease, as the inbox does, so
that no older reading overwrites a newer one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from billing_app.domain import subscriptions as domain
from billing_app.domain.catalog import Catalog
from billing_app.domain.errors import ConflictError, InvalidError
from billing_app.domain.subscriptions import BillingInterval, When
from billing_app.gateways.gone import GoneError
from billing_app.gateways.invoices import Invoice, InvoiceStatus
from billing_app.gateways.payments import Payments
from billing_app.gateways.subscriptions import Preview, PreviewLine, Subscription
from billing_app.services import (
    accounts,
    audit,
    catalog,
    customers,
    endings,
    orgs,
    paying,
    payment_account,
    plan_orders,
)
from billing_app.services import subscriptions as mirrored
from billing_app.services.visits import Enter
from billing_app.store import customers as customer_store
from billing_app.store import runs
from billing_app.store import subscriptions as store
from billing_app.store.tables.subscriptions import Subscription as Row

MAX_INVOICES = 24
"""Invoices of a list: two years of a monthly plan; the portal has them all."""

PREVIEW_HOLDS = timedelta(hours=1)
"""How long a preview's price can be accepted."""

LEASE_TRIES, LEASE_PAUSE_SECONDS = 40, 0.1
"""How long is waited for events of the same customer that are being handled."""

Deed = Callable[[Subscription], Subscription]


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """What a change of plan would do. `at` is to be given back with the order to do it.

    Now: `due_cents` are charged at once, and `lines` say what for; negative lines give back what was paid. At the
    period's end nothing is due now. `price_cents` per `interval` from then on, next billed at `billed_at`.
    """

    plan: str
    interval: BillingInterval
    when: When
    at: datetime
    counts_at: datetime
    due_cents: int
    total_cents: int
    currency: str
    lines: tuple[PreviewLine, ...]
    price_cents: int
    billed_at: datetime


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A change that was looked at: the running subscription, what it becomes, and when."""

    row: Row
    sale: plan_orders.Sale
    when: When
    price_cents: int
    now: datetime
    known: Catalog


def preview(enter: Enter, payments: Payments, plan: str, interval: BillingInterval) -> ChangePreview:
    """What a change of the running subscription would cost, as it stands at Stripe now: what we know may be older.

    Nothing is due for a price that Stripe bills already. Changes nothing; raises what `change` raises.
    """
    wanted = _wanted(enter, plan, interval)
    found = mirrored.plan_first(wanted.known, payments.subscription(wanted.row.id), wanted.row)
    at, ends = wanted.now.replace(microsecond=0), found.item.period_end
    price = wanted.sale.price(payments)
    billed_already = found.item.price.id == price.id
    if billed_already or wanted.when is When.PERIOD_END:
        when, counts_at = (When.NOW, at) if billed_already else (wanted.when, ends)
        return ChangePreview(
            plan, interval, when, at, counts_at, 0, 0, price.currency, (), price.price_cents, ends,
        )  # fmt: skip
    seen: Preview = payments.preview_change(found, price.id, at)
    return ChangePreview(
        plan, interval, wanted.when, at, at, seen.due_cents, seen.total_cents, seen.currency, seen.lines,
        price.price_cents, seen.period_end,
    )  # fmt: skip


def change(enter: Enter, payments: Payments, plan: str, interval: BillingInterval, at: datetime) -> None:
    """Changes the running subscription: more at once, charged as the preview of `at` said; less at the period's end.

    Twice with the same `at` is once. Raises NotFoundError `plan_not_found`, InvalidError `plan_not_for_sale`,
    `preview_expired` or `payments_refused` (the card was declined; nothing has changed), ConflictError
    `not_subscribed`, `same_plan`, `past_due` or `paused`.
    """
    if _changed_so(enter, plan, interval, at):
        return
    wanted = _wanted(enter, plan, interval)
    if not wanted.now - PREVIEW_HOLDS <= at <= wanted.now:
        raise InvalidError("This price was calculated a while ago. Look at it again.", code="preview_expired")
    price = wanted.sale.price(payments)
    key = f"change:{wanted.row.id}:{wanted.row.price_id}:{price.id}:{int(at.timestamp())}"

    def deed(found: Subscription) -> Subscription:
        if found.item.price.id == price.id:
            return payments.unschedule(found)
        if wanted.when is When.PERIOD_END:
            return payments.schedule_price(found, price)
        return payments.change_price(key, found, price.id, at)

    _act(enter, payments, wanted.row, deed, "subscription.plan_chosen", {"plan": plan, "interval": interval.value})


def _changed_so(enter: Enter, plan: str, interval: BillingInterval, at: datetime) -> bool:
    """Whether this very change was made before: the plan is held, and came to be after its price was looked at."""
    row = _running(enter, paying_on=True)
    if (row.plan, row.interval) != (plan, interval.value) or row.scheduled_plan:
        return False
    with enter() as visit:
        held = accounts.plans(visit.session, row.organization_id).held
    return row.period_start >= at or (bool(held) and held[-1].plan == plan and held[-1].at >= at)


def keep_plan(enter: Enter, payments: Payments) -> None:
    """A change that was to come at the period's end does not come. Raises ConflictError `not_subscribed`."""
    row = _running(enter)
    _act(enter, payments, row, payments.unschedule, "subscription.change_cancelled", {"plan": row.plan})


def cancel(enter: Enter, payments: Payments) -> None:
    """The subscription ends with the period that is paid. Raises ConflictError `not_subscribed`."""
    _end(enter, payments, ends=True)


def uncancel(enter: Enter, payments: Payments) -> None:
    """A subscription that was to end goes on. Raises ConflictError `not_subscribed`."""
    _end(enter, payments, ends=False)


def pause(enter: Enter, payments: Payments) -> None:
    """Bills nothing, and gives the default plan, until it is resumed.

    Raises ConflictError `not_subscribed`, `past_due` or `in_trial`.
    """
    row = _running(enter)
    if row.status in domain.OWED:
        raise ConflictError("Something is owed: pay that first.", code="past_due")
    if row.status == "trialing":
        raise ConflictError(
            "A trial costs nothing, so there is nothing to pause: let it run, or end it.", code="in_trial"
        )
    _act(enter, payments, row, payments.pause, "subscription.paused", {})


def resume(enter: Enter, payments: Payments) -> None:
    """A paused subscription begins a new period now, or goes on with its trial.

    Raises ConflictError `not_subscribed`, `not_paused`.
    """
    row = _running(enter, paying_on=True)
    if not row.paused:
        raise ConflictError("The subscription is not paused.", code="not_paused")
    with enter() as visit:
        now = visit.now
    _act(enter, payments, row, lambda found: payments.resume(found, now), "subscription.resumed", {})


def portal(enter: Enter, payments: Payments, public_url: str) -> str:
    """The address of Stripe's pages for this customer; they lead back to ours. Raises ConflictError `no_customer`."""
    with enter() as visit:
        wanted = customers.to_be(visit.organization)
        page = f"{public_url.rstrip('/')}/o/{quote(visit.organization.address, safe='')}/plan"
        known = payment_account.known(visit.session)
        bought = wanted.customer_id is not None or bool(customer_store.former(visit.session, visit.organization))
    if not bought:
        raise ConflictError("Nothing was bought yet, so there is nothing to manage at Stripe.", code="no_customer")
    payment_account.compare(known, payments.account())
    return customers.using(enter, payments, wanted, lambda customer: payments.portal(customer, page))


def invoices(enter: Enter, payments: Payments, limit: int = MAX_INVOICES) -> list[Invoice]:
    """What was billed, newest first, drafts left out; nothing for who never bought. Talks to Stripe.

    What was billed to a customer that has been deleted at Stripe is part of it.
    """
    with enter() as visit:
        former = [row.customer_id for row in customer_store.former(visit.session, visit.organization)]
        billed = [each for each in (visit.organization.stripe_customer_id, *former) if each is not None]
        known = payment_account.known(visit.session)
    if not billed:
        return []
    payment_account.compare(known, payments.account())
    found: list[Invoice] = []
    for customer in billed:
        with suppress(GoneError):  # the next purchase finds that it is gone, and makes another
            found += payments.invoices_of(customer, limit)
    shown = [each for each in found if each.status is not InvoiceStatus.DRAFT]
    return sorted(shown, key=lambda each: each.created_at, reverse=True)[:limit]


def _end(enter: Enter, payments: Payments, *, ends: bool) -> None:
    row = _running(enter, paying_on=not ends)
    name = "subscription.cancelled" if ends else "subscription.kept"
    _act(enter, payments, row, lambda found: payments.set_ending(found, ends=ends), name, {"plan": row.plan})


def _running(enter: Enter, *, paying_on: bool = False) -> Row:
    """The subscription. What makes it cost more, or longer, (`paying_on`) is refused to whoever ends or is over."""
    with enter() as visit:
        if paying_on:
            paying.require_active(visit.organization, visit.organization)
            endings.require_going_on(visit.session, visit.organization)
        row = store.current(visit.session, accounts.organization_id(visit.organization))
        if row is None or row.status in domain.ENDED:
            raise ConflictError("There is no subscription. Choose a plan first.", code="not_subscribed")
        return row


def _wanted(enter: Enter, plan: str, interval: BillingInterval) -> _Wanted:
    row = _running(enter, paying_on=True)
    if row.status in domain.OWED:
        raise ConflictError("Something is owed for the running plan: pay that first.", code="past_due")
    if row.paused:
        raise ConflictError("The subscription is paused: resume it first.", code="paused")
    with enter() as visit:
        known = catalog.current(visit.session, visit.now)
        wanted, rhythm = known.plan(plan), BillingInterval(row.interval)
        if (row.plan, rhythm) == (plan, interval) and not row.scheduled_plan:
            raise ConflictError(f"{wanted.name} is the plan already.", code="same_plan")
        sale = plan_orders.sale_of(visit.session, plan, interval, visit.now)
        when = When.NOW
        if row.plan and row.status != "trialing":
            when = domain.when(known.plan(row.plan), rhythm, wanted, interval)
        return _Wanted(row, sale, when, domain.price_cents(wanted, interval) or 0, visit.now, known)


def _act(enter: Enter, payments: Payments, row: Row, deed: Deed, action: str, told: dict[str, str]) -> None:
    """Reads the subscription at Stripe, does something to it, and mirrors what came of it."""
    holder = f"plan:{secrets.token_hex(8)}"
    customer = _lease(enter, holder)
    lease = f"stripe:{customer}"
    try:
        account = payments.account()
        with enter() as visit:
            payment_account.compare(payment_account.known(visit.session), account)
        found = payments.subscription(row.id)
        with enter() as visit:
            found = mirrored.plan_first(catalog.current(visit.session, visit.now), found, row)
        after = deed(found)
        with enter() as visit:
            payment_account.confirm(visit.session, account, visit.now)
            mirrored.mirror(visit.session, visit.organization, after, visit.now)
            owner = accounts.organization_id(visit.organization)
            if after != found:  # the same change sent twice is one change
                audit.record(visit.session, owner, visit.now, visit.actor, action, row.id, after=told)
                orgs.raise_revision(visit.session, owner)
    finally:
        with enter() as visit:
            runs.release_lease(visit.session, lease, holder)


def _lease(enter: Enter, holder: str) -> str:
    """The customer whose events are kept waiting. Raises ConflictError `lease_taken` if they do not come to an end."""
    for turn in range(LEASE_TRIES):
        try:
            with enter() as visit:
                customer = visit.organization.stripe_customer_id or ""
                runs.take_lease(visit.session, f"stripe:{customer}", holder, visit.now)
                return customer
        except ConflictError as error:
            if error.code != "lease_taken" or turn == LEASE_TRIES - 1:
                raise
            time.sleep(LEASE_PAUSE_SECONDS)
    raise ConflictError("Payments of this organization are being worked on. Try again.", code="lease_taken")
