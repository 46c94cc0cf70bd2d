"""Tells operators what Stripe does that the console does not decide: a price of nobody's, a second subscription, money
that nobody collects any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog
from billing_app.domain.common.money import format_money
from billing_app.domain.purchases import subscriptions as domain
from billing_app.domain.purchases.baskets import Sold
from billing_app.domain.purchases.recurring import State
from billing_app.gateways.invoices import Invoice
from billing_app.services.catalogue import versions
from billing_app.services.common import operator_mails, organizations
from billing_app.services.common.context import Context
from billing_app.store.purchases import subscriptions as store
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.purchases import RecurringPack
from billing_app.store.tables.subscriptions import Subscription

BILLING = domain.HOLDING | {"unpaid", "paused"}
"""Statuses of a subscription that bills somebody, or will again."""


def unknown_price(organization: Organization, row: Subscription) -> str:
    """What is wrong, and what to do about it, as a sentence."""
    money = format_money(row.price_cents, row.currency)
    plan = f"The plan stays {row.plan}" if row.plan else "It gives no plan"
    return (
        f"{organization.name} is billed {money} per {row.interval} at a price that belongs to no plan. {plan} until "
        "somebody decides: name the price as stripePlanId of a plan, set the plan manually, or correct the price at "
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


GIVEN_UP = {"void": "voided", "uncollectible": "marked uncollectible"}
"""Statuses of invoices of which nobody expects money any more, in words."""


def special(row: Subscription | RecurringPack) -> list[str]:
    """What else is to be known of a subscription, each as the end of a sentence that begins with it."""
    said = []
    if row.collection:
        until = (
            f" until {row.collection_resumes_at:%d %b %Y}"
            if row.collection_resumes_at
            else " until somebody resumes it"
        )
        said.append(f"collects nothing{until}")
    if row.latest_invoice_status in GIVEN_UP:
        said.append(f"had its latest invoice {GIVEN_UP[row.latest_invoice_status]}")
    return said


def pack_name(known: Catalog, row: RecurringPack) -> str:
    """What a renewing pack is called: what it is of, and how many; its id where the metric is not known any more."""
    if row.metric not in known.metric_ids:
        return row.pack
    return Sold(row.pack, row.metric, row.quantity).described(known.metric(row.metric), max(1, row.count))


def packs_not_collected(session: Session, organization_id: int, rows: Sequence[RecurringPack], now: datetime) -> None:
    """Somebody paused the collection of packs that renew: operators hear of it. Nothing where it is collected."""
    paused = [row for row in rows if row.collection and row.state != State.ENDED]
    if not paused:
        return
    organization = organizations.by_id(session, organization_id)
    current = versions.current(session, now)
    packs = ", ".join(sorted(pack_name(current, row) for row in paused))
    text = (
        f"What {organization.name} buys every month ({packs}) {special(paused[0])[0]}: somebody paused its collection "
        "at Stripe. It brings no credits meanwhile."
    )
    page = f"/admin/organizations/{organization.address}"
    key = f"collection:{paused[0].subscription_id}"
    operator_mails.write(session, key, "Monthly packs are not collected", text, page, now)


def given_up(context: Context, invoice: Invoice) -> None:
    """An invoice of ours was voided or marked uncollectible at Stripe: operators hear of it once."""
    session, organization, now = context.session, context.organization, context.now
    if invoice.status.value not in GIVEN_UP or invoice.due_cents + invoice.total_cents <= 0:
        return
    word, money = GIVEN_UP[invoice.status.value], format_money(invoice.total_cents, invoice.currency)
    operator_mails.write(
        session,
        f"{invoice.status.value}:{invoice.id}",
        f"An invoice was {word}",
        f"The invoice {invoice.number or invoice.id} of {organization.name}, of {money}, was {word} at Stripe: it "
        "is no longer collected. What it was for continues as its subscription says.",
        f"/admin/organizations/{organization.address}",
        now,
        once=True,
    )


def mail_operators(context: Context, row: Subscription, old_price: str, old_status: str, old_collection: str) -> None:
    """Writes what is new of a subscription; the sync goes on reporting it until it is put right."""
    session, organization, now = context.session, context.organization, context.now
    held = store.current(session, row.organization_id)
    page = f"/admin/organizations/{organization.address}"
    if row.status not in BILLING:
        return
    if (held is None or held.id != row.id) and old_status not in BILLING:
        title = "An organization has two subscriptions" if held else "A subscription gives no plan"
        operator_mails.write(session, f"second:{row.id}", title, second(organization, row, held), page, now)
    if not row.price_known and old_price != row.price_id:
        title = "A subscription is billed at an unknown price"
        operator_mails.write(session, f"price:{row.id}", title, unknown_price(organization, row), page, now)
    if row.collection and not old_collection:
        text = (
            f"The subscription of {organization.name}, of {format_money(row.price_cents, row.currency)} per "
            f"{row.interval}, {special(row)[0]}: somebody paused its collection at Stripe. "
            "Its plan continues meanwhile."
        )
        operator_mails.write(session, f"collection:{row.id}", "A subscription is not collected", text, page, now)
