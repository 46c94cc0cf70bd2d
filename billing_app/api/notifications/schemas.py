"""Who is told of what, webhook endpoints, and deliveries."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from billing_app.api.common.schemas import DEFAULT_LIST, Answer, Limit, Name, Request
from billing_app.domain.notifications.kinds import KINDS
from billing_app.services.notifications.choices import MAX_PEOPLE, Choices
from billing_app.services.notifications.views import WebhookAnswer
from billing_app.services.notifications.webhook_endpoints import (
    MAX_DESCRIPTION,
    MAX_ENDPOINTS,
    MAX_URL,
)

Kinds = Annotated[list[Name], Field(max_length=len(KINDS))]
Email = Annotated[str, Field(max_length=254)]


class KindAnswer(Answer):
    """A kind of event. `example` is the `data` of its webhook, without the organization; `mailed`: by default."""

    id: str
    topic: str
    title: str
    description: str
    mailed: bool
    fields: dict[str, str]
    example: dict[str, Any]


class ChoicesAnswer(Answer):
    """Ids of kinds by who is told of them: what PUT takes."""

    roles: dict[str, list[str]]
    people: dict[str, list[str]]
    webhooks: dict[UUID, list[str]]


class ChoicesRequest(Request):
    """Replaces the choices of everybody who is named. `people` is the whole list of single members who are told."""

    roles: Annotated[dict[Literal["admin", "billing", "member"], Kinds], Field(max_length=3, default_factory=dict)]
    people: Annotated[dict[Email, Kinds], Field(max_length=MAX_PEOPLE)]
    webhooks: Annotated[dict[UUID, Kinds], Field(max_length=MAX_ENDPOINTS, default_factory=dict)]

    def choices(self) -> Choices:
        """What the service takes."""
        return Choices(
            roles={str(role): tuple(kinds) for role, kinds in self.roles.items()},
            people={email: tuple(kinds) for email, kinds in self.people.items()},
            webhooks={endpoint: tuple(kinds) for endpoint, kinds in self.webhooks.items()},
        )


class NotificationsAnswer(Answer):
    """Everything about notifications. `mail`: whether this server can send any."""

    mail: bool
    kinds: list[KindAnswer]
    choices: ChoicesAnswer
    webhooks: list[WebhookAnswer]

    @classmethod
    def of(cls, choices: Choices, webhooks: list[WebhookAnswer], *, mail: bool) -> NotificationsAnswer:
        """The answer for an organization."""
        return cls(
            mail=mail,
            kinds=[KindAnswer.model_validate(kind) for kind in KINDS],
            choices=ChoicesAnswer.model_validate(choices),
            webhooks=webhooks,
        )


class NewWebhookRequest(Request):
    """An endpoint to be made. Without `kinds` it is told of everything, also of kinds that come later."""

    url: Annotated[str, Field(min_length=1, max_length=MAX_URL)]
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION)] = ""
    kinds: Kinds | None = None


class DeliveriesQuery(Request):
    """Which deliveries; the newest first."""

    state: Literal["waiting", "delivered", "failed"] | None = None
    webhook: UUID | None = None
    cursor: Annotated[str, Field(max_length=500)] | None = None
    limit: Limit = DEFAULT_LIST
