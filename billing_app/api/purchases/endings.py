"""Ending an organization: what it pays for, ending all of it, and taking that back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from billing_app import clock
from billing_app.api.common.access import Door, OrganizationDoor
from billing_app.api.common.responses import READING_A_BODY, behind_a_door
from billing_app.api.purchases.endings_schemas import EndingAnswer, EndingRequest, EndsWhen
from billing_app.domain.common.access import ADMIN_ROLES, MONEY_ROLES, READ_SCOPES, Role, Scope
from billing_app.gateways.stripe_payments import payments_of
from billing_app.services.plans import endings_told
from billing_app.services.purchases import endings
from billing_app.store.organizations.organizations import stored_id

router = APIRouter(prefix="/organizations/{address}", tags=["organization"])

Looking = Annotated[Door, Depends(OrganizationDoor(MONEY_ROLES, READ_SCOPES))]
Deciding = Annotated[Door, Depends(OrganizationDoor(ADMIN_ROLES, frozenset({Scope.ADMIN})))]


@router.get("/ending", response_model=EndingAnswer, responses=behind_a_door(503))
def ending(door: Looking) -> EndingAnswer:
    """What the organization pays for, what ends with it and when; and whether somebody has decided that it does."""
    with door.reading() as visit:
        return EndingAnswer.model_validate(endings.look(visit.session, visit.organization, visit.now))


@router.post(
    "/ending", status_code=202, response_model=EndingAnswer, responses=behind_a_door(*READING_A_BODY, 409, 503)
)
def end_organization(door: Deciding, wanted: EndingRequest) -> EndingAnswer:
    """Ends the organization with all its parts: plan, recurring packs, auto top-ups and open orders.

    Nothing that is paid is given back; credits and history stay readable.
    """
    with door.writing() as visit:
        endings.decide(
            visit.session,
            visit.organization,
            visit.now,
            at_period_end=wanted.when is EndsWhen.PERIOD_END,
            reason=wanted.reason,
            actor=visit.who,
        )
        owner = stored_id(visit.organization)
    return _told(door, owner)


@router.delete("/ending", response_model=EndingAnswer, responses=behind_a_door(409, 422, 503))
def keep_organization(door: Deciding) -> EndingAnswer:
    """It does not end after all; once it is over, only an operator can let it work again."""
    with door.writing() as visit:
        operator = visit.role is Role.OPERATOR
        endings.withdraw(visit.session, visit.organization, visit.now, actor=visit.who, reopen=operator)
        owner = stored_id(visit.organization)
    return _told(door, owner)


def _told(door: Door, owner: int) -> EndingAnswer:
    settings, database = door.context.settings, door.context.database
    payments = payments_of(settings) if settings.selling else None
    endings_told.tell_at_once(database.writing, payments, owner, clock.now)
    with door.reading() as visit:
        return EndingAnswer.model_validate(endings.look(visit.session, visit.organization, visit.now))
