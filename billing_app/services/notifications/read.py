"""Reads the page of alerts."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session

from billing_app.domain.catalogue import Metric
from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.notifications.kinds import KINDS
from billing_app.services.common.answers import filled
from billing_app.services.common.context import Context
from billing_app.services.notifications import choices, delivery_log
from billing_app.services.notifications.delivery_log import STATES
from billing_app.services.notifications.views import AlertsView, AudienceView, DeliveryDetailAnswer, WebhookAnswer
from billing_app.services.usage import plans_in_force
from billing_app.store.notifications import choices as store
from billing_app.store.notifications import deliveries as delivery_store
from billing_app.store.tables.notifications import WebhookEndpoint

SHOWN = 25
"""Deliveries on the page; older ones over the API."""

ROLE_NAMES = {Role.ADMIN: "Admins", Role.BILLING: "Billing", Role.MEMBER: "Members"}


def alerts(context: Context, *, mail: bool, state: str = "", opened: str = "") -> AlertsView:
    """The page. `state` shows only such deliveries, `opened` is the id of one to look at; what is none is left out."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    members = store.accepted(session, owner, choices.MAX_MEMBERS)
    chosen = choices.chosen(session, owner)
    endpoints = store.endpoints(session, owner)
    arrived = delivery_store.last_arrivals(session, owner, [each.id for each in endpoints])
    picked = set(chosen.people())
    wanted = state if state in STATES else ""
    found = delivery_log.latest(context, SHOWN + 1, state=wanted)
    return AlertsView(
        now=now,
        mail=mail,
        kinds=KINDS,
        audiences=(
            *_roles(session, owner, chosen),
            *(
                AudienceView(
                    choices.of_person(user.id), "mail", user.name, frozenset(chosen.kinds(choices.of_person(user.id))),
                    email=user.email,
                )
                for user, _ in members
                if user.id in picked
            ),
            *(_audience(each, chosen) for each in endpoints),
        ),
        others=tuple((user.email, user.name) for user, _ in members if user.id not in picked),
        endpoints=tuple(filled(WebhookAnswer, each, arrived_at=arrived.get(each.id)) for each in endpoints),
        deliveries=tuple(found[:SHOWN]),
        more=len(found) > SHOWN,
        opened=_opened(context, opened),
        example=_example(context),
    )  # fmt: skip


def _roles(session: Session, owner: int, chosen: choices.Chosen) -> list[AudienceView]:
    held = store.roles_held(session, owner)
    return [
        AudienceView(
            choices.of_role(role), "mail", ROLE_NAMES[role], frozenset(chosen.kinds(choices.of_role(role))),
            people=held.get(role, 0),
        )
        for role in choices.ROLES
    ]  # fmt: skip


def _audience(row: WebhookEndpoint, chosen: choices.Chosen) -> AudienceView:
    audience = choices.of_endpoint(row.id)
    return AudienceView(audience, "webhook", row.description or row.url, frozenset(chosen.kinds(audience)))


def _opened(context: Context, opened: str) -> DeliveryDetailAnswer | None:
    try:
        return delivery_log.one(context, UUID(opened)) if opened else None
    except (ValueError, NotFoundError):
        return None


def _example(context: Context) -> tuple[Metric, int] | None:
    """The first metric of which the plan includes some and not any quantity."""
    session, organization, now = context.session, context.organization, context.now
    plans = plans_in_force.plans(session, organization.pk)
    plan = plans.held_at(now)
    for metric in plans.catalog_at(now).metrics:
        allowance = plan.allowance(metric.id)
        if allowance:
            return metric, allowance
    return None
