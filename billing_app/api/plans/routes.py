"""An organization's subscription: what it holds, changing it, Stripe's portal, invoices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends

from billing_app.api.catalogue.schemas import PlanAnswer
from billing_app.api.common.access import Door, OrganizationDoor
from billing_app.api.common.responses import READING_A_BODY, behind_a_door
from billing_app.api.common.schemas import Items
from billing_app.api.plans.schemas import (
    InvoiceAnswer,
    LimitUseAnswer,
    OverrideInForce,
    PlanChangeRequest,
    PlanChoice,
    PlanPreviewAnswer,
    PortalAnswer,
    SubscriptionAnswer,
    SubscriptionObject,
)
from billing_app.domain.catalogue import plan_document
from billing_app.domain.common.access import MONEY_ROLES, READ_SCOPES, Scope
from billing_app.gateways.payments import Payments
from billing_app.gateways.stripe_payments import payments_of
from billing_app.services.catalogue import versions
from billing_app.services.common.visits import Enter
from billing_app.services.limits import overrides
from billing_app.services.payments import stripe_names
from billing_app.services.plans import changes, read

router = APIRouter(prefix="/organizations/{address}", tags=["subscription"])

Looking = Annotated[Door, Depends(OrganizationDoor(MONEY_ROLES, READ_SCOPES))]
Deciding = Annotated[Door, Depends(OrganizationDoor(MONEY_ROLES, frozenset({Scope.BILLING, Scope.ADMIN})))]

CHANGING = behind_a_door(*READING_A_BODY, 409, 503)
DECIDING = behind_a_door(409, 422, 503)


@router.get("/subscription", response_model=SubscriptionObject, responses=behind_a_door(503))
def subscription(door: Looking) -> SubscriptionObject:
    """The subscription, the plan in force with its limits, and current counts against them."""
    with door.reading() as visit:
        found = read.plan_view(visit.session, visit.organization, door.context.settings, visit.now)
        known = versions.current(visit.session, visit.now)
        plan = {**plan_document(stripe_names.named_plan(visit.session, found.plan), known), "currency": known.currency}
        given = [
            OverrideInForce(kind=each.kind, name=each.name, value=each.value, until=each.ends_at)
            for each in overrides.in_force(visit.session, visit.organization, visit.now)
        ]
    return SubscriptionObject(
        subscription=SubscriptionAnswer.of(found.subscription),
        plan=PlanAnswer.model_validate(plan),
        usage={use.limit.value: LimitUseAnswer.model_validate(use) for use in found.limits},
        overrides=given,
    )


@router.post("/subscription/preview", response_model=PlanPreviewAnswer, responses=CHANGING)
def preview_change(door: Deciding, choice: PlanChoice) -> PlanPreviewAnswer:
    """What a change of plan would cost, and when it would count. Changes nothing."""
    door.knock()
    payments = payments_of(door.context.settings)
    return PlanPreviewAnswer.model_validate(
        changes.preview(door.writing, payments, choice.plan, choice.interval), from_attributes=True
    )


@router.patch("/subscription", response_model=SubscriptionAnswer, responses=CHANGING)
def change_plan(door: Deciding, wanted: PlanChangeRequest) -> SubscriptionAnswer | None:
    """Changes the plan as previewed: more at once, less at the period's end. Twice with the same `at` is once.

    What the preview was made of is compared first: when it would cost something else by now, this is 422
    `preview_expired` and nothing is charged. So it is for a change that nobody has previewed.
    """

    def change(enter: Enter, payments: Payments) -> None:
        changes.change(enter, payments, wanted.plan, wanted.interval, wanted.at)

    return _done(door, change)


@router.delete("/subscription", response_model=SubscriptionAnswer, responses=DECIDING)
def cancel_subscription(door: Deciding) -> SubscriptionAnswer | None:
    """Ends the subscription with the period that is paid; until then nothing changes."""
    return _done(door, changes.cancel)


@router.post("/subscription/keep", response_model=SubscriptionAnswer, responses=DECIDING)
def keep_subscription(door: Deciding) -> SubscriptionAnswer | None:
    """Takes back a cancellation, or a change that was to come at the period's end."""
    return _done(door, changes.uncancel)


@router.post("/subscription/pause", response_model=SubscriptionAnswer, responses=DECIDING)
def pause_subscription(door: Deciding) -> SubscriptionAnswer | None:
    """Bills nothing until it is resumed; meanwhile the default plan holds, and what is left of the period is credit."""
    return _done(door, changes.pause)


@router.post("/subscription/resume", response_model=SubscriptionAnswer, responses=DECIDING)
def resume_subscription(door: Deciding) -> SubscriptionAnswer | None:
    """A paused subscription begins a new period now and is billed for it."""
    return _done(door, changes.resume)


@router.post("/portal", status_code=201, response_model=PortalAnswer, responses=DECIDING)
def portal(door: Deciding) -> PortalAnswer:
    """A visit to Stripe's own pages: cards, addresses, tax ids, invoices. They lead back to the plan page."""
    door.knock()
    settings = door.context.settings
    return PortalAnswer(url=changes.portal(door.writing, payments_of(settings), settings.public_url))


@router.get("/invoices", response_model=Items[InvoiceAnswer], responses=behind_a_door(409, 422, 503))
def invoices(door: Looking) -> dict[str, list[InvoiceAnswer]]:
    """What was billed, newest first: the latest two dozen. The portal has them all."""
    door.knock()
    found = changes.invoices(door.reading, payments_of(door.context.settings))
    return {"items": [InvoiceAnswer.model_validate(read.invoice_link(each)) for each in found]}


def _done(door: Door, deed: Callable[[Enter, Payments], None]) -> SubscriptionAnswer | None:
    door.knock()  # nobody makes us talk to Stripe who may not decide
    deed(door.writing, payments_of(door.context.settings))
    with door.reading() as visit:
        return SubscriptionAnswer.of(read.subscription_view(visit.session, visit.organization, visit.now))
