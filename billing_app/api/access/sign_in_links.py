"""Sign-in links, for the "Billing" button of the SaaS product."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from pydantic import Field, StringConstraints

from billing_app.api.common.access import OrganizationAccess, RequireOrganization
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.common.process import PREFIX
from billing_app.api.common.schemas import VISIBLE, Answer, Request
from billing_app.domain.common.access import ADMIN_ROLES, MAX_LOCAL_PATH, Role, Scope
from billing_app.services.access import sign_in_links

Email = Annotated[str, StringConstraints(min_length=1, max_length=254, pattern=VISIBLE)]


class SignInLinkRequest(Request):
    """Whom to sign in. Somebody new gets `role`; a member keeps theirs. `return_to` is a page of the organization."""

    email: Email
    role: Role = Field(default=Role.MEMBER, description="admin, billing or member")
    return_to: str = Field(default="", max_length=MAX_LOCAL_PATH, examples=["/o/acme/credits"])


class SignInLinkAnswer(Answer):
    """Send the person's browser to `url` before `expires_at`; it works once."""

    url: str
    email: str
    role: Role
    expires_at: datetime


router = APIRouter(prefix="/organizations/{address}/sign-in-links", tags=["people"])

Administering = Annotated[OrganizationAccess, Depends(RequireOrganization(ADMIN_ROLES, frozenset({Scope.ADMIN})))]


@router.post("", status_code=201, responses=guarded(*READING_A_BODY))
def create_sign_in_link(access: Administering, request: SignInLinkRequest) -> SignInLinkAnswer:
    """A URL that signs a person in to this organization's pages, once, within five minutes."""
    with access.writing() as context:
        made = sign_in_links.create(context, request.email, request.role, request.return_to)
    url = f"{access.application.settings.public_url}{PREFIX}/sign-in-link?{urlencode({'token': made.token})}"
    return SignInLinkAnswer(url=url, email=made.email, role=made.role, expires_at=made.expires_at)
