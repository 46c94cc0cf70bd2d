"""Tells operators what Stripe does that the console does not decide: a price of nobody's, a second subscription."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain import subscriptions as domain
from billing_app.domain.money import format_money
from billing_app.services import operator_mails
from billing_app.store import subscriptions as store
from billing_app.store.tables.orgs import Organization
from billing_app.store.tables.subscriptions import Subscription

BILLING = domain.HOLDING | {"unpaid", "paused"}
"""Statuses of a subscription that bills somebody, or will again."""


def unknown_price(organization: Organization, row: Subscription) -> str:
    """What is wrong, and what to do about it, as a sentence."""
    money = format_money(row.price_cents, row.currency)
    plan = f"The plan stays {row.plan}" if row.plan else "It gives no plan"
    return (
        f"{organization.name} is billed {money} per {row.interval} at a price that belongs to no plan. {plan} until "
        "somebody decides: name the price as stripePlanId of a plan, set the plan by hand, or put the price right at "
        "Stripe."
    )


def second(organization: Organization, row: Subscription, held: Subscription | None) -> str:
    """The same of a subscription that is not the one whose plan is held."""
    money = format_money(row.price_cents, row.currency)
    shown = f"the console shows {held.id}" if held else "the console shows none"
    return (
        f"{organization.name} has another subscription at Stripe, of {money} per {row.interval} "
        f"({row.status.replace('_', ' ')}); {shown}. End one of them there, and refund what was paid twice."
    )


def tell_operators(
    session: Session, organization: Organization, row: Subscription, old_price: str, old_status: str, now: datetime
) -> None:
    """Writes what is new of a subscription; the sync goes on reporting it until it is put right."""
    held = store.current(session, row.organization_id)
    page = f"/admin/organizations/{organization.address}"
    if row.status not in BILLING:
        return
    if (held is None or held.id != row.id) and old_status not in BILLING:
        title = "An organization has two subscriptions" if held else "A subscription gives no plan"
        operator_mails.write(session, f"second:{row.id}"[:100], title, second(organization, row, held), page, now)
    if not row.price_known and old_price != row.price_id:
        title = "A subscription is billed at an unknown price"
        operator_mails.write(session, f"price:{row.id}"[:100], title, unknown_price(organization, row), page, now)
