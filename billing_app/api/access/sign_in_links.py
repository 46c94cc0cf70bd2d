"""Sign-in links: the way from the SaaS product's "Billing" button to the pages here."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends

from billing_app.api.access.schemas import SignInLinkAnswer, SignInLinkRequest
from billing_app.api.common.access import Door, OrganizationDoor
from billing_app.api.common.process import PREFIX
from billing_app.api.common.responses import READING_A_BODY, behind_a_door
from billing_app.domain.common.access import ADMIN_ROLES, Scope
from billing_app.services.access import sign_in_links

router = APIRouter(prefix="/organizations/{address}/sign-in-links", tags=["people"])

Administering = Annotated[Door, Depends(OrganizationDoor(ADMIN_ROLES, frozenset({Scope.ADMIN})))]


@router.post("", status_code=201, responses=behind_a_door(*READING_A_BODY))
def create_sign_in_link(door: Administering, request: SignInLinkRequest) -> SignInLinkAnswer:
    """A URL that signs a person in to this organization's pages, once, within five minutes."""
    with door.writing() as visit:
        made = sign_in_links.create(
            visit.session,
            visit.organization,
            request.email,
            request.role,
            request.return_to,
            visit.now,
            actor=visit.actor,
        )
    url = f"{door.context.settings.public_url}{PREFIX}/sign-in-link?{urlencode({'token': made.token})}"
    return SignInLinkAnswer(url=url, email=made.email, role=made.role, expires_at=made.expires_at)
