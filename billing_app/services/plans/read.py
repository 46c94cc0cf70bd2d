"""What the plan page and the API show of an organization's plan. Reads only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog, Plan, PlanPrices
from billing_app.domain.common.periods import period_containing
from billing_app.domain.purchases.subscriptions import ENDED, given_up
from billing_app.gateways.invoices import Invoice
from billing_app.services.catalogue import versions
from billing_app.services.common import payers
from billing_app.services.common.answers import filled
from billing_app.services.common.context import Context
from billing_app.services.limits import limits
from billing_app.services.subscriptions.views_plan import InvoiceAnswer, PlanView, SubscriptionAnswer
from billing_app.services.usage import plans_in_force
from billing_app.settings import Settings
from billing_app.store.purchases import customers
from billing_app.store.purchases import subscriptions as store
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.subscriptions import Subscription


def plan_view(context: Context, settings: Settings) -> PlanView:
    """The page."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    known = versions.current(session, now)
    payer = payers.payer(session, organization, now)
    paid_elsewhere = payer.id != organization.id
    held = plans_in_force.plans(session, payer.pk)
    said = customers.said_of(session, owner)
    plan = held.held_at(now)
    offered = tuple(each for each in known.plans if each.offered or (each.id == plan.id and not paid_elsewhere))
    if organization.parent_id is not None:
        # The default plan is nobody's choice here: what this is a part of pays when there is no other.
        offered = tuple(each for each in offered if not each.default or each.id == plan.id)
    return PlanView(
        now=now,
        plan=_unpriced(plan) if paid_elsewhere else plan,
        chosen=_named(known, held.subscribed_at(now), plan),
        default_plan=known.default_plan,
        currency=known.currency,
        period=period_containing(payer.anchor, now),
        subscription=subscription_view(context),
        plans=offered,
        metrics=known.metrics,
        features=known.features,
        limits=limits.usage(context),
        may_try=not store.of_organization(session, owner, store.PLAN),
        has_customer=organization.stripe_customer_id is not None,
        selling=settings.selling,
        payer_name=payer.name if paid_elsewhere else "",
        above_name=_above(context),
        stripe_name=said.name if said else "",
        stripe_email=said.email if said else "",
    )


def subscription_view(context: Context) -> SubscriptionAnswer | None:
    """The current subscription, also one that has ended; None for who never had one."""
    session, organization, now = context.session, context.organization, context.now
    row = store.current(session, organization.pk)
    return None if row is None else _subscription(session, row, now)


def grace_ends_at(session: Session, organization_id: int) -> datetime | None:
    """Until when a plan that is past due stays; None where none is."""
    past_due = plans_in_force.plans(session, organization_id).past_due
    return past_due[-1].grace_ends_at if past_due and past_due[-1].until is None else None


def invoice_link(invoice: Invoice) -> InvoiceAnswer:
    """A line of the list of invoices."""
    return filled(InvoiceAnswer, invoice, status=invoice.status.value)


def _subscription(session: Session, row: Subscription, now: datetime) -> SubscriptionAnswer:
    known = versions.current(session, now)
    return filled(
        SubscriptionAnswer,
        row,
        plan_name=_name(known, row.plan),
        cancel_at=row.cancel_at if row.status not in ENDED else None,
        grace_ends_at=grace_ends_at(session, row.organization_id) if row.past_due_at else None,
        scheduled_plan_name=_name(known, row.scheduled_plan),
        given_up=given_up(row.latest_invoice_status),
    )


def _unpriced(plan: Plan) -> Plan:
    """A plan without what its holder pays for it, which is nobody else's business."""
    return replace(plan, prices=PlanPrices(None, None), stripe_plan_id=None)


def _above(context: Context) -> str:
    """Who pays for a sub-organization while it has no plan of its own; empty for one that is part of nothing."""
    session, organization, now = context.session, context.organization, context.now
    if organization.parent_id is None:
        return ""
    return payers.payer(session, session.get_one(Organization, organization.parent_id), now).name


def _named(known: Catalog, plan_id: str, instead: Plan) -> Plan:
    return next((plan for plan in known.plans if plan.id == plan_id), instead)


def _name(known: Catalog, plan_id: str) -> str:
    return next((plan.name for plan in known.plans if plan.id == plan_id), plan_id)
