"""Members and invitations, API keys, and the audit log of an organization."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from billing_app.api.common.access import OrganizationAccess, OutsideContext, RequestContext, RequireOrganization
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.common.schemas import Items, page_of
from billing_app.api.organizations.schemas import (
    AuditAnswer,
    AuditQuery,
    InvitationAnswer,
    NewKeyRequest,
    NewMember,
    Page,
    RoleChange,
)
from billing_app.domain.common.access import ADMIN_ROLES, ALL_ROLES, READ_SCOPES, Scope
from billing_app.domain.common.errors import NotFoundError
from billing_app.services.access import api_keys, members
from billing_app.services.access.sessions import Identity
from billing_app.services.access.views import KeyAnswer, MemberAnswer, NewKeyAnswer
from billing_app.services.common import audit, cursors
from billing_app.services.common.audit_words import Words

router = APIRouter(tags=["organizations"])

OURS = "/organizations/{address}"

MembersAccess = Annotated[OrganizationAccess, Depends(RequireOrganization(ALL_ROLES, READ_SCOPES))]
PeopleAccess = Annotated[OrganizationAccess, Depends(RequireOrganization(ALL_ROLES, frozenset()))]
AdminsAccess = Annotated[OrganizationAccess, Depends(RequireOrganization(ADMIN_ROLES, frozenset({Scope.ADMIN})))]


@router.get(f"{OURS}/members", response_model=Items[MemberAnswer], responses=guarded(422))
def members_of(access: MembersAccess, query: Annotated[Page, Query()]) -> dict[str, Any]:
    """Members and invited people by e-mail address."""
    after = cursors.decode(query.cursor, str)
    with access.reading() as context:
        found = members.every(context.session, context.organization, after[0] if after else "", query.limit + 1)
    return page_of(found, query.limit, lambda member: (member.email,))


@router.post(
    f"{OURS}/members",
    status_code=201,
    response_model=InvitationAnswer,
    responses=guarded(*READING_A_BODY, 409, 503),
)
def invite(access: AdminsAccess, request: NewMember) -> InvitationAnswer:
    """Invites a person, or invites again: the answer has the link, which replaces an earlier one.

    With mail set up the person is sent the link, too.
    """
    with access.writing() as context:
        made = members.invite(replace(context, actor=context.who), request.email, request.role)
        name = context.organization.name
        by = context.caller.name if isinstance(context.caller, Identity) else name
    settings = access.application.settings
    mailed = members.mail(settings, made, name, by)
    return InvitationAnswer.of(made, settings, mailed=mailed)


@router.delete(f"{OURS}/members/me", status_code=204, responses=guarded(409))
def leave(access: PeopleAccess) -> Response:
    """Ends one's own membership."""
    with access.writing() as context:
        if not isinstance(context.caller, Identity):
            raise NotFoundError("A key is not a member.", code="member_not_found")
        members.remove(replace(context, actor=context.who), context.caller.user_id)
    return Response(status_code=204)


@router.patch(f"{OURS}/members/{{member}}", response_model=MemberAnswer, responses=guarded(*READING_A_BODY, 409))
def change_role(access: AdminsAccess, member: UUID, request: RoleChange) -> MemberAnswer:
    """Gives a member, or somebody invited, another role."""
    with access.writing() as context:
        return members.change_role(replace(context, actor=context.who), member, request.role)


@router.delete(f"{OURS}/members/{{member}}", status_code=204, responses=guarded(409, 422))
def remove_member(access: AdminsAccess, member: UUID) -> Response:
    """Ends a membership, or revokes an invitation."""
    with access.writing() as context:
        members.remove(replace(context, actor=context.who), member)
    return Response(status_code=204)


@router.get(f"{OURS}/api-keys", response_model=Items[KeyAnswer], responses=guarded(422))
def keys_of(access: AdminsAccess) -> dict[str, Any]:
    """The organization's keys, revoked ones too, the newest first."""
    with access.reading() as context:
        found = api_keys.every(context.session, context.organization_id)
    return {"items": found}


@router.post(f"{OURS}/api-keys", status_code=201, response_model=NewKeyAnswer, responses=guarded(*READING_A_BODY, 409))
def create_key(access: AdminsAccess, request: NewKeyRequest) -> NewKeyAnswer:
    """Creates a key. Its secret is in this answer and can't be read again."""
    with access.writing() as context:
        return api_keys.create(
            context.session, context.organization_id, request.name, request.scopes, context.who, context.now
        )


@router.delete(f"{OURS}/api-keys/{{key_id}}", status_code=204, responses=guarded(422))
def revoke_key(access: AdminsAccess, key_id: UUID) -> Response:
    """Revokes a key for good, from the next request on."""
    with access.writing() as context:
        api_keys.revoke(context.session, context.organization_id, key_id, context.now, actor=context.who)
    return Response(status_code=204)


@router.get(f"{OURS}/audit", response_model=Items[AuditAnswer], responses=guarded(422))
def audit_of(access: AdminsAccess, query: Annotated[AuditQuery, Query()]) -> dict[str, Any]:
    """Who changed what of this organization, the newest first."""
    with access.reading() as context:
        return entries(context, context.organization_id, query)


def entries(context: RequestContext | OutsideContext, organization_id: int | None, query: AuditQuery) -> dict[str, Any]:
    """Entries of one organization, or (None) of all."""
    before, action = audit.place_at(query.cursor), query.action or ""
    found = audit.entries(context.session, organization_id, query.limit + 1, before=before, action=action)
    page, said = page_of(found, query.limit, lambda entry: entry.place), Words.of(context.session, context.now)
    return {**page, "items": [AuditAnswer.of(entry, said) for entry in page["items"]]}
