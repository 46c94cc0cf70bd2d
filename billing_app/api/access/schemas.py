"""Sign-in links, for the "Billing" button of the SaaS product."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from billing_app.api.common.schemas import VISIBLE, Answer, Request
from billing_app.domain.common.access import MAX_LOCAL_PATH, Role

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
