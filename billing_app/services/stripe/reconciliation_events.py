"""Sync, events: what Stripe has told of and never reached us goes through the inbox, like any other."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlmodel import Session

from billing_app.domain.common.errors import UnavailableError
from billing_app.gateways.listings import SeenEvent
from billing_app.services.stripe import inbox
from billing_app.services.stripe.event_handlers import HANDLERS
from billing_app.services.stripe.findings import Finding, Look, Suspect, Sync
from billing_app.services.stripe.inbox import STRIPE, State, Worker
from billing_app.store.stripe import inbox as inbox_store
from billing_app.store.stripe import reconciliation as store

MAX_TYPES = 20
"""Types that Stripe takes in one question."""


def events(sync: Sync, cursor: str) -> Look:
    """Events of the types that do something. Every one that we do not have counts, whatever Stripe's deliveries say:
    a wrong address that answers 200, or a webhook that was set up later, looks delivered.
    """
    groups = [list(HANDLERS)[start : start + MAX_TYPES] for start in range(0, len(HANDLERS), MAX_TYPES)]
    number, _, after = cursor.partition(":")
    group = int(number or 0)
    page = sync.payments.events_since(sync.since, groups[group], after)
    with sync.transaction() as session:
        known = store.received(session, STRIPE, [event.id for event in page.items])
    latest = sync.now() - sync.grace
    missed = [event for event in page.items if event.id not in known and event.created_at <= latest]
    if page.next_cursor:
        following = f"{group}:{page.next_cursor}"
    else:
        following = f"{group + 1}:" if group + 1 < len(groups) else ""
    return Look(len(page.items), tuple(_suspect(sync, event) for event in missed), following)


def _suspect(sync: Sync, event: SeenEvent) -> Suspect:
    return Suspect(event.id, partial(_written, sync, event), partial(_take, sync, event))


def _take(sync: Sync, event: SeenEvent) -> None:
    """Puts it into the inbox and works on it, as if it had come by itself."""
    if sync.dry:
        return
    fetched = sync.payments.event(event.id)
    with sync.transaction() as session:
        inbox.receive(session, fetched, sync.now())
    inbox.work(Worker(sync.transaction, sync.payments, sync.now), inbox.subject_of(fetched))


def _written(sync: Sync, event: SeenEvent, session: Session, now: datetime, _read: object) -> Finding | None:
    row = inbox_store.event(session, STRIPE, event.id)
    said = f"{event.type} of {event.created_at:%d %b %H:%M} UTC never arrived."
    if sync.dry:
        return Finding("event_missed", event.id, said, repaired=True)
    if row is None:
        raise UnavailableError("An event could not be stored.")
    if row.state == State.IGNORED:
        return None
    if row.state == State.HANDLED:
        return Finding("event_missed", event.id, f"{said} It was handled now.", True, row.organization_id)
    return Finding("event_failed", event.id, f"{said} It could not be handled yet: {row.error}", repaired=False)
