"""Which features and ways of voting an organization has, and switching them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from billing_app.api.common.access import OrganizationAccess, RequireOrganization
from billing_app.api.common.responses import READING_A_BODY, guarded
from billing_app.api.processes.schemas import FeaturesAnswer, FeaturesRequest
from billing_app.domain.common.access import ADMIN_ROLES, ALL_ROLES, READ_SCOPES, Scope
from billing_app.domain.processes.voting import OptionKind
from billing_app.services.limits import features as options

router = APIRouter(prefix="/organizations/{address}", tags=["processes"])

Reading = Annotated[OrganizationAccess, Depends(RequireOrganization(ALL_ROLES, READ_SCOPES))]
Changing = Annotated[OrganizationAccess, Depends(RequireOrganization(ADMIN_ROLES, frozenset({Scope.ADMIN})))]


@router.get("/features", response_model=FeaturesAnswer, responses=guarded(422, 503))
def features(access: Reading) -> FeaturesAnswer:
    """Every feature and way of voting: on, off, or locked with the plans that have it."""
    with access.reading() as context:
        return FeaturesAnswer.of(options.available(context))


@router.put("/features", response_model=FeaturesAnswer, responses=guarded(*READING_A_BODY, 503))
def switch_features(access: Changing, request: FeaturesRequest) -> FeaturesAnswer:
    """Switches what the plan includes on or off: all that is named, or nothing."""
    wanted = {(OptionKind.FEATURE, name): on for name, on in request.features.items()}
    wanted |= {(OptionKind.VOTING_TYPE, name): on for name, on in request.voting_types.items()}
    with access.writing() as context:
        found = options.switch(context, wanted)
        return FeaturesAnswer.of(found)
