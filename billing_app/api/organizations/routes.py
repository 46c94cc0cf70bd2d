"""Organizations and their parts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from billing_app.api.common.access import Door, OperatorDoor, OrganizationDoor, Visit
from billing_app.api.common.responses import READING_A_BODY, behind_a_door
from billing_app.api.common.schemas import Items, Name
from billing_app.api.organizations.profile_schemas import (
    NewOrganization,
    OrganizationAnswer,
    OrganizationChange,
    SubOrganizationChange,
)
from billing_app.api.organizations.schemas import PartAnswer
from billing_app.domain.common.access import ADMIN_ROLES, ALL_ROLES, MONEY_ROLES, READ_SCOPES, Role, Scope
from billing_app.domain.common.errors import ForbiddenError
from billing_app.services.access import sessions
from billing_app.services.access.api_keys import KeyHolder
from billing_app.services.access.sessions import Identity
from billing_app.services.organizations import children, create, profiles, read
from billing_app.store.access import users
from billing_app.store.organizations import tree
from billing_app.store.tables.orgs import Organization

router = APIRouter(tags=["organizations"])

AnyoneDoor = Annotated[Door, Depends(OperatorDoor(anyone=True))]
MembersDoor = Annotated[Door, Depends(OrganizationDoor(ALL_ROLES, READ_SCOPES))]
AdminsDoor = Annotated[Door, Depends(OrganizationDoor(ADMIN_ROLES, frozenset({Scope.ADMIN})))]
PartAddress = Annotated[Name, Path(description="the part's address")]


@router.post(
    "/organizations",
    status_code=201,
    response_model=OrganizationAnswer,
    responses=behind_a_door(*READING_A_BODY, 409, 503),
)
def create_organization(door: AnyoneDoor, request: NewOrganization) -> OrganizationAnswer:
    """A new organization on the default plan. Who makes it is its first admin; an operator's key makes it empty.

    With `parents` it is a sub-organization, as POST /organizations/{address}/suborganizations makes one.
    """
    with door.writing() as visit:
        _require_may_deactivate(visit, request.active is False)
        if request.parents:
            made = _create_below(visit, _parent(visit, request.parents), request)
        else:
            made = create.found(
                visit.session,
                visit.now,
                name=request.name,
                address=request.address,
                profile=_profile(request),
                identity=visit.caller if isinstance(visit.caller, Identity) else None,
                actor=visit.who,
            )
        if request.active is False:
            profiles.set_active(visit.session, made, False, visit.now, actor=visit.who)
        return _answer(visit, made, money=True)


@router.get("/organizations/{address}", response_model=OrganizationAnswer, responses=behind_a_door(422, 503))
def organization(door: MembersDoor) -> OrganizationAnswer:
    """The organization with its current counts; billing fields for those who may buy."""
    with door.reading() as visit:
        return _answer(visit, visit.organization, money=_sees_money(visit))


@router.patch(
    "/organizations/{address}", response_model=OrganizationAnswer, responses=behind_a_door(*READING_A_BODY, 409, 503)
)
def change_organization(door: AdminsDoor, request: OrganizationChange) -> OrganizationAnswer:
    """Changes what is sent, and nothing else. The object may be sent whole, but for what is counted or Stripe's."""
    with door.writing() as visit:
        above = [each.address for each in tree.ancestors(visit.session, visit.organization)]
        profiles.require_same(visit.organization, request.address, request.parents, above)
        _require_may_deactivate(visit, request.active not in (None, visit.organization.active))
        if changes := request.changes():
            profiles.change(visit.session, visit.organization, changes, visit.now, actor=visit.who)
        if request.active is not None:
            profiles.set_active(visit.session, visit.organization, request.active, visit.now, actor=visit.who)
        return _answer(visit, visit.organization, money=_sees_money(visit))


@router.get("/organizations/{address}/suborganizations", response_model=Items[PartAnswer], responses=behind_a_door(422))
def suborganizations_of(door: MembersDoor) -> dict[str, Any]:
    """Everything below the organization, each followed by its own parts."""
    with door.reading() as visit:
        found = read.parts(visit.session, visit.organization, visit.now)
        return {"items": [PartAnswer.of(part) for part in found]}


@router.post(
    "/organizations/{address}/suborganizations",
    status_code=201,
    response_model=OrganizationAnswer,
    responses=behind_a_door(*READING_A_BODY, 409, 503),
)
def create_suborganization(door: AdminsDoor, request: NewOrganization) -> OrganizationAnswer:
    """A new part of the organization, which pays for it. Who makes it is its first admin."""
    with door.writing() as visit:
        _require_may_deactivate(visit, request.active is False)
        if request.parents:
            children.require_parents(visit.session, visit.organization, request.parents)
        made = _create_below(visit, visit.organization, request)
        if request.active is False:
            profiles.set_active(visit.session, made, False, visit.now, actor=visit.who)
        return _answer(visit, made, money=True)


@router.patch(
    "/organizations/{address}/suborganizations/{suborganization}",
    response_model=OrganizationAnswer,
    responses=behind_a_door(*READING_A_BODY, 409, 503),
)
def change_suborganization(
    door: AdminsDoor, suborganization: PartAddress, request: SubOrganizationChange
) -> OrganizationAnswer:
    """Changes a part: what it says about itself, whether it is active, and what it is a part of."""
    with door.writing() as visit:
        here = visit.session, visit.organization
        part = children.find(*here, suborganization)
        if request.parent is not None:
            children.move(*here, part, request.parent, visit.now, actor=visit.who)
        if request.active is not None:
            children.set_active(*here, part, request.active, visit.now, actor=visit.who)
        if changes := request.changes():
            profiles.change(visit.session, part, changes, visit.now, actor=visit.who)
        return _answer(visit, part, money=_sees_money(visit))


@router.delete(
    "/organizations/{address}/suborganizations/{suborganization}",
    response_model=OrganizationAnswer,
    responses=behind_a_door(422, 503),
)
def deactivate_suborganization(door: AdminsDoor, suborganization: PartAddress) -> OrganizationAnswer:
    """Deactivates a part: its data stays, nothing more is allowed, and its place is free."""
    with door.writing() as visit:
        part = children.find(visit.session, visit.organization, suborganization)
        children.set_active(visit.session, visit.organization, part, False, visit.now, actor=visit.who)
        return _answer(visit, part, money=_sees_money(visit))


def _parent(visit: Visit, parents: list[str]) -> Organization:
    """The organization that a new one is to be a part of, for an admin of it or an operator."""
    if isinstance(visit.caller, Identity):
        here = visit.session, visit.caller, parents[0], visit.now
        parent = sessions.authorize(*here, ADMIN_ROLES).organization
    else:
        parent = sessions.organization_at(visit.session, parents[0])
    children.require_parents(visit.session, parent, parents)
    return parent


def _create_below(visit: Visit, parent: Organization, request: NewOrganization) -> Organization:
    identity = visit.caller if isinstance(visit.caller, Identity) else None
    return children.create(
        visit.session,
        parent,
        visit.now,
        name=request.name,
        address=request.address,
        profile=_profile(request),
        creator=None if identity is None else users.by_id(visit.session, identity.user_id),
        actor=visit.who,
    )


def _profile(request: NewOrganization) -> dict[str, str]:
    return {name: value for name, value in request.changes().items() if name != "name"}


def _require_may_deactivate(visit: Visit, changes: bool) -> None:
    """`active` may be sent by anybody as it is."""
    if changes and visit.role is not Role.OPERATOR:
        raise ForbiddenError("Only operators deactivate an organization, or let it work again.")


def _answer(visit: Visit, found: Organization, *, money: bool) -> OrganizationAnswer:
    return OrganizationAnswer.of(read.profile(visit.session, found, visit.now, money=money))


def _sees_money(visit: Visit) -> bool:
    if visit.role is not None:
        return visit.role in MONEY_ROLES or visit.role is Role.OPERATOR
    return isinstance(visit.caller, KeyHolder) and bool(visit.caller.scopes & {Scope.BILLING, Scope.ADMIN})
