"""The organization object and what may be sent of it; its members, keys and audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, ValidationInfo, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from billing_app.api.common.schemas import DEFAULT_LIST, Answer, Flag, Limit, Name, Request, Text
from billing_app.domain.common.access import DEFAULT_SCOPES, Role, Scope
from billing_app.services.access.members import Invitation
from billing_app.services.access.views import MemberAnswer
from billing_app.services.common.audit_words import Words
from billing_app.services.common.views import Entry
from billing_app.services.organizations import profiles
from billing_app.services.organizations.views import CountsAnswer, ProfileView
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


Title = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Line = Annotated[str, StringConstraints(max_length=255)]
Address = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Parents = Annotated[list[Address], Field(max_length=16)]

COUNTED = "is counted, not set: leave it out."
BY_STRIPE = "comes from the subscription and its payments, and is not set here: leave it out."
BY_PLAN = "is chosen with POST .../checkout or PATCH .../subscription: leave it out here."
BY_US = "is recorded by the console, not set: leave it out."

READ_ONLY = {
    "currentMembers": COUNTED, "currentSubOrgs": COUNTED, "currentProcesses": COUNTED, "currentSMSUsed": COUNTED,
    "currentEmailRemindersUsed": COUNTED, "currentCensusSize": COUNTED, "counts": COUNTED,
    "yearlyConsumedTokens": COUNTED, "monthlyConsumedTokens": COUNTED,
    "yearly_consumed_tokens": COUNTED, "monthly_consumed_tokens": COUNTED,
    "subscriptionPlan": BY_PLAN, "plan": BY_PLAN,
    "subscriptionId": BY_STRIPE, "stripeCustomerId": BY_STRIPE, "stripe_subscription_id": BY_STRIPE,
    "stripe_customer_id": BY_STRIPE, "subscribed_at": BY_STRIPE, "renewal_at": BY_STRIPE, "renews_at": BY_STRIPE,
    "created_at": BY_US, "payer": BY_US, "subdomain_in_use": BY_US,
}  # fmt: skip
"""What an answer says and no request may: the end of the sentence that a request with it is refused with."""


def _never(_value: object, info: ValidationInfo) -> None:
    name = str(info.field_name)
    raise PydanticCustomError("read_only", "{sentence}", {"sentence": f"`{name}` {READ_ONLY[name]}"})


ReadOnly = SkipJsonSchema[Annotated[None, BeforeValidator(_never)]]
"""Not a field of requests. It is known by name only so that its refusal says why."""


def _size(value: object) -> object:
    """A number of people as the text that is stored."""
    if isinstance(value, str) or value is None:
        return value
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(whole, int) or isinstance(whole, bool) or not 0 <= whole <= profiles.LARGEST:
        raise PydanticCustomError("size", 'A size is a whole number from 0, or a class such as "11-50".')
    return str(whole)


SIZE_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": profiles.LARGEST}, {"type": "string"}]}

Size = Annotated[
    str,
    StringConstraints(max_length=profiles.LONGEST["size"]),
    BeforeValidator(_size),
    WithJsonSchema(SIZE_SCHEMA | {"description": "a number, or a class such as 11-50"}),
]


class Profile(Request):
    """What an organization says about itself. What is left out stays as it is."""

    type: Line | None = None
    description: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    size: Size | None = None
    color: Line | None = Field(default=None, description="#rrggbb, or empty")
    logo: Annotated[str, StringConstraints(max_length=2_000)] | None = Field(
        default=None, description="the address of an image; it is never fetched"
    )
    subdomain: Line | None = Field(
        default=None, description="a web address of its own: kept on any plan, in use where the plan includes one"
    )
    timezone: Line | None = Field(
        default=None, description="as in the IANA database, Europe/Lisbon; or GMT+2, two hours ahead of UTC"
    )
    country: Line | None = Field(default=None, description="two letters (ISO 3166-1)")
    active: Flag | None = Field(default=None, description="for operators: a deactivated organization may do nothing")

    currentMembers: ReadOnly = None
    currentSubOrgs: ReadOnly = None
    currentProcesses: ReadOnly = None
    currentSMSUsed: ReadOnly = None
    currentEmailRemindersUsed: ReadOnly = None
    currentCensusSize: ReadOnly = None
    counts: ReadOnly = None
    yearlyConsumedTokens: ReadOnly = None
    monthlyConsumedTokens: ReadOnly = None
    yearly_consumed_tokens: ReadOnly = None
    monthly_consumed_tokens: ReadOnly = None
    subscriptionPlan: ReadOnly = None
    plan: ReadOnly = None
    subscriptionId: ReadOnly = None
    stripeCustomerId: ReadOnly = None
    stripe_subscription_id: ReadOnly = None
    stripe_customer_id: ReadOnly = None
    subscribed_at: ReadOnly = None
    renewal_at: ReadOnly = None
    renews_at: ReadOnly = None
    created_at: ReadOnly = None
    payer: ReadOnly = None
    subdomain_in_use: ReadOnly = None

    def changes(self) -> dict[str, str]:
        """What was sent of the fields that an organization says about itself."""
        return self.model_dump(exclude_none=True, include=set(profiles.FIELDS))


class NewOrganization(Profile):
    """A new organization. Without an `address` one is generated; an address is never given twice."""

    name: Title
    address: Address | None = None
    parents: Parents | None = Field(
        default=None,
        description="what it is to be a part of: one address, or all above it, nearest first; its admins may",
    )


class OrganizationChange(Profile):
    """A change of an organization. Its address and what it is a part of may be sent as they are."""

    name: Title | None = None
    address: Address | None = Field(default=None, description="as it is: it never changes")
    parents: Parents | None = Field(
        default=None, description="as they are: PATCH .../suborganizations/{suborganization} of those above moves it"
    )


class SubOrganizationChange(Profile):
    """A change of a part."""

    name: Title | None = None
    parent: Address | None = Field(default=None, description="what it is to be a part of")


def _also(name: str) -> Any:
    return Field(deprecated=f"The same as `{name}`.")


class OrganizationAnswer(Answer):
    """An organization with its current counts. What only those see who buy is null for everybody else."""

    address: str
    name: str
    type: str
    description: str
    size: int | str = Field(description="a number, or a class such as 11-50; digits alone are a number")
    color: str
    logo: str
    subdomain: str
    timezone: str
    active: bool
    parents: list[str] = Field(description="what it is a part of, nearest first")
    subscriptionPlan: str = Field(description="the plan in force; of a part without its own, that of the payer")
    subscriptionId: str | None
    currentMembers: int
    currentSubOrgs: int
    currentProcesses: int
    currentSMSUsed: int
    currentEmailRemindersUsed: int
    currentCensusSize: int
    stripeCustomerId: str | None
    yearlyConsumedTokens: int | None
    monthlyConsumedTokens: int | None
    created_at: datetime
    subscribed_at: datetime | None
    renewal_at: datetime | None
    country: str
    subdomain_in_use: bool = Field(description="whether there is one and the plan includes a web address of its own")
    payer: str = Field(description="whose plan and credits pay: its own address, or of what it is a part of")
    counts: CountsAnswer
    plan: str = _also("subscriptionPlan")
    stripe_customer_id: str | None = _also("stripeCustomerId")
    stripe_subscription_id: str | None = _also("subscriptionId")
    monthly_consumed_tokens: int | None = _also("monthlyConsumedTokens")
    yearly_consumed_tokens: int | None = _also("yearlyConsumedTokens")
    renews_at: datetime | None = _also("renewal_at")

    @staticmethod
    def of(view: ProfileView) -> OrganizationAnswer:
        """The organization as JSON has it: each fact read once, and said under each of its names."""
        money, counts = view.money, view.counts
        said: dict[str, Any] = {**view.profile, "size": profiles.number_of(view.profile["size"])}
        customer = money.stripe_customer_id if money else None
        subscription = money.stripe_subscription_id if money else None
        monthly = money.monthly_consumed_tokens if money else None
        yearly = money.yearly_consumed_tokens if money else None
        renewal = money.renews_at if money else None
        return OrganizationAnswer(
            address=view.address,
            name=view.name,
            **said,
            subdomain_in_use=view.subdomain_in_use,
            active=view.active,
            parents=[address for address, _ in view.parents],
            payer=view.payer,
            counts=counts,
            currentMembers=counts.members,
            currentSubOrgs=counts.sub_orgs,
            currentProcesses=counts.processes,
            currentSMSUsed=counts.sms_used,
            currentEmailRemindersUsed=counts.email_reminders_used,
            currentCensusSize=counts.census_size,
            created_at=view.created_at,
            subscribed_at=money.subscribed_at if money else None,
            subscriptionPlan=view.plan, plan=view.plan,
            subscriptionId=subscription, stripe_subscription_id=subscription,
            stripeCustomerId=customer, stripe_customer_id=customer,
            monthlyConsumedTokens=monthly, monthly_consumed_tokens=monthly,
            yearlyConsumedTokens=yearly, yearly_consumed_tokens=yearly,
            renewal_at=renewal, renews_at=renewal,
        )  # fmt: skip
