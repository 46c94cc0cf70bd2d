"""Members and invitations, API keys, and the audit log of an organization."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from billing_app.api.common import cursors
from billing_app.api.common.access import Door, OrganizationDoor, Visit
from billing_app.api.common.responses import READING_A_BODY, behind_a_door
from billing_app.api.common.schemas import Items
from billing_app.api.organizations.schemas import (
    AuditAnswer,
    AuditQuery,
    InvitationAnswer,
    KeyAnswer,
    MemberAnswer,
    NewKeyAnswer,
    NewKeyRequest,
    NewMember,
    Page,
    RoleChange,
)
from billing_app.domain.common.access import ADMIN_ROLES, ALL_ROLES, READ_SCOPES, Scope
from billing_app.domain.common.errors import NotFoundError
from billing_app.services.access import api_keys, invitations, members
from billing_app.services.access.sessions import Identity
from billing_app.services.common import audit
from billing_app.services.common.audit_words import Words

router = APIRouter(tags=["organizations"])

OURS = "/organizations/{address}"

MembersDoor = Annotated[Door, Depends(OrganizationDoor(ALL_ROLES, READ_SCOPES))]
PeopleDoor = Annotated[Door, Depends(OrganizationDoor(ALL_ROLES, frozenset()))]
AdminsDoor = Annotated[Door, Depends(OrganizationDoor(ADMIN_ROLES, frozenset({Scope.ADMIN})))]


@router.get(f"{OURS}/members", response_model=Items[MemberAnswer], responses=behind_a_door(422))
def members_of(door: MembersDoor, query: Annotated[Page, Query()]) -> dict[str, Any]:
    """Members and invited people by e-mail address."""
    after = "" if query.cursor is None else str(cursors.decode(query.cursor, str)[0])
    with door.reading() as visit:
        found = members.every(visit.session, visit.organization, after, query.limit + 1)
    page = [MemberAnswer.of(member) for member in found[: query.limit]]
    more = len(found) > query.limit
    return {"items": page, "next_cursor": cursors.encode(page[-1].email) if more else None}


@router.post(
    f"{OURS}/members",
    status_code=201,
    response_model=InvitationAnswer,
    responses=behind_a_door(*READING_A_BODY, 409, 503),
)
def invite(door: AdminsDoor, request: NewMember) -> InvitationAnswer:
    """Invites a person, or one who is invited again: the answer has the link, which replaces an earlier one.

    With mail set up the person is sent the link, too.
    """
    with door.writing() as visit:
        made = members.invite(
            visit.session, visit.organization, request.email, request.role, visit.now, actor=visit.who
        )
        name = visit.organization.name
        by = visit.caller.name if isinstance(visit.caller, Identity) else name
    settings = door.context.settings
    mailed = invitations.mail(settings, made, name, by)
    return InvitationAnswer.of(made, settings, mailed=mailed)


@router.delete(f"{OURS}/members/me", status_code=204, responses=behind_a_door(409))
def leave(door: PeopleDoor) -> Response:
    """Ends one's own membership."""
    with door.writing() as visit:
        if not isinstance(visit.caller, Identity):
            raise NotFoundError("A key is no member.", code="member_not_found")
        members.remove(visit.session, visit.organization, visit.caller.user_id, visit.now, actor=visit.who)
    return Response(status_code=204)


@router.patch(f"{OURS}/members/{{member}}", response_model=MemberAnswer, responses=behind_a_door(*READING_A_BODY, 409))
def change_role(door: AdminsDoor, member: UUID, request: RoleChange) -> MemberAnswer:
    """Gives a member, or somebody invited, another role."""
    with door.writing() as visit:
        changed = members.change_role(
            visit.session, visit.organization, member, request.role, visit.now, actor=visit.who
        )
    return MemberAnswer.of(changed)


@router.delete(f"{OURS}/members/{{member}}", status_code=204, responses=behind_a_door(409, 422))
def remove_member(door: AdminsDoor, member: UUID) -> Response:
    """Ends a membership, or takes an invitation back."""
    with door.writing() as visit:
        members.remove(visit.session, visit.organization, member, visit.now, actor=visit.who)
    return Response(status_code=204)


@router.get(f"{OURS}/api-keys", response_model=Items[KeyAnswer], responses=behind_a_door(422))
def keys_of(door: AdminsDoor) -> dict[str, Any]:
    """The organization's keys, revoked ones too, the newest first."""
    with door.reading() as visit:
        found = api_keys.every(visit.session, visit.organization_id)
    return {"items": [KeyAnswer.model_validate(key) for key in found]}


@router.post(
    f"{OURS}/api-keys", status_code=201, response_model=NewKeyAnswer, responses=behind_a_door(*READING_A_BODY, 409)
)
def create_key(door: AdminsDoor, request: NewKeyRequest) -> NewKeyAnswer:
    """Makes a key. Its secret is in this answer and can't be read again."""
    with door.writing() as visit:
        made = api_keys.create(visit.session, visit.organization_id, request.name, request.scopes, visit.who, visit.now)
    return NewKeyAnswer(**KeyAnswer.model_validate(made.view).model_dump(), secret=made.secret)


@router.delete(f"{OURS}/api-keys/{{key_id}}", status_code=204, responses=behind_a_door(422))
def revoke_key(door: AdminsDoor, key_id: UUID) -> Response:
    """Ends a key for good, from the next request on."""
    with door.writing() as visit:
        api_keys.revoke(visit.session, visit.organization_id, key_id, visit.now, actor=visit.who)
    return Response(status_code=204)


@router.get(f"{OURS}/audit", response_model=Items[AuditAnswer], responses=behind_a_door(422))
def audit_of(door: AdminsDoor, query: Annotated[AuditQuery, Query()]) -> dict[str, Any]:
    """Who changed what of this organization, the newest first."""
    with door.reading() as visit:
        return _entries(visit, visit.organization_id, query)


def _entries(visit: Visit, organization_id: int | None, query: AuditQuery) -> dict[str, Any]:
    words = None if query.cursor is None else tuple(map(str, cursors.decode(query.cursor, str, str)))
    found = audit.entries(
        visit.session,
        organization_id,
        query.limit + 1,
        before=audit.place_of(words),
        action=query.action or "",
    )
    page, said = found[: query.limit], Words.of(visit.session, visit.now)
    more = len(found) > query.limit
    return {
        "items": [AuditAnswer.of(entry, said) for entry in page],
        "next_cursor": cursors.encode(*page[-1].place) if more else None,
    }
