"""Working on an event of Stripe's again, because a person says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from billing_app.domain.common.errors import NotFoundError
from billing_app.gateways.payments import Payments
from billing_app.services.common.context import Transaction
from billing_app.services.stripe import inbox
from billing_app.services.stripe.inbox import Worker
from billing_app.store.stripe import inbox as store
from billing_app.store.tables.stripe import InboxEvent


def replay(
    transaction: Transaction, payments: Payments, event_id: str, now: Callable[[], datetime]
) -> InboxEvent | None:
    """Processes an event again, whatever became of it. One that never arrived is fetched (Stripe keeps 30 days).

    Talks to Stripe: never call it inside a transaction. Raises NotFoundError `event_not_found` for one that neither
    knows. Answers its row, which says what became of it; while another process is at this customer's events, it is
    left to that one.
    """
    try:
        with transaction() as session:
            subject = inbox.replay(session, event_id, now())
    except NotFoundError:
        fetched = payments.event(event_id)
        with transaction() as session:
            inbox.receive(session, fetched, now())
        subject = inbox.subject_of(fetched)
    inbox.work(Worker(transaction, payments, now), subject)
    with transaction() as session:
        return store.event(session, inbox.STRIPE, event_id)
