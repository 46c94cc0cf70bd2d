"""Ending an organization: what it pays for, ending all of it, and taking that back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends

from billing_app import clock
from billing_app.api.common.access import OrganizationAccess, RequestContext, RequireOrganization
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.purchases.schemas import EndingRequest, EndsWhen
from billing_app.domain.common.access import ADMIN_ROLES, MONEY_ROLES, READ_SCOPES, Role, Scope
from billing_app.gateways.stripe.payments import payments_of
from billing_app.services.plans import stripe_endings
from billing_app.services.purchases import endings
from billing_app.services.subscriptions.views_endings import EndingAnswer

router = APIRouter(prefix="/organizations/{address}", tags=["organization"])

Looking = Annotated[OrganizationAccess, Depends(RequireOrganization(MONEY_ROLES, READ_SCOPES))]
Deciding = Annotated[OrganizationAccess, Depends(RequireOrganization(ADMIN_ROLES, frozenset({Scope.ADMIN})))]


@router.get("/ending", response_model=EndingAnswer, responses=guarded(503))
def ending(access: Looking) -> EndingAnswer:
    """What the organization pays for, what ends with it and when; and whether its end was decided."""
    with access.reading() as context:
        return endings.look(context)


@router.post("/ending", status_code=202, response_model=EndingAnswer, responses=guarded(*READING_A_BODY, 409, 503))
def end_organization(access: Deciding, wanted: EndingRequest) -> EndingAnswer:
    """Ends the organization with everything below it: plan, recurring packs, auto top-ups and open orders.

    Nothing that is paid is given back; credits and history stay readable.
    """

    def decide(context: RequestContext) -> None:
        endings.decide(
            replace(context, actor=context.who), at_period_end=wanted.when is EndsWhen.PERIOD_END, reason=wanted.reason
        )

    return _decided(access, decide)


@router.delete("/ending", response_model=EndingAnswer, responses=guarded(409, 422, 503))
def keep_organization(access: Deciding) -> EndingAnswer:
    """Undoes that decision; once it is over, only an operator can reactivate the organization."""

    def withdraw(context: RequestContext) -> None:
        operator = context.role is Role.OPERATOR
        endings.withdraw(replace(context, actor=context.who), reopen=operator)

    return _decided(access, withdraw)


def _decided(access: OrganizationAccess, decide: Callable[[RequestContext], None]) -> EndingAnswer:
    settings, database = access.application.settings, access.application.database
    payments = payments_of(settings) if settings.selling else None
    stripe_endings.decided(access.writing, decide, database.writing, payments, clock.now)
    with access.reading() as context:
        return endings.look(context)
