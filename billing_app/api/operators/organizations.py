"""Organizations as operators see them: found, made, given a plan and overrides; and the audit log of all."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from billing_app.api.common.access import OutsideAccess, RequireOperator
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.common.schemas import Items, Name
from billing_app.api.operators.schemas import (
    NewOrganizationAnswer,
    NewOrganizationRequest,
    OverrideAnswer,
    OverrideRequest,
    PlanHeldAnswer,
    PlanRequest,
)
from billing_app.api.organizations.members import entries
from billing_app.api.organizations.schemas import AuditAnswer, AuditQuery
from billing_app.services.common import cursors
from billing_app.services.common import organizations as orgs
from billing_app.services.common.context import Context
from billing_app.services.limits import overrides
from billing_app.services.limits.overrides import Kind
from billing_app.services.operators import organizations as operators
from billing_app.services.operators.views import OrganizationLineAnswer
from billing_app.services.usage import plans_in_force

router = APIRouter(prefix="/admin", tags=["operator"])

Operating = Annotated[OutsideAccess, Depends(RequireOperator())]
Address = Annotated[str, Path(max_length=64)]
Cursor = Annotated[str | None, Query(max_length=cursors.MAX_CURSOR)]


@router.get("/organizations", response_model=Items[OrganizationLineAnswer], responses=guarded(422, 503))
def find_organizations(
    access: Operating,
    search: Annotated[str, Query(max_length=operators.MAX_SEARCH, pattern=r"^[^\x00]*$")] = "",
    cursor: Cursor = None,
) -> dict[str, Any]:
    """Organizations whose name or address has `search` in it, by name: 50 at a time."""
    with access.reading() as context:
        found = operators.organizations(context.session, search, cursor or "", context.now)
    return {"items": found.organizations, "next_cursor": found.next_cursor or None}


@router.post(
    "/organizations",
    status_code=201,
    response_model=NewOrganizationAnswer,
    responses=guarded(*READING_A_BODY, 409, 503),
)
def make_organization(access: Operating, request: NewOrganizationRequest) -> NewOrganizationAnswer:
    """Creates an organization without members, for a customer who is migrated. An address is never reused."""
    with access.writing() as context:
        made = operators.make(
            context.session,
            context.now,
            name=request.name,
            address=request.address,
            plan=request.plan,
            anchor=request.anchor,
            actor=context.actor,
        )
        held = plans_in_force.plans(context.session, made.pk).plan_at(context.now)
        return NewOrganizationAnswer(address=made.address, name=made.name, plan=held, anchor=made.anchor)


@router.put(
    "/organizations/{organization}/plan",
    response_model=PlanHeldAnswer,
    responses=guarded(*READING_A_BODY, 503),
)
def set_plan(access: Operating, organization: Address, request: PlanRequest) -> PlanHeldAnswer:
    """Sets an organization's plan manually, from now on."""
    with access.writing() as context:
        found = orgs.by_address(context.session, organization)
        operators.set_plan(
            Context(context.session, found, context.now, context.actor), request.plan, reason=request.reason
        )
        return PlanHeldAnswer(address=found.address, plan=request.plan)


@router.get("/organizations/{organization}/overrides", response_model=Items[OverrideAnswer], responses=guarded(422))
def list_overrides(access: Operating, organization: Address) -> dict[str, Any]:
    """The organization's overrides, current and past, the newest first."""
    with access.reading() as context:
        found = overrides.every(context.session, orgs.by_address(context.session, organization))
        return {"items": [OverrideAnswer.model_validate(row) for row in found]}


@router.put(
    "/organizations/{organization}/overrides/{kind}/{name}",
    response_model=OverrideAnswer,
    responses=guarded(*READING_A_BODY, 503),
)
def put_override(
    access: Operating, organization: Address, kind: Kind, name: Annotated[Name, Path()], request: OverrideRequest
) -> OverrideAnswer:
    """Overrides a limit, a feature or a voting type of the plan, until `ends_at` or for good."""
    with access.writing() as context:
        row = overrides.put(
            Context(context.session, orgs.by_address(context.session, organization), context.now, context.actor),
            kind,
            name,
            request.value,
            ends_at=request.ends_at,
            reason=request.reason,
        )
        return OverrideAnswer.model_validate(row)


@router.delete("/organizations/{organization}/overrides/{kind}/{name}", status_code=204, responses=guarded(422))
def end_override(access: Operating, organization: Address, kind: Kind, name: Annotated[Name, Path()]) -> None:
    """Ends an override: the plan applies again."""
    with access.writing() as context:
        found = orgs.by_address(context.session, organization)
        overrides.end(Context(context.session, found, context.now, context.actor), kind, name)


@router.get("/audit", response_model=Items[AuditAnswer], responses=guarded(422))
def audit_of_everything(access: Operating, query: Annotated[AuditQuery, Query()]) -> dict[str, Any]:
    """Who changed what anywhere, the newest first."""
    with access.reading() as context:
        return entries(context, None, query)
