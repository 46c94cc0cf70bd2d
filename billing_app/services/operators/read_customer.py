"""One organization with everything that an operator looks for. Reads only."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog, Metric, VotingType
from billing_app.domain.common.errors import BillingError
from billing_app.domain.credits.accounts import Account
from billing_app.domain.credits.entitlements import Reading
from billing_app.domain.purchases.subscriptions import given_up
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations, payers
from billing_app.services.common.context import Context
from billing_app.services.credits import labels
from billing_app.services.credits.read_grants import with_tokens
from billing_app.services.operators import account_issues, operations
from billing_app.services.operators.views_customer import (
    CustomerView,
    GrantLine,
    OrderLine,
    OverrideLine,
    PaidPlanLine,
    StandingLine,
)
from billing_app.services.operators.views_operations import EventFilters
from billing_app.services.purchases import endings
from billing_app.services.reversals import refundable
from billing_app.services.reversals.views import RefundPreviewAnswer
from billing_app.services.usage import accounts, plans_in_force
from billing_app.store.credits import grants as credit_store
from billing_app.store.operators import search
from billing_app.store.organizations import overrides as override_store
from billing_app.store.purchases import customers as customer_store
from billing_app.store.purchases import orders as purchase_store
from billing_app.store.purchases import reversals as store
from billing_app.store.purchases import subscriptions as subscription_store
from billing_app.store.tables.credits import GrantAction, GrantRow
from billing_app.store.usage import meters as meter_store

SHOWN = 12
"""Purchases and events of the page; all of them are a link away."""

MAX_GRANTS = 200
"""Grants of the page, the newest first."""


def customer(
    session: Session, address: str, grant_id: str, amount_cents: int | None, now: datetime, *, selling: bool
) -> CustomerView:
    """The organization at `address`, with what a refund of `grant_id` would do if one is named.

    Raises NotFoundError `organization_not_found`.
    """
    organization = organizations.by_address(session, address)
    owner, payer = organization.pk, payers.payer(session, organization, now)
    current, held = versions.current(session, now), plans_in_force.plans(session, owner)
    rows = credit_store.grants(session, owner)
    metrics = {metric.id: metric for metric in with_tokens(current, rows)}
    found = {each: accounts.account(session, organization, each, now, held=held) for each in metrics}
    paid = found
    if payer.id != organization.id:
        held = plans_in_force.plans(session, payer.pk)
        paid = {each: accounts.account(session, payer, each, now, held=held) for each in current.metric_ids}
    said = customer_store.said_of(session, owner)
    preview, why_not = _preview(session, owner, grant_id, amount_cents, now)
    return CustomerView(
        now=now,
        address=organization.address,
        name=organization.name,
        plan_name=_plan_name(current, held.plan_at(now)),
        members=search.member_counts(session, [owner])[owner],
        created_at=organization.created_at,
        customer_id=organization.stripe_customer_id or "",
        stripe_name=said.name if said else "",
        stripe_email=said.email if said else "",
        standings=tuple(_standing(Context(session, payer, now), metrics[each], paid[each]) for each in paid),
        grants=_grants(session, owner, rows, metrics, found),
        orders=tuple(
            OrderLine(each.id, each.kind, each.state, each.total_cents, each.currency, each.created_at, each.failure)
            for each in purchase_store.latest(session, owner, SHOWN)
        ),
        events=operations.events(session, EventFilters(organization=address), "", now, limit=SHOWN).events,
        selling=selling,
        preview=preview,
        preview_metric=metrics.get(preview.metric) if preview else None,
        why_not=why_not,
        payer=payer.address if payer.id != organization.id else "",
        payer_name=payer.name if payer.id != organization.id else "",
        troubles=account_issues.of(session, {payer.pk}, now).get(payer.pk, ()),
        overrides=_overrides(session, owner, current, now),
        subscription=_subscription(session, owner),
        ending=endings.look(Context(session, organization, now)),
    )


def _overrides(session: Session, owner: int, current: Catalog, now: datetime) -> tuple[OverrideLine, ...]:
    names = {each.id: each.name for each in current.features}
    names |= {each.value: f"{each.value.title()} voting" for each in VotingType}
    return tuple(
        OverrideLine(row.kind, row.name, names.get(row.name, ""), row.value, row.ends_at, row.reason)
        for row in override_store.in_force(session, owner, now)
    )


def _subscription(session: Session, owner: int) -> PaidPlanLine | None:
    row = subscription_store.current(session, owner)
    if row is None or row.ended_at is not None:
        return None
    ends_at = row.cancel_at or (row.period_end if row.cancel_at_period_end else None)
    return PaidPlanLine(
        row.status,
        row.interval,
        row.price_cents,
        row.currency,
        row.period_end,
        ends_at,
        row.collection,
        given_up(row.latest_invoice_status),
    )


def _plan_name(current: Catalog, plan_id: str) -> str:
    return next((plan.name for plan in current.plans if plan.id == plan_id), plans_in_force.NOTHING.name)


def _preview(
    session: Session, owner: int, grant_id: str, amount_cents: int | None, now: datetime
) -> tuple[RefundPreviewAnswer | None, str]:
    if not grant_id or credit_store.grant(session, owner, grant_id) is None:
        return None, ""
    try:
        return refundable.preview(session, grant_id, amount_cents, now), ""
    except BillingError as error:
        return None, error.detail


def _standing(context: Context, metric: Metric, account: Account) -> StandingLine:
    session, organization, now = context.session, context.organization, context.now
    reserved, _ = meter_store.reserved(session, organization.pk, metric.id, now)
    reading = Reading(metric.aggregation, account.allowance, account.used, account.left, reserved, account.level)
    held = sum(each.held for each in account.grants.values())
    return StandingLine(metric, reading.state, account.used, account.allowance, account.left, held, account.debt)


def _grants(
    session: Session, owner: int, rows: list[GrantRow], metrics: dict[str, Metric], found: dict[str, Account]
) -> tuple[GrantLine, ...]:
    shown = [row for row in rows if row.metric in found and row.id in found[row.metric].grants]
    shown = sorted(shown, key=lambda row: (row.effective_at, row.id), reverse=True)[:MAX_GRANTS]
    taken: dict[str, list[GrantAction]] = {row.id: [] for row in shown}
    for action in store.actions_on(session, owner, taken):
        taken[action.grant_id].append(action)
    return tuple(_grant(session, row, metrics[row.metric], found[row.metric], taken[row.id]) for row in shown)


def _grant(session: Session, row: GrantRow, metric: Metric, account: Account, taken: list[GrantAction]) -> GrantLine:
    place = account.grants[row.id]
    paid = row.paid_cents > 0 and row.payment_id != ""
    return GrantLine(
        id=row.id,
        metric=metric,
        label=labels.grant_label(row),
        quantity=row.quantity,
        left=place.left,
        held=place.held,
        debt=place.debt,
        effective_at=row.effective_at,
        expires_at=row.expires_at,
        refunded_cents=refundable.given_back(taken),
        lost_cents=refundable.lost(taken),
        refundable_cents=refundable.room(session, row, taken) if paid else 0,
        disputed=refundable.disputed(taken),
        voided=place.voided > 0,
    )
