"""The card that auto top-ups are charged to: saved on Stripe's page, for use without its owner.

The page that Stripe returns to and the webhook both read the session again and keep the card; the newest one counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sqlmodel import Session

from billing_app.domain.common.errors import NotFoundError
from billing_app.gateways.payments import NewCardSetup, OpenCheckout, Payments
from billing_app.gateways.payments import SavedCard as Found
from billing_app.services.catalogue import versions
from billing_app.services.common import audit, organizations, payers
from billing_app.services.common.context import Context, Enter
from billing_app.services.payments import ownership, payment_account
from billing_app.services.payments.ownership import Outcome
from billing_app.services.purchases import customers, endings
from billing_app.store.common import locks
from billing_app.store.purchases import customers as customer_store
from billing_app.store.purchases import top_ups as store
from billing_app.store.tables.base import new_id
from billing_app.store.tables.purchases import SavedCard

KIND, CARD = "kind", "card"
"""What the metadata of such a session says that it is."""

ACTOR = "actor"
METRIC = "metric"


@dataclass(frozen=True, slots=True)
class CardSetupAnswer:
    """A page on which a card is saved. Send the payer's browser to `url`."""

    url: str
    session_id: str


def begin(enter: Enter, payments: Payments, public_url: str, metric: str = "") -> CardSetupAnswer:
    """Begins to save a card; the browser comes back to the credits page of `metric`. Talks to Stripe.

    Raises NotFoundError `metric_not_found`, ForbiddenError `organization_inactive`, ConflictError
    `organization_ending`; what `Payments` raises, and UnavailableError `wrong_stripe_account`.
    """
    with enter() as context:
        payers.require_active(context.organization, context.organization)
        endings.require_going_on(context.session, context.organization)
        wanted, address = customers.to_be(context.organization), context.organization.address
        current = versions.current(context.session, context.now)
        currency = current.currency
        if metric:
            current.metric(metric)
        actor, known = context.actor, payment_account.known(context.session)
    account = payments.account()
    payment_account.compare(known, account)
    with enter() as context:
        payment_account.confirm(context.session, account, context.now)
    page = f"{public_url.rstrip('/')}/o/{quote(address, safe='')}/credits?metric={quote(metric, safe='')}"
    metadata = {"organization": address, KIND: CARD, ACTOR: actor[:200], METRIC: metric}

    def ask(customer_id: str) -> OpenCheckout:
        return payments.create_card_setup(
            NewCardSetup(
                key=f"card_{new_id().hex}",
                customer_id=customer_id,
                currency=currency,
                success_url=f"{page}&card={{CHECKOUT_SESSION_ID}}",
                cancel_url=page,
                reference=address,
                metadata=metadata,
            )
        )

    opened = customers.using(enter, payments, wanted, ask)
    return CardSetupAnswer(opened.url, opened.id)


def finish(enter: Enter, payments: Payments, session_id: str) -> SavedCard | None:
    """Keeps the card that a page of `begin` saved; None while it has saved none. Talks to Stripe.

    Raises NotFoundError `checkout_not_found`, also for another organization's.
    """
    account, found = payments.account(), payments.saved_card(session_id)
    if found is None:
        return None
    with enter() as context:
        payment_account.confirm(context.session, account, context.now)
        if not customer_store.is_of(context.session, context.organization, found.customer_id):
            raise NotFoundError("There is no such page here.", code="checkout_not_found")
        return keep(context, found)


def settle(session: Session, found: Found | None, now: datetime) -> Outcome:
    """What a webhook brings: keeps the card of whoever it belongs to."""
    if found is None or found.setup_metadata.get(KIND) != CARD:
        return Outcome(ours=False)
    organization = ownership.named(session, found.setup_metadata, found.customer_id)
    if organization is None:
        return Outcome(ours=False)
    keep(Context(session, organization, now), found)
    return Outcome(ours=True, organization_id=organization.pk)


def keep(context: Context, found: Found) -> SavedCard:
    """Writes the card down in place of an older one, once. A new card ends the rest that the old one had earned."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    now = locks.hold(session, owner, now)
    row = store.card(session, owner)
    if row is not None and (row.setup_id == found.setup_id or row.saved_at > found.saved_at):
        return row
    row = row or SavedCard(
        organization_id=owner, payment_method_id="", customer_id="", brand="", last4="", expires_month=0,
        expires_year=0, setup_id="", saved_at=now,
    )  # fmt: skip
    row.payment_method_id, row.customer_id, row.setup_id = found.payment_method_id, found.customer_id, found.setup_id
    row.brand, row.last4 = found.brand, found.last4
    row.expires_month, row.expires_year = found.expires_month, found.expires_year
    row.saved_by, row.saved_at = found.setup_metadata.get(ACTOR, ""), found.saved_at
    session.add(row)
    for setting in store.settings(session, owner).values():
        if setting.enabled and setting.resting_until is not None:
            setting.resting_until = now
            session.add(setting)
    session.flush()
    audit.record(session, owner, now, row.saved_by, "card.saved", f"{row.brand} {row.last4}")
    organizations.raise_revision(session, owner)
    return row


def forget(session: Session, owner: int, payment_method_id: str) -> None:
    """The card is not to be charged any more: somebody took it off its customer. The organization's row is locked."""
    card = store.card(session, owner)
    if card is not None and card.payment_method_id == payment_method_id:
        session.delete(card)
        session.flush()
