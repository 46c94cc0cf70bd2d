"""From one message to its deliveries: who is told of it, by which way. A step that can be repeated."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.notifications.kinds import kind
from billing_app.services.common import organizations
from billing_app.services.notifications import choices
from billing_app.store.notifications import choices as notifications
from billing_app.store.notifications import deliveries as store
from billing_app.store.tables.notifications import OutboxMessage

BATCH = 50
"""Messages of one organization in one transaction: well within 200 ms, and then it is another one's turn."""

WEBHOOK, MAIL = "webhook", "mail"


def waiting(session: Session, limit: int) -> list[int]:
    """Organizations with messages that nobody has fanned out."""
    return store.waiting_organizations(session, 0, limit)


def fan_out(session: Session, organization_id: int, now: datetime, *, mailing: bool) -> int:
    """Makes the deliveries of an organization's next messages; answers how many messages there were.

    `mailing` is whether mail can be sent; without it nothing is kept for later, for old news help nobody.
    """
    messages = store.waiting_messages(session, organization_id, BATCH)
    chosen = choices.chosen(session, organization_id)
    made = False
    for message in messages:
        made = _deliveries(session, message, chosen, now, mailing=mailing) or made
        message.fanned_out_at = now
        session.add(message)
    session.flush()
    if made:
        organizations.raise_revision(session, organization_id)
    return len(messages)


def _deliveries(
    session: Session, message: OutboxMessage, chosen: choices.Chosen, now: datetime, *, mailing: bool
) -> bool:
    of_kind = kind(message.kind)
    if of_kind is None:
        return False
    owner, made = message.organization_id, False
    for endpoint in notifications.endpoints(session, owner):
        # An endpoint hears of what happens from when it was there.
        here = endpoint.disabled_at is None and endpoint.created_at <= message.recorded_at
        if here and chosen.notifies(choices.of_endpoint(endpoint.id), of_kind):
            store.add(session, message, WEBHOOK, endpoint.id, endpoint.url, now)
            made = True
    if mailing:
        roles = [role for role in choices.ROLES if chosen.notifies(choices.of_role(role), of_kind)]
        people = [user_id for user_id in chosen.people() if chosen.notifies(choices.of_person(user_id), of_kind)]
        for user in notifications.members(session, owner, roles, people):
            store.add(session, message, MAIL, user.id, user.email, now)
            made = True
    return made
