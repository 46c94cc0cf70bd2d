"""An organization's customer at Stripe. It is found by the id that we stored, never by an e-mail.

A customer that was deleted at Stripe is replaced on the spot, by whoever needs it: the event that tells of it may never
come. Its id is kept, for payments, refunds and disputes of it go on being the organization's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from billing_app.domain.common.errors import ConflictError, NotFoundError
from billing_app.domain.purchases import subscriptions as domain
from billing_app.domain.purchases.recurring import State
from billing_app.gateways.payments import Customer, GoneError, GoneKind, NewCustomer, Payments
from billing_app.log import get_logger
from billing_app.services.common import audit, operator_mails, organizations
from billing_app.services.common.context import Context, Enter
from billing_app.services.purchases import subscription_events
from billing_app.store.common import locks
from billing_app.store.purchases import customers as store
from billing_app.store.purchases import recurring as recurring_store
from billing_app.store.purchases import subscriptions as subscription_store
from billing_app.store.purchases import top_ups as top_up_store
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.stripe import StripeCustomer

log = get_logger()

Done = TypeVar("Done")

MAX_REPLACED = 3
"""How often in one request a customer may turn out to be gone: once is rare, twice is a program that deletes them."""

MAX_NAME, MAX_EMAIL = 500, 512
"""Characters that are kept of what Stripe says; it allows no more itself."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The customer of an organization: its id at Stripe, or what Stripe is told to make one."""

    customer_id: str | None
    new: NewCustomer


def key(organization: Organization) -> str:
    """What makes an organization one customer, however often it is made."""
    # An address may exist in several databases that share a test account; the moment of its making tells them apart.
    made_at = int(organization.created_at.timestamp() * 1_000_000)
    return f"customer:{organization.address}:{made_at}"


def to_be(organization: Organization) -> Wanted:
    """What has to be known of an organization to have its customer."""
    new = NewCustomer(key(organization), organization.name, {"organization": organization.address})
    return Wanted(organization.stripe_customer_id, new)


def using(enter: Enter, payments: Payments, wanted: Wanted, do: Callable[[str], Done]) -> Done:
    """Does something with the organization's customer, which is made, and written down, before it is used.

    Where Stripe knows the customer no more another one is made, once, and it is done with that. Talks to Stripe.
    """
    for _ in range(MAX_REPLACED):
        customer_id = wanted.customer_id or _made(enter, payments, wanted)
        try:
            return do(customer_id)
        except GoneError as gone:
            if gone.kind is not GoneKind.CUSTOMER or payments.customer_there(customer_id):
                raise
        missed(enter, payments, customer_id)
        with enter() as context:
            wanted = to_be(context.organization)
    raise ConflictError(
        "This customer is deleted at Stripe again and again. Try again later.", code="payments_conflict"
    )


def missed(enter: Enter, payments: Payments, customer_id: str) -> None:
    """Stripe knows the customer no more: it is forgotten, and what ended with it is read there and followed."""
    with enter() as context:
        ended = forget(context, customer_id)
    for subscription_id in ended:
        try:
            found = payments.subscription(subscription_id)
        except NotFoundError:
            log.warning("subscription_missing", subscription=subscription_id)
            continue
        with enter() as context:
            subscription_events.settle(context.session, found, context.now)


def forget(context: Context, customer_id: str) -> list[str]:
    """Writes down, once, that the customer is gone; the subscriptions that ended with it. Operators hear of those."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    organization, now = locks.hold_row(session, owner, now)
    if organization.stripe_customer_id != customer_id:
        return []
    plan = subscription_store.current(session, owner)
    packs = [row for row in recurring_store.of_organization(session, owner) if row.state != State.ENDED]
    card = top_up_store.card(session, owner)
    had, ended = [], [row.subscription_id for row in packs]
    if plan is not None and plan.status not in domain.ENDED:
        had.append("the subscription of its plan")
        ended.append(plan.id)
    if packs:
        had.append(f"{len(packs)} monthly pack{'s' if len(packs) > 1 else ''}")
    if card is not None and card.customer_id == customer_id:
        had.append("the saved card of its auto top-ups")
        session.delete(card)
        session.flush()
    said = ", ".join(had)
    store.retire(session, organization, customer_id, said, now)
    audit.record(
        session,
        owner,
        now,
        audit.SYSTEM,
        "customer.deleted",
        customer_id,
        before={"customer": customer_id, "had": said},
    )
    if said:
        operator_mails.write(
            session,
            f"customer:{customer_id[:90]}",
            f"The Stripe customer of {organization.name[:100]} was deleted",
            f"{customer_id} is not at Stripe any more. With it went {said}, and any balance that it had there. Bought "
            "credits stay. The next purchase makes a new customer.",
            f"/admin/organizations/{organization.address}",
            now,
        )
    organizations.raise_revision(session, owner)
    return sorted(set(ended))


def _made(enter: Enter, payments: Payments, wanted: Wanted) -> str:
    """Makes the customer, and keeps it before anything hangs on it; the one that counts, should another be first."""
    customer_id = payments.create_customer(wanted.new)
    with enter() as context:
        locked, _ = locks.hold_row(context.session, context.organization.pk, context.now)
        kept = store.adopt(context.session, locked, customer_id) or customer_id
        if kept == customer_id:
            mirror(Context(context.session, locked, context.now), Customer(customer_id, wanted.new.name, ""))
        return kept


def mirror(context: Context, found: Customer) -> bool:
    """Keeps the name and e-mail that Stripe has for the organization's customer; whether it had others before.

    A change is noted in the audit log. The customer is Stripe's to say: nothing of the organization's own changes.
    """
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    organization, now = locks.hold_row(session, owner, now)
    if organization.stripe_customer_id != found.id:
        return False
    row = store.said_of(session, owner)
    new = {"name": found.name[:MAX_NAME], "email": found.email[:MAX_EMAIL]}
    old = {"name": row.name, "email": row.email} if row is not None and row.customer_id == found.id else None
    row = row or StripeCustomer(organization_id=owner, customer_id=found.id, read_at=now)
    row.customer_id, row.name, row.email, row.read_at = found.id, new["name"], new["email"], now
    session.add(row)
    session.flush()
    if old is None or old == new:
        return False
    audit.record(session, owner, now, audit.SYSTEM, "customer.changed", found.id, before=old, after=new)
    organizations.raise_revision(session, owner)
    return True
