"""Sign-in links: the way from the SaaS product's "Billing" button to the pages here."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends

from billing_app.api.access.schemas import SignInLinkAnswer, SignInLinkRequest
from billing_app.api.common.access import OrganizationAccess, RequireOrganization
from billing_app.api.common.process import PREFIX
from billing_app.api.common.responses import READING_A_BODY, guarded
from billing_app.domain.common.access import ADMIN_ROLES, Scope
from billing_app.services.access import sign_in_links

router = APIRouter(prefix="/organizations/{address}/sign-in-links", tags=["people"])

Administering = Annotated[OrganizationAccess, Depends(RequireOrganization(ADMIN_ROLES, frozenset({Scope.ADMIN})))]


@router.post("", status_code=201, responses=guarded(*READING_A_BODY))
def create_sign_in_link(access: Administering, request: SignInLinkRequest) -> SignInLinkAnswer:
    """A URL that signs a person in to this organization's pages, once, within five minutes."""
    with access.writing() as context:
        made = sign_in_links.create(context, request.email, request.role, request.return_to)
    url = f"{access.application.settings.public_url}{PREFIX}/sign-in-link?{urlencode({'token': made.token})}"
    return SignInLinkAnswer(url=url, email=made.email, role=made.role, expires_at=made.expires_at)
