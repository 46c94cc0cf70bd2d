"""Members, parts, keys and the audit log of an organization."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from billing_app.api.common.schemas import DEFAULT_LIST, Answer, Limit, Name, Request, Text
from billing_app.domain.common.access import DEFAULT_SCOPES, Role, Scope
from billing_app.services.access.members import Invitation
from billing_app.services.access.views import MemberAnswer
from billing_app.services.common.audit_words import Words
from billing_app.services.common.views import Entry
from billing_app.settings import Settings

Email = Annotated[str, StringConstraints(min_length=3, max_length=254)]


class Page(BaseModel):
    """Where a list begins and how much of it is wanted."""

    limit: Limit = DEFAULT_LIST
    cursor: str | None = None


class NewMember(Request):
    """Whom to invite, as what."""

    email: Email
    role: Role = Role.MEMBER


class RoleChange(Request):
    """What a member is to be."""

    role: Role


class InvitationAnswer(Answer):
    """An invited person and the link that lets them in, shown now and never again."""

    member: MemberAnswer
    url: str
    expires_at: datetime
    mailed: bool = Field(description="whether the person was sent the link, too: mail is set up, and took it")

    @staticmethod
    def of(invitation: Invitation, settings: Settings, *, mailed: bool) -> InvitationAnswer:
        """The invitation with its link at our public address."""
        return InvitationAnswer(
            member=invitation.member,
            url=settings.public_url.rstrip("/") + invitation.path,
            expires_at=invitation.expires_at,
            mailed=mailed,
        )


class NewKeyRequest(Request):
    """A key to make. Scopes: usage:write, check, read, billing, admin."""

    name: Text
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))] = sorted(DEFAULT_SCOPES)


class AuditQuery(Page):
    """Which entries: of an action (`member.invited`) or of all about a noun (`member`)."""

    action: Name | None = None


class AuditAnswer(Answer):
    """One change: who did what, and what it was before and after. `organization` null: the whole console.

    `sentence` says the same to people.
    """

    id: UUID
    at: datetime
    organization: str | None
    actor: str
    who: str
    action: str
    subject: str
    sentence: str
    before: dict[str, Any]
    after: dict[str, Any]

    @staticmethod
    def of(entry: Entry, words: Words) -> AuditAnswer:
        """The entry as JSON has it."""
        return AuditAnswer(
            id=entry.id, at=entry.at, organization=entry.address or None, actor=entry.actor, who=entry.who,
            action=entry.action, subject=entry.subject, sentence=words.text_of(entry).sentence,
            before=dict(entry.before), after=dict(entry.after),
        )  # fmt: skip
