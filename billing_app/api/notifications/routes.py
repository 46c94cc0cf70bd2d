"""Who is told of what, webhook endpoints, and what became of each delivery."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from billing_app.api.common.access import OrganizationAccess, RequestContext, RequireOrganization
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.common.schemas import Items, page_of
from billing_app.api.notifications.schemas import (
    ChoicesRequest,
    DeliveriesQuery,
    NewWebhookRequest,
    NotificationsAnswer,
)
from billing_app.domain.common.access import ADMIN_ROLES, Scope
from billing_app.gateways.webhooks import reachable
from billing_app.services.common import cursors
from billing_app.services.common.answers import filled
from billing_app.services.notifications import choices as notification_choices
from billing_app.services.notifications import delivery_log, webhook_endpoints
from billing_app.services.notifications.views import (
    DeliveryAnswer,
    DeliveryDetailAnswer,
    NewWebhookAnswer,
    WebhookAnswer,
)

router = APIRouter(prefix="/organizations/{address}/notifications", tags=["notifications"])

AdminsAccess = Annotated[OrganizationAccess, Depends(RequireOrganization(ADMIN_ROLES, frozenset({Scope.ADMIN})))]


@router.get("", response_model=NotificationsAnswer, responses=guarded())
def notifications(access: AdminsAccess) -> NotificationsAnswer:
    """Every kind of event, who is notified of it, and where webhooks go."""
    with access.reading() as context:
        return _answer(access, context)


@router.put("", response_model=NotificationsAnswer, responses=guarded(*READING_A_BODY))
def choose_notifications(access: AdminsAccess, wanted: ChoicesRequest) -> NotificationsAnswer:
    """Replaces who is notified of what: send the `choices` of GET, changed."""
    with access.writing() as context:
        notification_choices.write(replace(context, actor=context.who), wanted.choices())
        return _answer(access, context)


@router.post("/webhooks", status_code=201, response_model=NewWebhookAnswer, responses=guarded(*READING_A_BODY, 409))
def create_webhook(access: AdminsAccess, wanted: NewWebhookRequest) -> NewWebhookAnswer:
    """A new endpoint. Its secret is in this answer and in no other."""
    with access.writing() as context:
        return webhook_endpoints.create(
            replace(context, actor=context.who),
            wanted.url,
            description=wanted.description,
            kinds=wanted.kinds,
            private=reachable(access.application.settings),
        )


@router.delete("/webhooks/{webhook_id}", status_code=204, responses=guarded(422))
def delete_webhook(access: AdminsAccess, webhook_id: UUID) -> Response:
    """Deletes the endpoint: nothing is sent there any more."""
    with access.writing() as context:
        webhook_endpoints.delete(replace(context, actor=context.who), webhook_id)
    return Response(status_code=204)


@router.post("/webhooks/{webhook_id}/rotate-secret", response_model=NewWebhookAnswer, responses=guarded(422))
def rotate_webhook_secret(access: AdminsAccess, webhook_id: UUID) -> NewWebhookAnswer:
    """A new secret. For 24 hours messages are signed with the old one too."""
    with access.writing() as context:
        return webhook_endpoints.rotate(replace(context, actor=context.who), webhook_id)


@router.post("/webhooks/{webhook_id}/enable", response_model=WebhookAnswer, responses=guarded(422))
def enable_webhook(access: AdminsAccess, webhook_id: UUID) -> WebhookAnswer:
    """Enables it again, for what happens from now on."""
    with access.writing() as context:
        row = webhook_endpoints.enable(replace(context, actor=context.who), webhook_id)
        return filled(WebhookAnswer, row, arrived_at=None)


@router.post(
    "/webhooks/{webhook_id}/test",
    status_code=202,
    response_model=DeliveryDetailAnswer,
    responses=guarded(409, 422),
)
def test_webhook(access: AdminsAccess, webhook_id: UUID) -> DeliveryDetailAnswer:
    """Sends a message of type `test` there, within seconds."""
    with access.writing() as context:
        made = delivery_log.test(context, webhook_id)
        return delivery_log.one(context, made)


@router.get("/deliveries", response_model=Items[DeliveryAnswer], responses=guarded(422))
def deliveries(access: AdminsAccess, query: Annotated[DeliveriesQuery, Query()]) -> dict[str, Any]:
    """Deliveries, sent and pending, the newest first; finished ones are kept for 90 days."""
    before = cursors.decode(query.cursor, UUID)
    with access.reading() as context:
        found = delivery_log.latest(
            context,
            query.limit + 1,
            before=before[0] if before else None,
            state=query.state or "",
            target=query.webhook,
        )
    return page_of(found, query.limit, lambda delivery: (delivery.id,))


@router.get("/deliveries/{delivery_id}", response_model=DeliveryDetailAnswer, responses=guarded(422))
def delivery(access: AdminsAccess, delivery_id: UUID) -> DeliveryDetailAnswer:
    """One delivery with every attempt."""
    with access.reading() as context:
        return delivery_log.one(context, delivery_id)


@router.post(
    "/deliveries/{delivery_id}/resend",
    status_code=202,
    response_model=DeliveryDetailAnswer,
    responses=guarded(409, 422),
)
def resend_delivery(access: AdminsAccess, delivery_id: UUID) -> DeliveryDetailAnswer:
    """Sends the same message once more, under the same id."""
    with access.writing() as context:
        delivery_log.resend(context, delivery_id)
        return delivery_log.one(context, delivery_id)


def _answer(access: OrganizationAccess, context: RequestContext) -> NotificationsAnswer:
    choices = notification_choices.read(context.session, context.organization)
    endpoints = webhook_endpoints.every(context.session, context.organization)
    webhooks = [filled(WebhookAnswer, each, arrived_at=None) for each in endpoints]
    return NotificationsAnswer.of(choices, webhooks, mail=access.application.settings.mailing)
