"""Members, parts, keys and the audit log of an organization."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from billing_app.api.common.schemas import DEFAULT_LIST, Answer, Limit, Name, Request, Text
from billing_app.domain.common.access import DEFAULT_SCOPES, Role, Scope
from billing_app.services.access.members import Invitation
from billing_app.services.access.views import Member
from billing_app.services.common.audit_words import Words
from billing_app.services.common.views import Entry
from billing_app.services.organizations.views import PartView
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


class MemberAnswer(Answer):
    """A person with a role; `accepted_at` null: invited."""

    id: UUID
    email: str
    name: str
    role: str
    since: datetime
    accepted_at: datetime | None

    @staticmethod
    def of(member: Member) -> MemberAnswer:
        """The member as JSON has it."""
        return MemberAnswer.model_validate(member)


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
            member=MemberAnswer.of(invitation.member),
            url=settings.public_url.rstrip("/") + invitation.path,
            expires_at=invitation.expires_at,
            mailed=mailed,
        )


class PartAnswer(Answer):
    """An organization below another. `depth` 1 is right below; `plan` is null where somebody above pays."""

    address: str
    name: str
    parent: str
    depth: int
    active: bool
    members: int
    plan: str | None

    @staticmethod
    def of(view: PartView) -> PartAnswer:
        """The part as JSON has it."""
        return PartAnswer(
            address=view.address,
            name=view.name,
            parent=view.parent,
            depth=view.depth,
            active=view.active,
            members=view.members,
            plan=view.plan_name or None,
        )


class NewKeyRequest(Request):
    """A key to make. Scopes: usage:write, check, read, billing, admin."""

    name: Text
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))] = sorted(DEFAULT_SCOPES)


class KeyAnswer(Answer):
    """A key without its secret."""

    id: UUID
    name: str
    hint: str
    scopes: list[str]
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewKeyAnswer(KeyAnswer):
    """A key just made: its secret is shown now and never again."""

    secret: str


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
            action=entry.action, subject=entry.subject, sentence=words.told(entry).sentence,
            before=dict(entry.before), after=dict(entry.after),
        )  # fmt: skip
