"""Deliveries to look at, to send again, and to test with."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing_app.domain.common.errors import ConflictError, NotFoundError
from billing_app.domain.notifications.kinds import TEST
from billing_app.services.access import mails
from billing_app.services.common import organizations
from billing_app.services.common.answers import filled
from billing_app.services.common.context import Context
from billing_app.services.notifications import deliveries, webhook_endpoints
from billing_app.services.notifications.fan_out import WEBHOOK
from billing_app.services.notifications.views import AttemptAnswer, DeliveryAnswer, DeliveryDetailAnswer
from billing_app.store.notifications import choices
from billing_app.store.notifications import deliveries as store
from billing_app.store.tables.base import new_id
from billing_app.store.tables.notifications import Delivery, DeliveryAttempt, OutboxMessage
from billing_app.store.tables.organizations import Organization

STATES = ("waiting", "delivered", "failed")


def latest(
    context: Context, limit: int, *, before: UUID | None = None, state: str = "", target: UUID | None = None
) -> list[DeliveryAnswer]:
    """The newest deliveries, with the last try of each."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    rows = store.latest(session, owner, limit, before=before, state=state, target=target)
    tries = store.last_attempts(session, owner, [row.id for row, _ in rows])
    return [_view(session, row, message, now, tries.get(row.id)) for row, message in rows]


def one(context: Context, delivery_id: UUID) -> DeliveryDetailAnswer:
    """A delivery with its log and what it says. Raises NotFoundError `delivery_not_found`."""
    session, organization, now = context.session, context.organization, context.now
    row, message = _found(session, organization, delivery_id)
    log = store.attempts(session, row.organization_id, row.id)
    try:
        text = deliveries.body(message, organization)
    except ValueError:  # one that cannot be read cannot be sent either; its log says so
        text = ""
    shown = _view(session, row, message, now, log[0] if log else None)
    return filled(DeliveryDetailAnswer, shown, body=text, log=tuple(filled(AttemptAnswer, each) for each in log))


def resend(context: Context, delivery_id: UUID) -> None:
    """Sends a delivery once more, the same message under the same id; with all its tries.

    Raises NotFoundError `delivery_not_found`, ConflictError `receiver_gone`.
    """
    session, organization, now = context.session, context.organization, context.now
    row, _ = _found(session, organization, delivery_id)
    if row.channel == WEBHOOK:
        endpoint = choices.endpoint(session, row.organization_id, row.target)
        if endpoint is None or endpoint.disabled_at is not None:
            raise ConflictError("The endpoint is switched off or deleted. Switch it on first.", code="receiver_gone")
    row.state, row.tries, row.next_try_at, row.finished_at = "waiting", 0, now, None
    session.add(row)
    session.flush()
    organizations.raise_revision(session, row.organization_id)


def test(context: Context, endpoint_id: UUID) -> UUID:
    """Sends an endpoint a message that means nothing; the delivery's id.

    Raises NotFoundError `webhook_not_found`, ConflictError `receiver_gone`.
    """
    session, organization, now = context.session, context.organization, context.now
    endpoint = webhook_endpoints.one(session, organization, endpoint_id)
    if endpoint.disabled_at is not None:
        raise ConflictError("The endpoint is switched off. Switch it on first.", code="receiver_gone")
    number = new_id()
    message = OutboxMessage(
        organization_id=endpoint.organization_id, id=number, kind=TEST, key=f"test:{number}", payload="{}",
        occurred_at=now, recorded_at=now, fanned_out_at=now,
    )  # fmt: skip
    session.add(message)
    session.flush()
    made = store.add(session, message, WEBHOOK, endpoint.id, endpoint.url, now)
    organizations.raise_revision(session, endpoint.organization_id)
    return made


def _found(session: Session, organization: Organization, delivery_id: UUID) -> tuple[Delivery, OutboxMessage]:
    row = store.delivery(session, organization.pk, delivery_id)
    if row is None:
        raise NotFoundError("There is no such delivery.", code="delivery_not_found")
    return row, store.message(session, row.organization_id, row.message_id)


def _view(
    session: Session, row: Delivery, message: OutboxMessage, now: datetime, last: DeliveryAttempt | None
) -> DeliveryAnswer:
    return filled(
        DeliveryAnswer,
        row,
        message_id=deliveries.webhook_id(message),
        kind=message.kind,
        title=mails.in_words(session, message, now).title,
        occurred_at=message.occurred_at,
        last=None if last is None else filled(AttemptAnswer, last),
    )
