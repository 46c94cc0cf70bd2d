"""Organizations and their parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from billing_app.api.common.access import (
    OrganizationAccess,
    OutsideAccess,
    OutsideContext,
    RequestContext,
    RequireOperator,
    RequireOrganization,
)
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.common.schemas import Items, Name
from billing_app.api.organizations.schemas import (
    NewOrganization,
    OrganizationAnswer,
    OrganizationChange,
    SubOrganizationChange,
)
from billing_app.domain.common.access import ADMIN_ROLES, ALL_ROLES, MONEY_ROLES, READ_SCOPES, Role, Scope
from billing_app.domain.common.errors import ForbiddenError
from billing_app.services.access import sessions, users
from billing_app.services.access.api_keys import KeyHolder
from billing_app.services.access.sessions import Identity
from billing_app.services.common.context import Context
from billing_app.services.common.organizations import Organization
from billing_app.services.organizations import children, create, profiles, read
from billing_app.services.organizations.views import PartAnswer

router = APIRouter(tags=["organizations"])

AnyoneAccess = Annotated[OutsideAccess, Depends(RequireOperator(anyone=True))]
MembersAccess = Annotated[OrganizationAccess, Depends(RequireOrganization(ALL_ROLES, READ_SCOPES))]
AdminsAccess = Annotated[OrganizationAccess, Depends(RequireOrganization(ADMIN_ROLES, frozenset({Scope.ADMIN})))]
PartAddress = Annotated[Name, Path(description="the part's address")]


@router.post(
    "/organizations",
    status_code=201,
    response_model=OrganizationAnswer,
    responses=guarded(*READING_A_BODY, 409, 503),
)
def create_organization(access: AnyoneAccess, request: NewOrganization) -> OrganizationAnswer:
    """Creates an organization on the default plan. Its creator is its first admin; an operator's key adds no member.

    With `parents` it is a sub-organization, as POST /organizations/{address}/suborganizations makes one.
    """
    with access.writing() as context:
        _require_may_deactivate(context, request.active is False)
        if request.parents:
            made = _create_below(context, _parent(context, request.parents), request)
        else:
            made = create.found(
                context.session,
                context.now,
                name=request.name,
                address=request.address,
                profile=_profile(request),
                identity=context.caller if isinstance(context.caller, Identity) else None,
                actor=context.who,
            )
        if request.active is False:
            profiles.set_active(Context(context.session, made, context.now, context.who), False)
        return _answer(context, made, money=True)


@router.get("/organizations/{address}", response_model=OrganizationAnswer, responses=guarded(422, 503))
def organization(access: MembersAccess) -> OrganizationAnswer:
    """The organization with its current counts; billing fields for those who may buy."""
    with access.reading() as context:
        return _answer(context, context.organization, money=_sees_money(context))


@router.patch(
    "/organizations/{address}", response_model=OrganizationAnswer, responses=guarded(*READING_A_BODY, 409, 503)
)
def change_organization(access: AdminsAccess, request: OrganizationChange) -> OrganizationAnswer:
    """Changes what is sent, and nothing else. The whole object may be sent, except what is counted or Stripe's."""
    with access.writing() as context:
        profiles.require_same(context.session, context.organization, request.address, request.parents)
        _require_may_deactivate(context, request.active not in (None, context.organization.active))
        if changes := request.changes():
            profiles.change(replace(context, actor=context.who), changes)
        if request.active is not None:
            profiles.set_active(replace(context, actor=context.who), request.active)
        return _answer(context, context.organization, money=_sees_money(context))


@router.get("/organizations/{address}/suborganizations", response_model=Items[PartAnswer], responses=guarded(422))
def suborganizations_of(access: MembersAccess) -> dict[str, Any]:
    """Everything below the organization, each followed by its own sub-organizations."""
    with access.reading() as context:
        return {"items": children.below(context)}


@router.post(
    "/organizations/{address}/suborganizations",
    status_code=201,
    response_model=OrganizationAnswer,
    responses=guarded(*READING_A_BODY, 409, 503),
)
def create_suborganization(access: AdminsAccess, request: NewOrganization) -> OrganizationAnswer:
    """Creates a sub-organization, which this organization pays for. Its creator is its first admin."""
    with access.writing() as context:
        _require_may_deactivate(context, request.active is False)
        if request.parents:
            children.require_parents(context.session, context.organization, request.parents)
        made = _create_below(context, context.organization, request)
        if request.active is False:
            profiles.set_active(Context(context.session, made, context.now, context.who), False)
        return _answer(context, made, money=True)


@router.patch(
    "/organizations/{address}/suborganizations/{suborganization}",
    response_model=OrganizationAnswer,
    responses=guarded(*READING_A_BODY, 409, 503),
)
def change_suborganization(
    access: AdminsAccess, suborganization: PartAddress, request: SubOrganizationChange
) -> OrganizationAnswer:
    """Changes a sub-organization: its profile, whether it is active, and its parent."""
    with access.writing() as context:
        part = children.find(context.session, context.organization, suborganization)
        if request.parent is not None:
            children.move(replace(context, actor=context.who), part, request.parent)
        if request.active is not None:
            children.set_active(replace(context, actor=context.who), part, request.active)
        if changes := request.changes():
            profiles.change(Context(context.session, part, context.now, context.who), changes)
        return _answer(context, part, money=_sees_money(context))


@router.delete(
    "/organizations/{address}/suborganizations/{suborganization}",
    response_model=OrganizationAnswer,
    responses=guarded(422, 503),
)
def deactivate_suborganization(access: AdminsAccess, suborganization: PartAddress) -> OrganizationAnswer:
    """Deactivates a sub-organization: its data stays, nothing more is allowed, and its place is free."""
    with access.writing() as context:
        part = children.find(context.session, context.organization, suborganization)
        children.set_active(replace(context, actor=context.who), part, False)
        return _answer(context, part, money=_sees_money(context))


def _parent(context: OutsideContext, parents: list[str]) -> Organization:
    """The organization that a new one is to be a part of, for an admin of it or an operator."""
    if isinstance(context.caller, Identity):
        here = context.session, context.caller, parents[0], context.now
        parent = sessions.authorize(*here, ADMIN_ROLES).organization
    else:
        parent = sessions.organization_at(context.session, parents[0])
    children.require_parents(context.session, parent, parents)
    return parent


def _create_below(
    context: RequestContext | OutsideContext, parent: Organization, request: NewOrganization
) -> Organization:
    identity = context.caller if isinstance(context.caller, Identity) else None
    return children.create(
        Context(context.session, parent, context.now, context.who),
        name=request.name,
        address=request.address,
        profile=_profile(request),
        creator=None if identity is None else users.by_id(context.session, identity.user_id),
    )


def _profile(request: NewOrganization) -> dict[str, str]:
    return {name: value for name, value in request.changes().items() if name != "name"}


def _require_may_deactivate(context: RequestContext | OutsideContext, changes: bool) -> None:
    """`active` may be sent by anybody as it is."""
    if changes and context.role is not Role.OPERATOR:
        raise ForbiddenError("Only operators can deactivate or reactivate an organization.")


def _answer(context: RequestContext | OutsideContext, found: Organization, *, money: bool) -> OrganizationAnswer:
    return OrganizationAnswer.of(read.profile(Context(context.session, found, context.now), money=money))


def _sees_money(context: RequestContext) -> bool:
    if context.role is not None:
        return context.role in MONEY_ROLES or context.role is Role.OPERATOR
    return isinstance(context.caller, KeyHolder) and bool(context.caller.scopes & {Scope.BILLING, Scope.ADMIN})
