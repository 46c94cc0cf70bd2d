"""Organizations, members, parts, keys, audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from billing_app.api.schemas.shared import DEFAULT_LIST, MAX_LIST, Answer, Flag, Name, Request, Text
from billing_app.domain.access import DEFAULT_SCOPES, Role, Scope
from billing_app.services.audit import Entry
from billing_app.services.members import Invitation, Member
from billing_app.services.views.organization import PartView, ProfileView
from billing_app.settings import Settings

Title = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Line = Annotated[str, StringConstraints(max_length=255)]
Email = Annotated[str, StringConstraints(min_length=3, max_length=254)]
Address = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Profile(Request):
    """What an organization says about itself. What is left out stays as it is."""

    type: Line | None = None
    description: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    size: Line | None = None
    color: Line | None = Field(default=None, description="#rrggbb, or empty")
    logo: Annotated[str, StringConstraints(max_length=2_000)] | None = Field(
        default=None, description="the address of an image; it is never fetched"
    )
    timezone: Line | None = Field(default=None, description="as in the IANA database: Europe/Lisbon")
    country: Line | None = Field(default=None, description="two letters (ISO 3166-1)")

    def changes(self) -> dict[str, str]:
        """The fields that were sent."""
        found = self.model_dump(exclude_none=True)
        return {name: value for name, value in found.items() if isinstance(value, str) and name != "address"}


class NewOrganization(Profile):
    """A new organization. Without an `address` one is generated; an address is never given twice."""

    name: Title
    address: Address | None = None


class OrganizationChange(Profile):
    """A change of an organization."""

    name: Title | None = None
    subdomain: Line | None = Field(default=None, description="a web address of its own, where the plan includes one")
    active: Flag | None = Field(default=None, description="for operators: a deactivated organization may do nothing")


class SubOrganizationChange(Profile):
    """A change of a part."""

    name: Title | None = None
    active: Flag | None = None
    parent: Address | None = Field(default=None, description="what it is to be a part of")


class CountsAnswer(Answer):
    """What there is now, of this organization alone."""

    members: int
    sub_orgs: int
    processes: int
    drafts: int
    census_size: int
    sms_used: int
    email_reminders_used: int


class OrganizationAnswer(Answer):
    """An organization with its current counts. What only those see who buy is null for everybody else."""

    address: str
    name: str
    type: str
    description: str
    size: str
    color: str
    logo: str
    subdomain: str
    timezone: str
    country: str
    active: bool
    parents: list[str] = Field(description="what it is a part of, nearest first")
    plan: str
    payer: str = Field(description="whose plan and credits pay: its own address, or of what it is a part of")
    counts: CountsAnswer
    created_at: datetime
    stripe_customer_id: str | None
    stripe_subscription_id: str | None
    monthly_consumed_tokens: int | None
    yearly_consumed_tokens: int | None
    subscribed_at: datetime | None
    renews_at: datetime | None

    @staticmethod
    def of(view: ProfileView) -> OrganizationAnswer:
        """The organization as JSON has it."""
        money = view.money
        return OrganizationAnswer(
            address=view.address,
            name=view.name,
            **view.profile,
            active=view.active,
            parents=[address for address, _ in view.parents],
            plan=view.plan,
            payer=view.payer,
            counts=CountsAnswer.model_validate(view.counts),
            created_at=view.created_at,
            stripe_customer_id=money.stripe_customer_id if money else None,
            stripe_subscription_id=money.stripe_subscription_id if money else None,
            monthly_consumed_tokens=money.monthly_consumed_tokens if money else None,
            yearly_consumed_tokens=money.yearly_consumed_tokens if money else None,
            subscribed_at=money.subscribed_at if money else None,
            renews_at=money.renews_at if money else None,
        )


class Page(BaseModel):
    """Where a list begins and how much of it is wanted."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIST)] = DEFAULT_LIST
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
    """One change: who did what, and what it was before and after. `organization` null: the whole console."""

    id: UUID
    at: datetime
    organization: str | None
    actor: str
    who: str
    action: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]

    @staticmethod
    def of(entry: Entry) -> AuditAnswer:
        """The entry as JSON has it."""
        return AuditAnswer(
            id=entry.id, at=entry.at, organization=entry.address or None, actor=entry.actor, who=entry.who,
            action=entry.action, subject=entry.subject, before=dict(entry.before), after=dict(entry.after),
        )  # fmt: skip
