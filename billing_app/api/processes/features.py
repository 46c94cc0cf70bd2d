"""Which features and ways of voting an organization has, and switching them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from billing_app.api.common.access import Door, OrganizationDoor
from billing_app.api.common.responses import READING_A_BODY, behind_a_door
from billing_app.api.processes.schemas import FeaturesAnswer, FeaturesRequest
from billing_app.domain.common.access import ADMIN_ROLES, ALL_ROLES, READ_SCOPES, Scope
from billing_app.domain.processes.voting import OptionKind
from billing_app.services.limits import features as options

router = APIRouter(prefix="/organizations/{address}", tags=["processes"])

Reading = Annotated[Door, Depends(OrganizationDoor(ALL_ROLES, READ_SCOPES))]
Changing = Annotated[Door, Depends(OrganizationDoor(ADMIN_ROLES, frozenset({Scope.ADMIN})))]


@router.get("/features", response_model=FeaturesAnswer, responses=behind_a_door(422, 503))
def features(door: Reading) -> FeaturesAnswer:
    """Every feature and way of voting: on, off, or locked with the plans that have it."""
    with door.reading() as visit:
        return FeaturesAnswer.of(options.available(visit.session, visit.organization, visit.now))


@router.put("/features", response_model=FeaturesAnswer, responses=behind_a_door(*READING_A_BODY, 503))
def switch_features(door: Changing, request: FeaturesRequest) -> FeaturesAnswer:
    """Switches what the plan includes on or off: all that is named, or nothing."""
    wanted = {(OptionKind.FEATURE, name): on for name, on in request.features.items()}
    wanted |= {(OptionKind.VOTING_TYPE, name): on for name, on in request.voting_types.items()}
    with door.writing() as visit:
        found = options.switch(visit.session, visit.organization, wanted, visit.now, actor=visit.actor)
        return FeaturesAnswer.of(found)
