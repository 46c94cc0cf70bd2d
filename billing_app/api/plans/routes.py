"""An organization's subscription: what it holds, changing it, Stripe's portal, invoices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends

from billing_app.api.catalogue.schemas import PlanAnswer
from billing_app.api.common.access import OrganizationAccess, RequireOrganization
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.common.schemas import Items
from billing_app.api.plans.schemas import (
    LimitUseAnswer,
    OverrideInForce,
    PlanChangeRequest,
    PlanChoice,
    PortalAnswer,
    SubscriptionObject,
)
from billing_app.domain.catalogue import plan_document
from billing_app.domain.common.access import MONEY_ROLES, READ_SCOPES, Scope
from billing_app.gateways.payments import Payments
from billing_app.gateways.stripe.payments import payments_of
from billing_app.services.catalogue import versions
from billing_app.services.common.context import Enter
from billing_app.services.limits import overrides
from billing_app.services.payments import stripe_names
from billing_app.services.plans import changes, read
from billing_app.services.subscriptions.views_plan import InvoiceAnswer, PlanPreviewAnswer, SubscriptionAnswer

router = APIRouter(prefix="/organizations/{address}", tags=["subscription"])

Looking = Annotated[OrganizationAccess, Depends(RequireOrganization(MONEY_ROLES, READ_SCOPES))]
Deciding = Annotated[
    OrganizationAccess, Depends(RequireOrganization(MONEY_ROLES, frozenset({Scope.BILLING, Scope.ADMIN})))
]

CHANGING = guarded(*READING_A_BODY, 409, 503)
DECIDING = guarded(409, 422, 503)


@router.get("/subscription", response_model=SubscriptionObject, responses=guarded(503))
def subscription(access: Looking) -> SubscriptionObject:
    """The subscription, the plan in force with its limits, and current counts against them."""
    with access.reading() as context:
        found = read.plan_view(context, access.application.settings)
        known = versions.current(context.session, context.now)
        plan = {
            **plan_document(stripe_names.named_plan(context.session, found.plan), known),
            "currency": known.currency,
        }
        given = [
            OverrideInForce(kind=each.kind, name=each.name, value=each.value, until=each.ends_at)
            for each in overrides.in_force(context)
        ]
    return SubscriptionObject(
        subscription=found.subscription,
        plan=PlanAnswer.model_validate(plan),
        usage={use.limit.value: LimitUseAnswer.model_validate(use) for use in found.limits},
        overrides=given,
    )


@router.post("/subscription/preview", response_model=PlanPreviewAnswer, responses=CHANGING)
def preview_change(access: Deciding, choice: PlanChoice) -> PlanPreviewAnswer:
    """What a change of plan would cost, and when it would take effect. Changes nothing."""
    access.check()
    payments = payments_of(access.application.settings)
    return changes.preview(access.writing, payments, choice.plan, choice.interval)


@router.patch("/subscription", response_model=SubscriptionAnswer, responses=CHANGING)
def change_plan(access: Deciding, wanted: PlanChangeRequest) -> SubscriptionAnswer | None:
    """Changes the plan as previewed: upgrades at once, downgrades at the period's end. Repeating an `at` does nothing.

    What the preview was made of is compared first: when it would cost something else by now, this is 422
    `preview_expired` and nothing is charged. So it is for a change that nobody has previewed.
    """

    def change(enter: Enter, payments: Payments) -> None:
        changes.change(enter, payments, wanted.plan, wanted.interval, wanted.at)

    return _done(access, change)


@router.delete("/subscription", response_model=SubscriptionAnswer, responses=DECIDING)
def cancel_subscription(access: Deciding) -> SubscriptionAnswer | None:
    """Cancels the subscription at the end of the paid period; until then nothing changes."""
    return _done(access, changes.cancel)


@router.post("/subscription/keep", response_model=SubscriptionAnswer, responses=DECIDING)
def keep_subscription(access: Deciding) -> SubscriptionAnswer | None:
    """Undoes a cancellation, or a change scheduled for the period's end."""
    return _done(access, changes.uncancel)


@router.post("/subscription/pause", response_model=SubscriptionAnswer, responses=DECIDING)
def pause_subscription(access: Deciding) -> SubscriptionAnswer | None:
    """Bills nothing until it is resumed; meanwhile the default plan applies, and the rest of the period is credited."""
    return _done(access, changes.pause)


@router.post("/subscription/resume", response_model=SubscriptionAnswer, responses=DECIDING)
def resume_subscription(access: Deciding) -> SubscriptionAnswer | None:
    """A paused subscription begins a new period now and is billed for it."""
    return _done(access, changes.resume)


@router.post("/portal", status_code=201, response_model=PortalAnswer, responses=DECIDING)
def portal(access: Deciding) -> PortalAnswer:
    """Opens Stripe's customer portal: cards, addresses, tax ids, invoices. It leads back to the plan page."""
    access.check()
    settings = access.application.settings
    return PortalAnswer(url=changes.portal(access.writing, payments_of(settings), settings.public_url))


@router.get("/invoices", response_model=Items[InvoiceAnswer], responses=guarded(409, 422, 503))
def invoices(access: Looking) -> dict[str, list[InvoiceAnswer]]:
    """What was billed, newest first: the latest two dozen. The portal has them all."""
    access.check()
    found = changes.invoices(access.reading, payments_of(access.application.settings))
    return {"items": [read.invoice_link(each) for each in found]}


def _done(access: OrganizationAccess, deed: Callable[[Enter, Payments], None]) -> SubscriptionAnswer | None:
    access.check()  # nobody makes us talk to Stripe who may not decide
    deed(access.writing, payments_of(access.application.settings))
    with access.reading() as context:
        return read.subscription_view(context)
