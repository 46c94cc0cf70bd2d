"""Who is told of what, webhook endpoints, and what became of each delivery."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from billing_app.api.common import cursors
from billing_app.api.common.access import Door, OrganizationDoor, Visit
from billing_app.api.common.responses import READING_A_BODY, behind_a_door
from billing_app.api.common.schemas import Items
from billing_app.api.notifications.schemas import (
    ChoicesRequest,
    DeliveriesQuery,
    DeliveryAnswer,
    DeliveryDetailAnswer,
    NewWebhookAnswer,
    NewWebhookRequest,
    NotificationsAnswer,
    WebhookAnswer,
)
from billing_app.domain.common.access import ADMIN_ROLES, Scope
from billing_app.domain.common.errors import NotFoundError
from billing_app.gateways.webhooks_out import reachable
from billing_app.services.notifications import choices as notification_choices
from billing_app.services.notifications import delivery_log, webhook_endpoints

router = APIRouter(prefix="/organizations/{address}/notifications", tags=["notifications"])

AdminsDoor = Annotated[Door, Depends(OrganizationDoor(ADMIN_ROLES, frozenset({Scope.ADMIN})))]


@router.get("", response_model=NotificationsAnswer, responses=behind_a_door())
def notifications(door: AdminsDoor) -> NotificationsAnswer:
    """Every kind of event, who is told of it, and where webhooks go."""
    with door.reading() as visit:
        return _answer(door, visit)


@router.put("", response_model=NotificationsAnswer, responses=behind_a_door(*READING_A_BODY))
def choose_notifications(door: AdminsDoor, wanted: ChoicesRequest) -> NotificationsAnswer:
    """Replaces who is told of what: send `choices` of GET with what should be different."""
    with door.writing() as visit:
        notification_choices.write(visit.session, visit.organization, wanted.choices(), visit.who, visit.now)
        return _answer(door, visit)


@router.post(
    "/webhooks", status_code=201, response_model=NewWebhookAnswer, responses=behind_a_door(*READING_A_BODY, 409)
)
def create_webhook(door: AdminsDoor, wanted: NewWebhookRequest) -> NewWebhookAnswer:
    """A new endpoint. Its secret is in this answer and in no other."""
    with door.writing() as visit:
        made = webhook_endpoints.create(
            visit.session,
            visit.organization,
            wanted.url,
            visit.who,
            visit.now,
            description=wanted.description,
            kinds=wanted.kinds,
            private=reachable(door.context.settings),
        )
        return NewWebhookAnswer.of(made)


@router.delete("/webhooks/{webhook_id}", status_code=204, responses=behind_a_door(422))
def delete_webhook(door: AdminsDoor, webhook_id: UUID) -> Response:
    """Sends nothing there any more."""
    with door.writing() as visit:
        webhook_endpoints.delete(visit.session, visit.organization, webhook_id, visit.who, visit.now)
    return Response(status_code=204)


@router.post("/webhooks/{webhook_id}/rotate-secret", response_model=NewWebhookAnswer, responses=behind_a_door(422))
def rotate_webhook_secret(door: AdminsDoor, webhook_id: UUID) -> NewWebhookAnswer:
    """A new secret. For 24 hours messages are signed with the old one too."""
    with door.writing() as visit:
        made = webhook_endpoints.rotate(visit.session, visit.organization, webhook_id, visit.who, visit.now)
        return NewWebhookAnswer.of(made)


@router.post("/webhooks/{webhook_id}/enable", response_model=WebhookAnswer, responses=behind_a_door(422))
def enable_webhook(door: AdminsDoor, webhook_id: UUID) -> WebhookAnswer:
    """Sends there again what happens from now on."""
    with door.writing() as visit:
        row = webhook_endpoints.enable(visit.session, visit.organization, webhook_id, visit.who, visit.now)
        return WebhookAnswer.model_validate(row)


@router.post(
    "/webhooks/{webhook_id}/test",
    status_code=202,
    response_model=DeliveryDetailAnswer,
    responses=behind_a_door(409, 422),
)
def test_webhook(door: AdminsDoor, webhook_id: UUID) -> DeliveryDetailAnswer:
    """Sends a message of type `test` there, within seconds."""
    with door.writing() as visit:
        made = delivery_log.test(visit.session, visit.organization, webhook_id, visit.now)
        return DeliveryDetailAnswer.of(delivery_log.one(visit.session, visit.organization, made, visit.now))


@router.get("/deliveries", response_model=Items[DeliveryAnswer], responses=behind_a_door(422))
def deliveries(door: AdminsDoor, query: Annotated[DeliveriesQuery, Query()]) -> dict[str, Any]:
    """What was sent or is to be, the newest first; finished ones are kept for 90 days."""
    before = None if query.cursor is None else _id(str(cursors.decode(query.cursor, str)[0]))
    with door.reading() as visit:
        found = delivery_log.latest(
            visit.session,
            visit.organization,
            visit.now,
            query.limit + 1,
            before=before,
            state=query.state or "",
            target=query.webhook,
        )
    page = [DeliveryAnswer.model_validate(each) for each in found[: query.limit]]
    more = len(found) > query.limit
    return {"items": page, "next_cursor": cursors.encode(str(page[-1].id)) if more else None}


@router.get("/deliveries/{delivery_id}", response_model=DeliveryDetailAnswer, responses=behind_a_door(422))
def delivery(door: AdminsDoor, delivery_id: UUID) -> DeliveryDetailAnswer:
    """One delivery with every try."""
    with door.reading() as visit:
        return DeliveryDetailAnswer.of(delivery_log.one(visit.session, visit.organization, delivery_id, visit.now))


@router.post(
    "/deliveries/{delivery_id}/resend",
    status_code=202,
    response_model=DeliveryDetailAnswer,
    responses=behind_a_door(409, 422),
)
def resend_delivery(door: AdminsDoor, delivery_id: UUID) -> DeliveryDetailAnswer:
    """Sends the same message once more, under the same id."""
    with door.writing() as visit:
        delivery_log.resend(visit.session, visit.organization, delivery_id, visit.now)
        return DeliveryDetailAnswer.of(delivery_log.one(visit.session, visit.organization, delivery_id, visit.now))


def _answer(door: Door, visit: Visit) -> NotificationsAnswer:
    choices = notification_choices.read(visit.session, visit.organization)
    endpoints = webhook_endpoints.every(visit.session, visit.organization)
    return NotificationsAnswer.of(choices, endpoints, mail=door.context.settings.mailing)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError(
            "The list has no such place. Begin again without a cursor.", code="cursor_not_found"
        ) from None
